"""The corpora that the scripts of this sprint train on, by the name that --data gives."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from shared.lab.datasets import fetch
from shared.text.corpora import CookbookCorpus, Corpus, TextCorpus, cookbook_tokenizer
from shared.text.plain_text import read_text

Kind = Literal["bpe", "char", "gpt2"]  # of tokenizer
BpeSize = Annotated[int, Field(ge=257, le=2**20)]  # 256 bytes and the end token are in every bpe


def load_corpus(data: str, tokenizer: Kind = "char", vocab_size: int = 2048, validation_recipes: int = 256) -> Corpus:
    """Return a corpus.

    Args:
        data: "cookbook", "tinyshakespeare", a UTF-8 text, or a folder of prepare_data.py.
        tokenizer: of a text: "char", "bpe" or "gpt2" (the cookbook is always bpe).
        vocab_size: of a bpe tokenizer.
        validation_recipes: of the cookbook.

    Raises:
        ValueError: there is no such text or folder, or it cannot be read.
    """
    if data == "cookbook":
        return CookbookCorpus(cookbook_tokenizer(vocab_size), validation_recipes=validation_recipes)
    path = fetch("tinyshakespeare", file="input.txt") if data == "tinyshakespeare" else Path(data)
    if path.is_dir():
        return TextCorpus.load(path)
    if not path.exists():
        raise ValueError(f"--data must be cookbook, tinyshakespeare, a text or a folder of tokens; there is no {path}")
    text = read_text(path)
    return TextCorpus.from_text(text, tokenizer, vocab_size, fetch("gpt2") if tokenizer == "gpt2" else None)

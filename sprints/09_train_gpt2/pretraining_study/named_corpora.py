"""The corpora that the scripts of this sprint train on, by the name that --data gives."""

from pathlib import Path

from shared.lab.datasets import fetch
from shared.text.corpora import CookbookCorpus, Corpus, TextCorpus, cookbook_tokenizer


def load_corpus(data: str, tokenizer: str = "char", vocab_size: int = 2048, validation_recipes: int = 256) -> Corpus:
    """Return a corpus.

    Args:
        data: "cookbook", "tinyshakespeare", a UTF-8 text, or a folder of prepare_data.py.
        tokenizer: of a text: "char", "bpe" or "gpt2" (the cookbook is always bpe).
        vocab_size: of a bpe tokenizer.
        validation_recipes: of the cookbook.

    Raises:
        ValueError: a text that cannot be read.
    """
    if data == "cookbook":
        return CookbookCorpus(cookbook_tokenizer(vocab_size), validation_recipes=validation_recipes)
    path = fetch("tinyshakespeare", file="input.txt") if data == "tinyshakespeare" else Path(data)
    if path.is_dir():
        return TextCorpus.load(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"--data must be cookbook, tinyshakespeare or a UTF-8 text; cannot read {path}: {error}"
        ) from error
    return TextCorpus.from_text(text, tokenizer, vocab_size, fetch("gpt2") if tokenizer == "gpt2" else None)

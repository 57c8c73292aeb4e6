"""Turn a text into files of tokens that training reads without loading them into memory.

    uv run sprints/09_train_gpt2/prepare_data.py --text my_text.txt --tokenizer bpe --folder data/cache/my_text
    uv run sprints/09_train_gpt2/train.py --data data/cache/my_text

Without --text it prepares recipes of the cookbook, as a text like any other. Theory: notes/03_data.md
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tqdm import trange

from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.datasets import fetch
from shared.lab.paths import CACHE, shown
from shared.lab.run import run
from shared.text.cookbook import Cookbook
from shared.text.corpora import TextCorpus


@dataclass(frozen=True)
class Config(ScriptConfig):
    text: Path | None = None  # UTF-8 text (default: recipes)
    tokenizer: Literal["bpe", "char", "gpt2"] = "bpe"  # kind of tokenizer
    vocab_size: int = 2048  # tokens of a bpe vocabulary
    recipes: int = 5000  # recipes to write when there is no text
    folder: Path = CACHE / "prepared"  # where the token files go


@dataclass(frozen=True)
class Results:
    characters: int
    train_tokens: int
    validation_tokens: int
    vocab_size: int
    characters_per_token: float
    file_mb: float


def main(config: Config) -> Results:
    if config.text is not None:
        text = config.text.read_text(encoding="utf-8")
    else:
        cookbook = Cookbook()
        text = "\n\n\n".join(cookbook.recipe("train", index).text for index in trange(config.recipes, unit="recipe"))
    gpt2 = fetch("gpt2") if config.tokenizer == "gpt2" else None
    corpus = TextCorpus.from_text(text, config.tokenizer, config.vocab_size, gpt2)
    corpus.save(config.folder)
    again = TextCorpus.load(config.folder)
    results = Results(
        characters=len(text),
        train_tokens=len(again.train),
        validation_tokens=len(again.validation),
        vocab_size=again.tokenizer.vocab_size,
        characters_per_token=again.characters_per_token(),
        file_mb=(config.folder / "train.npy").stat().st_size / 1e6,
    )
    print(f"{results.characters:,} characters became {results.train_tokens:,} training tokens", end=" ")
    print(f"({results.characters_per_token:.2f} characters each) in {shown(config.folder)}")
    return results


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT})

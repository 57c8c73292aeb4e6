"""Turn a text of any size into files of tokens that training reads without loading them into memory.

    uv run sprints/09_train_gpt2/prepare_data.py --text my_text.txt --tokenizer bpe --folder data/cache/my_text
    uv run sprints/09_train_gpt2/train.py --data data/cache/my_text

Without --text it prepares recipes of the cookbook, as a text like any other. Theory: notes/08_data.md
"""

from dataclasses import dataclass
from pathlib import Path

from tqdm import trange

from pretraining_study.named_corpora import BpeSize, Kind
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.datasets import fetch
from shared.lab.files import write_text
from shared.lab.paths import CACHE, shown
from shared.lab.ranges import ExistingFile, PositiveInt
from shared.lab.run import run, run_folder
from shared.text.cookbook import Cookbook
from shared.text.corpora import TextCorpus
from shared.text.plain_text import read_pieces
from shared.text.token_files import prepare_folder


@dataclass(frozen=True)
class Config(ScriptConfig):
    text: ExistingFile | None = None  # UTF-8 text (default: recipes)
    tokenizer: Kind = "bpe"  # kind of tokenizer
    vocab_size: BpeSize = 2048  # tokens of a bpe vocabulary
    recipes: PositiveInt = 5000  # recipes to write when there is no text
    folder: Path = CACHE / "prepared"  # where the token files go: a new folder, or one of an earlier run


@dataclass(frozen=True)
class Results:
    characters: int
    train_tokens: int
    validation_tokens: int
    vocab_size: int
    characters_per_token: float
    file_mb: float


def write_recipes(path: Path, count: int) -> Path:
    """Write recipes as a text like any other, and return its path."""
    cookbook = Cookbook()
    recipes = (cookbook.recipe("train", index).text for index in trange(count, unit="recipe"))
    return write_text(path, "\n\n\n".join(recipes))


def main(config: Config) -> Results:
    text = config.text or write_recipes(run_folder(config, __file__) / "recipes.txt", config.recipes)
    gpt2 = fetch("gpt2") if config.tokenizer == "gpt2" else None
    prepare_folder(text, config.folder, config.tokenizer, config.vocab_size, gpt2)
    again = TextCorpus.load(config.folder)
    results = Results(
        characters=sum(map(len, read_pieces(text))),
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

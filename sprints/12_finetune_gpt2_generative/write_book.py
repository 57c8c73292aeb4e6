"""Where does the book come from? The cookbook's second voice writes it, so that the best possible loss on it is known.

    uv run sprints/12_finetune_gpt2_generative/write_book.py

This command makes data/book.txt again, byte for byte, in the folder of the run; the file that ships with the repository
is replaced by --record alone. Theory: notes/01_books_and_splits.md
"""

from dataclasses import dataclass
from typing import Literal

from shared.lab.config import ScriptConfig
from shared.lab.files import write_text
from shared.lab.ranges import PositiveInt
from shared.lab.run import run, run_folder
from shared.text.books import SHIPPED_BOOK
from shared.text.cookbook import Cookbook

# The shipped tokenizer was trained on the first recipes of the stream; the book begins behind them.
FIRST_RECIPE = 10_000


@dataclass(frozen=True)
class Config(ScriptConfig):
    voice: Literal["plain", "flirty"] = "flirty"  # who writes it: plain or flirty
    chapters: PositiveInt = 11  # chapters
    recipes: PositiveInt = 14  # recipes of a chapter


@dataclass(frozen=True)
class Results:
    characters: int
    recipes: int
    nats_per_recipe: float


def main(config: Config) -> Results:
    cookbook = Cookbook(config.voice)
    recipes = [cookbook.recipe("train", FIRST_RECIPE + index) for index in range(config.chapters * config.recipes)]
    chapters = [
        f"Chapter {number + 1}\n\n"
        + "\n\n* * *\n\n".join(
            recipe.text for recipe in recipes[number * config.recipes : (number + 1) * config.recipes]
        )
        for number in range(config.chapters)
    ]
    text = "\n\n\n".join(chapters) + "\n"
    path = SHIPPED_BOOK if config.record is not None else run_folder(config, __file__) / SHIPPED_BOOK.name
    write_text(path, text)
    print(f"{path.name}: {config.chapters} chapters, {len(recipes)} recipes, {len(text):,} characters")
    return Results(len(text), len(recipes), -sum(recipe.log_prob for recipe in recipes) / len(recipes))


if __name__ == "__main__":
    run(main, Config)

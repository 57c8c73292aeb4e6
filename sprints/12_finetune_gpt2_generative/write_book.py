"""Where does the book come from? The cookbook's second voice writes it, so that the best possible loss on it is known.

    uv run sprints/12_finetune_gpt2_generative/write_book.py

This command makes data/book.txt, byte for byte. Theory: notes/01_books_and_splits.md
"""

from dataclasses import dataclass
from pathlib import Path

from shared.lab.config import ScriptConfig
from shared.lab.files import write_text
from shared.lab.paths import DATA
from shared.lab.run import run
from shared.text.cookbook import Cookbook

BOOK = DATA / "book.txt"
# The shipped tokenizer was trained on the first recipes of the stream; the book begins behind them.
FIRST_RECIPE = 10_000


@dataclass(frozen=True)
class Config(ScriptConfig):
    book: Path = BOOK  # where the book goes
    voice: str = "flirty"  # who writes it: plain or flirty
    chapters: int = 11  # chapters
    recipes: int = 14  # recipes of a chapter


@dataclass(frozen=True)
class Results:
    characters: int
    recipes: int
    nats_per_recipe: float


def main(config: Config) -> Results:
    if min(config.chapters, config.recipes) < 1:
        raise ValueError(
            f"a book has at least one chapter with one recipe; got chapters={config.chapters}, recipes={config.recipes}"
        )
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
    write_text(config.book, text)
    print(f"{config.book.name}: {config.chapters} chapters, {len(recipes)} recipes, {len(text):,} characters")
    return Results(len(text), len(recipes), -sum(recipe.log_prob for recipe in recipes) / len(recipes))


if __name__ == "__main__":
    run(main, Config)

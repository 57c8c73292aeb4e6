"""Where does the book come from? The cookbook's second voice writes it, so that the best possible loss on it is known.

    uv run sprints/12_finetune_gpt2_generative/write_book.py

This command makes data/book.txt, byte for byte. Theory: notes/01_books_and_splits.md
"""

import os
from dataclasses import dataclass
from pathlib import Path

from shared.config import ScriptConfig, option, parse_config
from shared.cookbook import VOICES, Cookbook
from shared.results import save_results

BOOK = Path(__file__).parents[2] / "data" / "book.txt"
# The shipped tokenizer was trained on the first recipes of the stream; the book begins behind them.
FIRST_RECIPE = 10_000


@dataclass(frozen=True)
class Config(ScriptConfig):
    book: Path = option(BOOK, "where the book goes")
    voice: str = option("flirty", f"who writes it: {' or '.join(VOICES)}")
    chapters: int = option(11, "chapters")
    recipes: int = option(14, "recipes of a chapter")


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
    config.book.parent.mkdir(parents=True, exist_ok=True)
    temporary = config.book.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, config.book)
    print(f"{config.book.name}: {config.chapters} chapters, {len(recipes)} recipes, {len(text):,} characters")
    return Results(len(text), len(recipes), -sum(recipe.log_prob for recipe in recipes) / len(recipes))


if __name__ == "__main__":
    config = parse_config(Config)
    save_results(main(config), config, script=__file__)

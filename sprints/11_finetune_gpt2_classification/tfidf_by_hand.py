"""What does TF-IDF make of a text? Three texts of a few words, every number of it.

    uv run sprints/11_finetune_gpt2_classification/tfidf_by_hand.py
    uv run sprints/11_finetune_gpt2_classification/tfidf_by_hand.py --texts "add salt" "add salt salt salt"

Counts, their logarithms, the rarity of each word, the length 1. Theory: notes/04_baselines.md
"""

import math
from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    texts: tuple[str, ...] = ("add salt", "add sugar", "add salt salt")  # words between spaces

    def check(self) -> None:
        if not self.texts or not all(text.split() for text in self.texts):
            raise ValueError(f"there must be --texts, each with a word; got {self.texts}")


@dataclass(frozen=True)
class Results:
    texts: list[str]
    words: list[str]
    counts: list[list[int]]
    rarity: list[float]
    weighted: list[list[float]]
    features: list[list[float]]


def main(config: Config) -> Results:
    rows = [text.split() for text in config.texts]
    words = sorted({word for row in rows for word in row})
    counts = [[row.count(word) for word in words] for row in rows]
    with_it = [sum(count[column] > 0 for count in counts) for column in range(len(words))]
    rarity = [math.log((1 + len(rows)) / (1 + number)) + 1 for number in with_it]
    weighted = [
        [(1 + math.log(count)) * rare if count else 0.0 for count, rare in zip(row, rarity, strict=True)]
        for row in counts
    ]
    features = [[number / math.hypot(*row) for number in row] for row in weighted]
    for name, numbers in (("rarity", [rarity]), ("features", features)):
        print(name, [dict(zip(words, (round(number, 3) for number in row), strict=True)) for row in numbers])
    return Results(list(config.texts), words, counts, rarity, weighted, features)


def plot(results: Results) -> Figure:
    """Draw counts, weights and features as tables, from left to right."""
    size = 0.58
    width = size * len(results.words)
    height = size * len(results.texts) + 1.5
    figure, axes = drawings.canvas(3 * width + 4.4, height)
    x, y = 1.35, height - 0.75
    tables = [("counts", results.counts), ("(1 + ln count) · idf", results.weighted), ("length 1", results.features)]
    for index, (title, table) in enumerate(tables):
        numbers = [[round(number, 3) if number else 0 for number in row] for row in table]
        strengths = [[0.08 if not number else 0.3 for number in row] for row in table]
        names = results.texts if index == 0 else ()
        colour = (drawings.TOKEN, drawings.KEY, drawings.MIXED)[index]
        drawings.cells(
            axes, numbers, x, y, size=size, colour=colour, strengths=strengths, row_names=names,
            column_names=results.words, title=title,
        )  # fmt: skip
        if index < 2:
            middle = y - size * len(results.texts) / 2
            drawings.arrow(axes, (x + width + 0.1, middle), (x + width + 0.75, middle))
        x += width + 0.9
    rare = ", ".join(f"{word} {number:.3f}" for word, number in zip(results.words, results.rarity, strict=True))
    drawings.text(axes, f"idf: {rare}", (3 * width + 4.4) / 2, 0.3)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

"""What does the company of a word say about it? Neighbours counted in four sentences, and rows of counts compared.

    uv run sprints/05_embeddings_and_positional_encoding/company.py
    uv run sprints/05_embeddings_and_positional_encoding/company.py --window 1

Once with all words, and once without "the" and "in", which stand beside everything. Theory: notes/02_company.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from pydantic import Field

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

SENTENCES: tuple[str, ...] = (
    "melt the butter in the pan",
    "melt the lard in the pan",
    "boil the penne in salted water",
    "boil the farfalle in salted water",
)
CENTRES = ("butter", "lard", "penne", "farfalle")
FREQUENT = ("the", "in")
Window = Annotated[int, Field(ge=1, le=5)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    window: Window = 2  # largest distance of a neighbour


@dataclass(frozen=True)
class Table:
    """How often each context stands near each centre, and the cosine of each pair of rows."""

    contexts: list[str]
    counts: list[list[int]]
    cosines: list[list[float]]


@dataclass(frozen=True)
class Results:
    all_words: Table
    without_frequent: Table
    # of butter with each context, from all pairs of all words
    information: dict[str, float]


def pairs_of(sentences: list[list[str]], window: int) -> list[tuple[str, str]]:
    """Return each word with each other word that is at most `window` places away in its sentence."""
    return [
        (words[centre], words[context])
        for words in sentences
        for centre in range(len(words))
        for context in range(max(0, centre - window), min(len(words), centre + window + 1))
        if context != centre
    ]


def cosine(left: list[int], right: list[int]) -> float:
    """Return the dot product divided by both lengths: 1 for rows that point the same way, 0 for nothing in common."""
    product = sum(a * b for a, b in zip(left, right, strict=True))
    return product / math.sqrt(sum(a * a for a in left) * sum(b * b for b in right))


def count(sentences: list[list[str]], window: int) -> Table:
    pairs = pairs_of(sentences, window)
    contexts = list(dict.fromkeys(context for centre, context in pairs if centre in CENTRES))
    counts = [[pairs.count((centre, context)) for context in contexts] for centre in CENTRES]
    return Table(contexts, counts, [[cosine(left, right) for right in counts] for left in counts])


def main(config: Config) -> Results:
    sentences = [sentence.split() for sentence in SENTENCES]
    thinned = [[word for word in words if word not in FREQUENT] for words in sentences]
    pairs = pairs_of(sentences, config.window)
    of_butter = sum(centre == "butter" for centre, _ in pairs)
    table = count(sentences, config.window)
    information = {
        context: math.log(
            pairs.count(("butter", context)) * len(pairs) / (of_butter * sum(other == context for _, other in pairs))
        )
        for context in table.contexts
        if ("butter", context) in pairs
    }
    results = Results(table, count(thinned, config.window), information)
    for name, part in (("all words", table), ("without frequent ones", results.without_frequent)):
        print(f"{name}: butter and lard {part.cosines[0][1]:.3f}, butter and penne {part.cosines[0][2]:.3f}")
    return results


def plot(results: Results) -> Figure:
    """Draw the counts of neighbours and the cosines of rows, with all words above."""
    figure, axes = drawings.canvas(7.9, 5.7)
    tables = (("all words", results.all_words), ('without "the" and "in"', results.without_frequent))
    for index, (title, table) in enumerate(tables):
        y, size = 4.6 - 2.8 * index, 0.42
        most = max(max(row) for row in table.counts)
        drawings.cells(
            axes, table.counts, 0.9, y, size=size, colour=drawings.MIXED, row_names=CENTRES,
            strengths=[[0.06 + 0.5 * number / most for number in row] for row in table.counts], title="",
        )  # fmt: skip
        for column, word in enumerate(table.contexts):
            axes.text(1.11 + column * size, y + 0.1, word, rotation=40, fontsize=9, ha="left", va="bottom")
        drawings.text(axes, f"neighbours, {title}", 0.1, y + 0.85, bold=True, align="left")
        drawings.cells(
            axes, [[f"{number:.2f}" for number in row] for row in table.cosines], 5.9, y, size=size,
            strengths=[[0.06 + 0.5 * number for number in row] for row in table.cosines], row_names=CENTRES,
            title="cosine of rows",
        )  # fmt: skip
        drawings.arrow(axes, (3.5, y - 0.84), (4.75, y - 0.84), "compare rows")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

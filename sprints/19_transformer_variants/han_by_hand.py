"""Does a word cost less if more of the text is seen? Three words, all entropies by hand.

    uv run sprints/19_transformer_variants/han_by_hand.py

A soup is hot or mild, its label says so, and it comes with bread or rice: every choice by the toss of a coin.
Theory: notes/06_any_order.md
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run
from variants.masking_rate import mean_conditional_entropies
from variants.small_grammar import TextTable

WORDS = ("label", "soup", "side")
# Rows of label, soup and side; the label is a copy of the soup.
ROWS = ((0, 0, 2), (0, 0, 3), (1, 1, 2), (1, 1, 3))


@dataclass(frozen=True)
class Config(ScriptConfig):
    pass


@dataclass(frozen=True)
class Results:
    conditional: dict[str, list[float]]
    means: list[float]
    total: float
    one_hole: float
    from_the_left: float


def main(config: Config) -> Results:  # noqa: ARG001 - there is nothing to choose
    table = TextTable(("hot", "mild", "bread", "rice"), np.array(ROWS), np.full(4, 0.25))
    conditional: dict[str, list[float]] = {}
    for place, word in enumerate(WORDS):
        others = [other for other in range(3) if other != place]
        conditional[word] = [
            abs(table.entropy([place, *seen]) - table.entropy(list(seen)))
            for number in range(3)
            for seen in combinations(others, number)
        ]
        print(f"{word}: nothing seen, one, the other, both:", " ".join(f"{nats:.3f}" for nats in conditional[word]))
    means = [abs(nats) for nats in mean_conditional_entropies(table, range(3))]
    total = table.entropy([0, 1, 2])
    print("mean by words seen:", " ".join(f"{nats:.3f}" for nats in means), f"  sum {sum(means):.3f} = 2 ln 2")
    print(f"nats per word: one hole {means[-1]:.3f}, from the left {total / 3:.3f}, nothing seen {means[0]:.3f}")
    return Results(conditional, means, total, means[-1], total / 3)


def plot(results: Results) -> Figure:
    """Draw what each word costs by how many words are seen, and the means below."""
    figure, axes = drawings.canvas(7.6, 3.3)
    columns = ["none", "one", "the other", "both"]
    rows = [[round(nats, 3) for nats in results.conditional[word]] for word in WORDS]
    strengths = rows
    drawings.cells(
        axes, rows, 1.5, 2.75, size=0.68, colour=drawings.KEY, strengths=strengths, row_names=WORDS,
        column_names=columns, title="entropy of a word, nats, by which of the others are seen",
    )  # fmt: skip
    drawings.arrow(axes, (4.5, 1.75), (5.4, 1.75), "mean")
    drawings.cells(
        axes, [[round(nats, 3)] for nats in results.means], 6.2, 2.75, size=0.68, colour=drawings.MIXED,
        strengths=[[nats] for nats in results.means], row_names=["0 seen", "1 seen", "2 seen"], title="mean",
    )  # fmt: skip
    shown = " + ".join(f"{nats:.3f}" for nats in results.means)
    drawings.text(axes, f"{shown} = {results.total:.3f} = the entropy of the text", 3.8, 0.3)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

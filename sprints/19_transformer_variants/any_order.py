"""Does it matter in which order a text is revealed? What each word costs, in three kinds of order.

    uv run sprints/19_transformer_variants/any_order.py
    uv run sprints/19_transformer_variants/any_order.py --texts 1000 --seed 7

Texts come from a grammar whose every text can be written down; each conditional probability is a sum over all of them.
Theory: notes/06_any_order.md
"""

from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.compare import ROUNDING
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from variants.small_grammar import small_recipes

ORDERS = ("left to right", "right to left", "at random")


@dataclass(frozen=True)
class Config(ScriptConfig):
    texts: PositiveInt = 200  # texts that are drawn


@dataclass(frozen=True)
class Results:
    words: list[str]
    nats_of_example: float
    example: dict[str, list[float]]
    mean_nats: float
    entropy: float
    largest_difference: dict[str, float]
    one_hole_each: float
    dearer_in_holes: float


def order_of(kind: str, places: int, generator: torch.Generator) -> list[int]:
    """Return the places in the order in which they are revealed."""
    if kind == "at random":
        return torch.randperm(places, generator=generator).tolist()
    return list(range(places)) if kind == "left to right" else list(range(places))[::-1]


def main(config: Config) -> Results:
    generator, table = seed_everything(config.seed), small_recipes()
    rows = table.draw(config.texts, generator).numpy()
    places, totals = rows.shape[1], [table.nats_of_text(row) for row in rows]
    differences, example = dict.fromkeys(ORDERS, 0.0), {}
    for index, (row, total) in enumerate(zip(rows, totals, strict=True)):
        for kind in ORDERS:
            order = order_of(kind, places, generator)
            nats = table.cost_in_order(row, order)
            differences[kind] = max(differences[kind], abs(sum(nats) - total))
            if index == 0:
                example[kind] = [nats[order.index(place)] for place in table.varying]
    words = [table.words[token] for token in rows[0, table.varying]]
    print(table.text(rows[0].tolist()))
    for kind in ORDERS:
        shown = " ".join(f"{word} {nats:.2f}" for word, nats in zip(words, example[kind], strict=True))
        print(f"{kind:14} {shown}: sum {sum(example[kind]):.6f}; -ln p {totals[0]:.6f}")
        print(f"{'':14} largest difference in {config.texts} texts: {differences[kind]:.0e}")
    holes = [sum(alone(table, row)) for row in rows]
    dearer = float(np.mean([cost > total + 1e-9 for cost, total in zip(holes, totals, strict=True)]))
    mean, in_holes = float(np.mean(totals)), float(np.mean(holes))
    entropy = table.entropy(list(range(places)))
    print(f"mean of -ln p {mean:.3f} (entropy {entropy:.3f}); every word in a hole of its own {in_holes:.3f}")
    print(f"texts that cost more in holes than in order: {dearer:.1%}")
    return Results(words, totals[0], example, mean, entropy, differences, in_holes, dearer)


def alone(table, row: np.ndarray) -> list[float]:
    """Return what each word costs if it is the only one that is hidden."""
    everything = np.ones(len(row), dtype=bool)
    costs = []
    for place in table.varying:
        seen = everything.copy()
        seen[place] = False
        costs.append(float(abs(np.log(table.distribution(row, seen, place)[row[place]]))))
    return costs


def plot(results: Results) -> Figure:
    """Draw what each word of one text costs in each order; all rows have the same sum."""
    figure, axes = drawings.canvas(8.8, 3.1)
    size, left = 0.72, 1.6
    rows = [[f"{nats:.2f}" for nats in results.example[kind]] for kind in ORDERS]
    strengths = [[min(1.0, nats / 2.5) for nats in results.example[kind]] for kind in ORDERS]
    drawings.cells(
        axes, rows, left, 2.45, size=size, colour=drawings.MIXED, strengths=strengths, row_names=ORDERS,
        column_names=results.words, title="nats of each word that varies",
    )  # fmt: skip
    end = left + size * len(results.words)
    drawings.text(axes, "sum", end + 0.65, 2.6, bold=True)
    for index, kind in enumerate(ORDERS):
        drawings.text(axes, f"= {sum(results.example[kind]):.3f}", end + 0.65, 2.45 - (index + 0.5) * size)
    drawings.text(axes, "the other words are the same in all texts and cost nothing", left + 4 * size, 0.1, size=8)
    return figure


TOLERANCE = {"largest_difference.*": ROUNDING}

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)

"""Can a random embedding break a theorem about what TransE, DistMult, ComplEx and RotatE represent? 20,000 draws each.

    uv run sprints/27_graphs_downstream/break_the_theorems.py
    uv run sprints/27_graphs_downstream/break_the_theorems.py --features 1

A draw breaks a theorem if every query of a small group is answered right. Theory: notes/06_what_a_relation_can_be.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from torch import Tensor

from downstream.kg_embeddings import MODELS, NAMES, Name
from shared.lab import drawings
from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

# Facts of one relation among so many entities; whatever is not named is false.
GROUPS: dict[str, tuple[int, list[tuple[int, int]]]] = {
    "symmetric pair": (2, [(0, 1), (1, 0)]),
    "path of three": (3, [(0, 1), (1, 2)]),
    "triangle": (3, [(0, 1), (1, 2), (2, 0)]),
    "star of three": (4, [(0, 1), (0, 2), (0, 3)]),
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    draws: PositiveInt = 20_000  # random embeddings of each model for each group
    features: PositiveInt = 2  # of an embedding


@dataclass(frozen=True)
class Results:
    solved: dict[str, dict[str, int]]  # draws that answer all queries of a group, by group and model
    draws: int
    by_hand: dict[str, list[float]]  # the scores of the note: a to b, and b to a


def scores_of_groups(name: Name, entities: int, draws: int, features: int, generator: torch.Generator) -> Tensor:
    """Return scores of all pairs under one relation: (draws, heads, tails), each draw with embeddings of its own."""
    model = MODELS[name](entities * draws, draws, features, generator)
    with torch.no_grad():
        model.entities.copy_(torch.randn(model.entities.shape, generator=generator))
        if name != "RotatE":
            model.relations.copy_(torch.randn(model.relations.shape, generator=generator))
        draw, head, tail = torch.meshgrid(
            torch.arange(draws), torch.arange(entities), torch.arange(entities), indexing="ij"
        )
        facts = torch.stack([draw * entities + head, draw, draw * entities + tail], dim=-1)
        return model(facts.reshape(-1, 3)).unflatten(0, (draws, entities, entities))


def all_right(scores: Tensor, facts: list[tuple[int, int]]) -> Tensor:
    """Return which draws answer every query: true entities above each false one, for tails and for heads."""
    true = torch.zeros(scores.shape[1:], dtype=torch.bool)
    true[[head for head, _ in facts], [tail for _, tail in facts]] = True
    right = torch.ones(len(scores), dtype=torch.bool)
    for table, wanted in ((scores, true), (scores.mT, true.T)):
        lowest_true = table.masked_fill(~wanted, math.inf).amin(2)
        highest_false = table.masked_fill(wanted, -math.inf).amax(2)
        right &= ((lowest_true > highest_false) | ~wanted.any(1)).all(1)
    return right


def by_hand() -> dict[str, list[float]]:
    """Return the scores of the note: a pair (a, b) and (b, a) for each model with one feature."""

    def both(a: complex, b: complex, relation: complex, kind: str) -> list[float]:
        values = []
        for head, tail in ((a, b), (b, a)):
            if kind == "step":
                values.append(-abs(head + relation - tail))
            elif kind == "turn":
                values.append(-abs(head * relation - tail))
            else:
                values.append((head * relation * tail.conjugate()).real)
        return values

    return {
        "TransE": both(0, 1, 0.4, "step"), "DistMult": both(2, 3, 0.5, "product"),
        "ComplEx": both(1, 1j, 1j, "product"), "RotatE": both(1, -1, -1, "turn"),
    }  # fmt: skip


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(config.seed)
    solved: dict[str, dict[str, int]] = {}
    for group, (entities, facts) in GROUPS.items():
        solved[group] = {
            name: int(
                all_right(scores_of_groups(name, entities, config.draws, config.features, generator), facts).sum()
            )
            for name in NAMES
        }
        print(f"{group:<16}" + "   ".join(f"{name} {count:,}" for name, count in solved[group].items()))
    return Results(solved, config.draws, by_hand())


def plot(_: Results) -> Figure:
    """Draw a step on a line, which cannot go there and back, and a turn on a circle, which can."""
    figure, axes = drawings.canvas(7.2, 2.7)
    blue, orange = COLOURS[0], COLOURS[1]
    drawings.text(axes, "TransE: one step, there and back", 1.9, 2.5, bold=True)
    for x, name in ((0.7, "a"), (2.7, "b")):
        axes.add_patch(Circle((x, 1.3), 0.16, facecolor=drawings.tint(blue, 0.3), edgecolor=blue))
        drawings.text(axes, name, x, 1.3)
    drawings.arrow(axes, (0.7, 1.55), (1.5, 1.55), "a + r")
    drawings.arrow(axes, (2.7, 1.55), (3.5, 1.55), "b + r")
    drawings.text(axes, "b + r is away from a, and nearer to b itself", 1.9, 0.75)
    drawings.text(axes, "RotatE: half a turn, there and back", 5.5, 2.5, bold=True)
    axes.add_patch(Circle((5.5, 1.3), 0.8, fill=False, edgecolor="#777777"))
    for x, name in ((6.3, "a"), (4.7, "b")):
        axes.add_patch(Circle((x, 1.3), 0.16, facecolor=drawings.tint(orange, 0.3), edgecolor=orange))
        drawings.text(axes, name, x, 1.3)
    for start, end in (((6.25, 1.5), (4.75, 1.5)), ((4.75, 1.1), (6.25, 1.1))):
        axes.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "connectionstyle": "arc3,rad=0.45"})
    drawings.text(axes, "180° twice is no turn at all", 5.5, 0.2)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT, "solved.*": Tolerance(relative=0.05, absolute=20)})

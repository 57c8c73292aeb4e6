"""Can one vector put any two of four documents first? In the plane it cannot; with each angle taken twice, it can.

    uv run sprints/25_retrieval_augmented_generation/circle_by_hand.py
    uv run sprints/25_retrieval_augmented_generation/circle_by_hand.py --counts 10 1000

How the gap between the two right documents and the next one shrinks with their number, and which numbers (float32,
bfloat16) still hold it. Theory: notes/06_what_one_vector_cannot_rank.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from pydantic import Field
from torch import Tensor

from retrieval.one_vector import all_pairs, best_gap, gaps, query_of, turned_twice
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.run import run

KINDS = {"float64": torch.double, "float32": torch.float, "float16": torch.half, "bfloat16": torch.bfloat16}


@dataclass(frozen=True)
class Config(ScriptConfig):
    # numbers of documents on the circle
    counts: tuple[Annotated[int, Field(ge=4, le=600)], ...] = (5, 10, 20, 40, 100, 200, 400)


@dataclass(frozen=True)
class Results:
    """Scores of four documents by hand, the gap by number of documents, and what rounding leaves of it."""

    plane: list[float]
    four_numbers: list[float]
    query: list[float]
    gap: dict[str, float]
    bound: dict[str, float]
    right: dict[str, dict[str, float]]  # share of pairs that are first, by the numbers that vectors are kept in


def quarters(count: int) -> Tensor:
    """Return the angles of so many documents, equally far from each other."""
    return torch.arange(count, dtype=torch.double) * 2 * math.pi / count


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    angles = quarters(4)
    documents, query = turned_twice(angles), query_of(angles[:1], angles[2:3])
    plane = (
        torch.stack([angles.cos(), angles.sin()], 1) @ torch.tensor([math.cos(0.4), math.sin(0.4)]).double()
    ).tolist()
    print("scores in the plane of documents at 0°, 90°, 180°, 270°: " + ", ".join(f"{score:.2f}" for score in plane))
    scores = (query @ documents.mT)[0].tolist()
    print("with four numbers, query for 0° and 180°: " + ", ".join(f"{score:.2f}" for score in scores))
    gap: dict[str, float] = {}
    bound: dict[str, float] = {}
    right: dict[str, dict[str, float]] = {}
    for count in config.counts:
        angles, pairs, name = quarters(count), all_pairs(count), str(count)
        documents, queries = turned_twice(angles), query_of(*angles[pairs].T)
        gap[name], bound[name] = gaps(queries, documents, pairs).min().item(), best_gap(count)
        right[name] = {}
        for kind, dtype in KINDS.items():
            kept = [rows.to(dtype).double() for rows in (queries, documents)]  # rounded once, multiplied exactly
            right[name][kind] = (gaps(*kept, pairs) > 0).double().mean().item()
        shares = ", ".join(f"{kind} {share:.1%}" for kind, share in right[name].items())
        print(f"{count} documents: gap {gap[name]:.1e} (at most {bound[name]:.2f}); first: {shares}")
    return Results(plane, scores, query[0].tolist(), gap, bound, right)


def plot(results: Results) -> Figure:
    """Draw the square in the plane with a query that cannot have both corners, and the scores along the circle."""
    figure, axes = drawings.canvas(9.0, 3.7)
    middle, radius = (1.9, 1.7), 1.15
    axes.add_patch(Circle(middle, radius, fill=False, edgecolor="#bbbbbb"))
    drawings.text(axes, "two numbers: never 0° and 180° first", middle[0], 3.5, bold=True)
    for angle, score in zip((0, 90, 180, 270), results.plane, strict=True):
        x, y = (
            part + radius * turn(math.radians(angle)) for part, turn in zip(middle, (math.cos, math.sin), strict=True)
        )
        axes.plot(x, y, "o", color=COLOURS[1], markersize=9)
        outwards = 0.32
        drawings.text(
            axes, f"{angle}°\n{score:.2f}".replace("-", "−"), x + outwards * math.cos(math.radians(angle)) * 1.3,
            y + outwards * math.sin(math.radians(angle)),
        )  # fmt: skip
    tip = (middle[0] + 0.8 * radius * math.cos(0.4), middle[1] + 0.8 * radius * math.sin(0.4))
    axes.annotate("", tip, middle, arrowprops={"arrowstyle": "-|>", "color": drawings.QUERY, "linewidth": 2})
    drawings.text(axes, "query", middle[0] + 0.3, middle[1] + 0.42)
    left, width, low, height = 4.9, 3.7, 0.75, 2.2
    turn = torch.linspace(0, 2 * math.pi, 181, dtype=torch.double)
    heights = (turned_twice(turn) @ torch.tensor(results.query, dtype=torch.double)).tolist()
    drawings.text(axes, "four numbers: the query for 0° and 180°", left + width / 2, 3.5, bold=True)
    place = [
        (left + width * float(t) / (2 * math.pi), low + height * (score + 1) / 2)
        for t, score in zip(turn, heights, strict=True)
    ]
    axes.plot(*zip(*place, strict=True), color=drawings.QUERY, linewidth=2)
    for number, score in enumerate(results.four_numbers):
        x, y = left + width * number / 4, low + height * (score + 1) / 2
        axes.plot(x, y, "o", color=COLOURS[1], markersize=9)
        drawings.text(axes, f"{score:.2f}".replace("-", "−"), x + 0.3, y + (0.16 if score > 0 else -0.16))
        drawings.text(axes, f"{90 * number}°", x, low - 0.25)
    drawings.text(axes, "360°", left + width, low - 0.25)
    drawings.text(axes, "angle of a document", left + width / 2, low - 0.55)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

"""What happens to a dot product if both vectors are turned by their positions? It depends on the distance alone.

    uv run sprints/05_embeddings_and_positional_encoding/turn_a_pair.py
    uv run sprints/05_embeddings_and_positional_encoding/turn_a_pair.py --degrees 45 --places 0 0 7 7

A query and a key of two features, turned by hand. Theory: notes/06_turning_pairs.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from matplotlib.patches import Circle
from pydantic import Field

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat
from shared.lab.run import run

QUERY, KEY = [2.0, 0.0], [1.0, 1.0]
Place = Annotated[int, Field(ge=0, le=10_000)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    degrees: PositiveFloat = 30.0  # how far a pair turns from one position to the next
    places: tuple[Place, ...] = (3, 1, 5, 3, 1, 3)  # positions of query and key, of query and key, ...

    def check(self) -> None:
        if len(self.places) % 2:
            raise ValueError(f"a query and a key have a position each; got {len(self.places)} --places")


@dataclass(frozen=True)
class Panel:
    """A query and a key at two positions, turned, and their dot product."""

    query_place: int
    key_place: int
    query: list[float]
    key: list[float]
    score: float


@dataclass(frozen=True)
class Results:
    unturned: float
    panels: list[Panel]


def turn(vector: list[float], degrees: float) -> list[float]:
    """Return a pair of features turned counterclockwise."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    x, y = vector
    return [x * cosine - y * sine, x * sine + y * cosine]


def dot(left: list[float], right: list[float]) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


def main(config: Config) -> Results:
    panels = []
    for query_place, key_place in zip(config.places[::2], config.places[1::2], strict=True):
        query, key = turn(QUERY, query_place * config.degrees), turn(KEY, key_place * config.degrees)
        panels.append(Panel(query_place, key_place, query, key, dot(query, key)))
        print(f"query at {query_place}, key at {key_place}: dot product {panels[-1].score:.3f}")
    return Results(dot(QUERY, KEY), panels)


def plot(results: Results) -> Figure:
    """Draw each pair of turned vectors, with the dot product below."""
    width, unit = 3.2, 0.55
    figure, axes = drawings.canvas(width * len(results.panels), 3.6)
    for index, panel in enumerate(results.panels):
        origin = (width * (index + 0.5), 1.9)
        axes.add_patch(Circle(origin, 2 * unit, facecolor="none", edgecolor="#dddddd"))
        axes.add_patch(Circle(origin, math.sqrt(2) * unit, facecolor="none", edgecolor="#dddddd"))
        for name, vector, colour in (("query", panel.query, drawings.QUERY), ("key", panel.key, drawings.KEY)):
            tip = (origin[0] + unit * vector[0], origin[1] + unit * vector[1])
            axes.annotate("", tip, origin, arrowprops={"arrowstyle": "-|>", "color": colour, "linewidth": 2.2})
            out = 1 + 0.26 / (unit * math.hypot(*vector))
            x, y = origin[0] + out * (tip[0] - origin[0]), origin[1] + out * (tip[1] - origin[1])
            axes.text(x, y, name, color=colour, ha="center", va="center", fontsize=10)
        title = f"query at {panel.query_place}, key at {panel.key_place}"
        drawings.text(axes, title, origin[0], 3.42, bold=True)
        drawings.text(axes, f"dot product {panel.score:.3f}", origin[0], 0.32, size=10)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

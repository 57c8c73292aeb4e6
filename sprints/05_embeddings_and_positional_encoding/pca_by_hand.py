"""In which directions do points vary most? Principal components of four points in the plane.

    uv run sprints/05_embeddings_and_positional_encoding/pca_by_hand.py
    uv run sprints/05_embeddings_and_positional_encoding/pca_by_hand.py --degrees 26.57

The singular value decomposition of the centred points gives directions and shares of the variance, which can be checked
on paper. Theory: notes/07_pca.md
"""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from matplotlib.figure import Figure
from pydantic import Field

from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.run import run

POINTS = ((5.0, 4.0), (1.0, 2.0), (3.5, 2.0), (2.5, 4.0))


Angle = Annotated[float, Field(ge=0, le=360)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    degrees: Angle = 0.0  # a direction to try, counterclockwise from the first feature


@dataclass(frozen=True)
class Results:
    mean: list[float]
    # the rows of V^T, the first number not negative
    directions: list[list[float]]
    singular_values: list[float]
    variances: list[float]
    shares: list[float]
    # of each point along the first direction
    coordinates: list[float]
    # sum of the squared coordinates along the direction that was tried
    tried: float


def main(config: Config) -> Results:
    points = np.array(POINTS)
    centred = points - points.mean(axis=0)
    _, values, directions = np.linalg.svd(centred, full_matrices=False)
    directions *= np.sign(directions[:, :1])  # a direction and its opposite are equally good
    angle = np.radians(config.degrees)
    tried = float(((centred @ [np.cos(angle), np.sin(angle)]) ** 2).sum())
    print(f"direction at {config.degrees:g} degrees: squares {tried:.2f} of {(values**2).sum():.2f}")
    shares = values**2 / (values**2).sum()
    for direction, share in zip(directions, shares, strict=True):
        print(f"direction ({direction[0]:.3f}, {direction[1]:.3f}) has {share:.0%} of the variance")
    return Results(
        points.mean(axis=0).tolist(), directions.tolist(), values.tolist(), (values**2 / (len(points) - 1)).tolist(),
        shares.tolist(), (centred @ directions[0]).round(12).tolist(), tried,
    )  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw the points, both directions, and where each point falls on the first."""
    figure, axes = new_figure(6.4, 4.4)
    mean, colours = np.array(results.mean), (COLOURS[0], COLOURS[1])
    for index, (direction, share) in enumerate(zip(results.directions, results.shares, strict=True)):
        reach = np.array(direction) * (2.9, 1.5)[index]
        axes.plot(*np.stack([mean - reach, mean + reach]).T, color=colours[index], linewidth=1.5)
        axes.text(*(mean + 1.07 * reach), f"{share:.0%}", color=colours[index], fontsize=11, ha="center", va="center")
    for point, coordinate in zip(POINTS, results.coordinates, strict=True):
        foot = mean + coordinate * np.array(results.directions[0])
        axes.plot(*np.stack([np.array(point), foot]).T, color="#999999", linestyle=":")
        axes.plot(*foot, "o", color=COLOURS[0], markersize=5)
        axes.plot(*point, "o", color="black", markersize=8)
        axes.text(point[0] + 0.15, point[1] - 0.12, f"({point[0]:g}, {point[1]:g})", fontsize=10)
    axes.plot(*mean, "+", color="black", markersize=12)
    axes.set(xlabel="first feature", ylabel="second feature", aspect="equal", xlim=(0, 6.2), ylim=(1, 5.2))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

"""Which class mean is nearer? It depends on the units, until every column is standardised.

    uv run sprints/02_datasets_and_dataloaders/units_by_hand.py
    uv run sprints/02_datasets_and_dataloaders/units_by_hand.py --fruit 150 16

A new fruit is compared with the mean apple and the mean banana, in grams, in kilograms, and standardised.
Theory: notes/03_units.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from data_study.fruits import KINDS, ROWS, class_means, squared_distances
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFloat
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    fruit: tuple[PositiveFloat, PositiveFloat] = (135.0, 8.0)  # grams and centimetres of the new fruit


@dataclass(frozen=True)
class Panel:
    """All fruits in one system of units, both means, and how far the new fruit is from each (squared)."""

    fruits: list[list[float]]
    means: list[list[float]]
    new: list[float]
    distances: list[float]


@dataclass(frozen=True)
class Results:
    column_means: list[float]
    standard_deviations: list[float]
    panels: dict[str, Panel]


def main(config: Config) -> Results:
    table = torch.tensor(ROWS, dtype=torch.float64)
    features, labels = table[:, :2], table[:, 2].long()  # (fruits, 2), (fruits,)
    new = torch.tensor(config.fruit, dtype=torch.float64)
    mean, deviation = features.mean(dim=0), features.std(dim=0, correction=0)
    kilograms = torch.tensor([1000.0, 1.0], dtype=torch.float64)
    panels = {}
    for name, shift, scale in (
        ("grams, centimetres", torch.zeros(2), torch.ones(2)),
        ("kilograms, centimetres", torch.zeros(2), kilograms),
        ("standardised", mean, deviation),
    ):
        fruits, point = (features - shift) / scale, (new - shift) / scale
        means = class_means(fruits, labels, len(KINDS))
        distances = squared_distances(point, means)
        panels[name] = Panel(fruits.tolist(), means.tolist(), point.tolist(), distances.tolist())
        shown = ", ".join(f"{distance:.3g} to the mean {kind}" for kind, distance in zip(KINDS, distances, strict=True))
        print(f"{name:<24}{shown}: {KINDS[int(distances.argmin())]}")
    return Results(mean.tolist(), deviation.tolist(), panels)


def plot(results: Results) -> Figure:
    """Draw the fruits with equal units on both axes, both means, and lines from the new fruit to them."""
    figure, axes = new_figure(width=9.6, height=3.4, columns=2)
    panels = {name: panel for name, panel in results.panels.items() if name != "kilograms, centimetres"}
    for axis, (name, panel) in zip(axes, panels.items(), strict=True):
        for kind, colour, marker in ((0, COLOURS[3], "o"), (1, COLOURS[0], "s")):
            points = [point for point, row in zip(panel.fruits, ROWS, strict=True) if row[2] == kind]
            axis.plot(*zip(*points, strict=True), marker, color=colour, alpha=0.5, label=KINDS[kind])
            axis.plot(*panel.means[kind], marker, color=colour, markersize=12, label=f"mean {KINDS[kind]}")
            ends = zip(panel.new, panel.means[kind], strict=True)
            axis.plot(*ends, color=colour, linestyle="--" if kind == 0 else ":", linewidth=1.5)
        axis.plot(*panel.new, "k*", markersize=13, label="new fruit")
        nearest = KINDS[panel.distances.index(min(panel.distances))]
        axis.set_aspect("equal", adjustable="datalim")
        axis.set_title(f"{name}: nearest is the {nearest}", fontsize=10)
    axes[0].set(xlabel="weight in grams", ylabel="length in centimetres")
    axes[1].set(xlabel="weight, standardised", ylabel="length, standardised")
    axes[1].legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

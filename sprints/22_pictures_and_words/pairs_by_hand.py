"""Which caption belongs to which picture? InfoNCE and SigLIP's loss on four pairs, with every number.

    uv run sprints/22_pictures_and_words/pairs_by_hand.py
    uv run sprints/22_pictures_and_words/pairs_by_hand.py --scale 20

Each picture and each caption is a unit vector of two features. Theory: notes/04_which_caption.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seeing.contrastive import clip_loss, siglip_loss
from seeing.drawing import render
from seeing.scenes import Item, Scene
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat
from shared.lab.run import run

THINGS = (("red", "plate"), ("red", "bowl"), ("white", "bowl"), ("black", "knife"))
PICTURES = ((1.0, 0.0), (0.6, 0.8), (0.0, 1.0), (-1.0, 0.0))
TEXTS = ((1.0, 0.0), (0.8, 0.6), (0.0, 1.0), (-1.0, 0.0))
Table = list[list[float]]


@dataclass(frozen=True)
class Config(ScriptConfig):
    scale: PositiveFloat = 5.0  # what similarities are multiplied by: the inverse temperature
    bias: float = -3.0  # what SigLIP adds then


@dataclass(frozen=True)
class Results:
    """Tables have a row for each picture and a column for each caption."""

    similarities: Table
    logits: Table
    by_row: Table
    by_column: Table
    losses_of_pictures: list[float]
    losses_of_captions: list[float]
    info_nce: float
    gradient: Table
    siglip_logits: Table
    siglip_cells: Table
    siglip: float


def softmax(numbers: list[float]) -> list[float]:
    powers = [math.exp(number) for number in numbers]
    return [power / sum(powers) for power in powers]


def turned(table: Table) -> Table:
    return [list(column) for column in zip(*table, strict=True)]


def show(name: str, table: Table) -> None:
    print(name + "".join("\n    " + " ".join(f"{number:7.3f}" for number in row) for row in table))


def main(config: Config) -> Results:
    similarities = [[sum(a * b for a, b in zip(one, other, strict=True)) for other in TEXTS] for one in PICTURES]
    logits = [[config.scale * number for number in row] for row in similarities]
    show("similarities: a picture in each row, a caption in each column", similarities)

    by_row = [softmax(row) for row in logits]  # which caption, given the picture?
    by_column = turned([softmax(column) for column in turned(logits)])  # which picture, given the caption?
    own = range(len(THINGS))
    of_pictures = [-math.log(by_row[i][i]) for i in own]
    of_captions = [-math.log(by_column[i][i]) for i in own]
    info_nce = (sum(of_pictures) + sum(of_captions)) / (2 * len(THINGS))
    show("softmax of each row", by_row)
    show("softmax of each column", by_column)
    # Where a logit should go: down by its two probabilities, the diagonal up by what they lack of 1.
    gradient = [
        [(by_row[i][j] + by_column[i][j] - 2 * (i == j)) / (2 * len(THINGS)) for j in own] for i in own
    ]  # fmt: skip

    siglip_logits = [[number + config.bias for number in row] for row in logits]
    cells = [
        [math.log1p(math.exp(-number if i == j else number)) for j, number in enumerate(row)]
        for i, row in enumerate(siglip_logits)
    ]
    siglip = sum(map(sum, cells)) / len(THINGS)
    show("SigLIP: the loss of each cell", cells)

    pictures, texts = torch.tensor(PICTURES), torch.tensor(TEXTS)
    at_once = clip_loss(pictures, texts, config.scale), siglip_loss(pictures, texts, config.scale, config.bias)
    print(f"InfoNCE {info_nce:.4f}, in one call {at_once[0]:.4f}; SigLIP {siglip:.4f}, in one call {at_once[1]:.4f}")
    return Results(
        similarities, logits, by_row, by_column, of_pictures, of_captions, info_nce, gradient, siglip_logits, cells,
        siglip,
    )  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw similarities, and both softmaxes; each in the colour of what was asked."""
    figure, axes = drawings.canvas(8.9, 3.7)
    tables = (
        (0.8, "similarities", results.similarities, drawings.MIXED),
        (3.65, "which caption?", results.by_row, drawings.QUERY),
        (6.5, "which picture?", results.by_column, drawings.KEY),
    )
    for row, thing in enumerate(THINGS):
        draw_scene(axes, thing, 0.15, 2.9 - 0.55 * row)
        for x, *_ in tables:
            drawings.text(axes, thing[0], x + 0.55 * (row + 0.5), 3.24, size=7.5)
            drawings.text(axes, thing[1], x + 0.55 * (row + 0.5), 3.08, size=7.5)
    for x, title, table, colour in tables:
        shown = [[round(number, 2) for number in row] for row in table]
        strengths = [[0.08 + 0.6 * max(0.0, number) for number in row] for row in table]
        drawings.cells(axes, shown, x, 2.95, colour=colour, size=0.55, strengths=strengths)
        drawings.text(axes, title, x + 1.1, 3.52, bold=True)
    drawings.text(axes, "rows add up to 1", 4.75, 0.5)
    drawings.text(axes, "columns add up to 1", 7.6, 0.5)
    means = [sum(losses) / len(losses) for losses in (results.losses_of_pictures, results.losses_of_captions)]
    for x, mean in zip((4.75, 7.6), means, strict=True):
        drawings.text(axes, f"mean of -log of the diagonal: {mean:.3f}", x, 0.22)
    return figure


def draw_scene(axes: Axes, thing: tuple[str, str], x: float, y: float) -> None:
    """Draw the middle place of a table with one thing on it, 0.5 inches wide; y is its upper end."""
    place = render(Scene((Item(thing[1], thing[0], "large", 1, 1),)))[:, 16:32, 16:32]
    axes.imshow(place.permute(1, 2, 0).numpy(), extent=(x, x + 0.5, y - 0.5, y), interpolation="nearest")


if __name__ == "__main__":
    run(main, Config, plot=plot)

"""What does a data set have to be able to do, and how does a loader make batches of it?

    uv run sprints/02_datasets_and_dataloaders/first_dataset.py
    uv run sprints/02_datasets_and_dataloaders/first_dataset.py --batch-size 4 --seed 1

Seven fruits are drawn in a random order, cut into batches and stacked. Theory: notes/01_your_first_dataset.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch.utils.data import DataLoader

from data_study.fruits import KINDS, ROWS, Fruits
from shared.lab import drawings
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    batch_size: PositiveInt = 3  # fruits of a batch


@dataclass(frozen=True)
class Results:
    batches: list[list[int]]
    features: list[list[list[float]]]
    labels: list[list[int]]


def main(config: Config) -> Results:
    data = Fruits()
    print(f"{len(data)} fruits; number 2 is {data[2]}")

    def loader(collate_fn=None) -> DataLoader:
        generator = torch.Generator().manual_seed(config.seed)
        return DataLoader(data, config.batch_size, shuffle=True, generator=generator, collate_fn=collate_fn)

    features, labels = [], []
    for fruits, kinds in loader():  # (batch, 2), (batch,)
        print(f"features {tuple(fruits.shape)}: {fruits.tolist()}, labels: {kinds.tolist()}")
        features.append(fruits.tolist())
        labels.append(kinds.tolist())
    # The same order once more, to see which fruits they were: a collate function may return anything.
    numbers = {(grams, centimetres): index for index, (grams, centimetres, _) in enumerate(ROWS)}
    batches = loader(lambda items: [numbers[fruit[0].item(), fruit[1].item()] for fruit, _ in items])
    return Results(list(batches), features, labels)


def plot(results: Results) -> Figure:
    """Draw the way from the items to the batches: items, order, lists of indices, stacked tensors."""
    figure, axes = drawings.canvas(9.4, 4.1)
    kind_colours, size = (COLOURS[3], COLOURS[6]), 0.4
    top = 3.35
    for index, (grams, centimetres, kind) in enumerate(ROWS):
        y = top - index * size
        colour = kind_colours[kind]
        drawings.cells(axes, [[grams, centimetres]], 0.6, y, size=size, colour=colour, row_names=[str(index)])
        drawings.text(axes, KINDS[kind], 1.48, y - size / 2, align="left")
    drawings.text(axes, "data set: an index,\nfeatures and a label", 1.05, top + 0.35, bold=True)
    drawings.arrow(axes, (2.15, 2.0), (2.85, 2.0))
    drawings.text(axes, "sampler", 2.5, 2.2)
    y, spots = top, []
    for indices in results.batches:
        drawings.cells(axes, [[index] for index in indices], 3.1, y, size=size)
        spots.append(y - len(indices) * size / 2)
        y -= len(indices) * size + 0.25
    drawings.text(axes, "indices in a random order,\ncut into batches", 3.35, top + 0.4, bold=True)
    for spot, indices, features, labels in zip(spots, results.batches, results.features, results.labels, strict=True):
        high = spot + len(indices) * size / 2
        drawings.arrow(axes, (3.65, spot), (5.3, spot))
        for row, (fruit, kind) in enumerate(zip(features, labels, strict=True)):
            drawings.cells(axes, [fruit], 5.6, high - row * size, size=size, colour=kind_colours[kind])
            drawings.cells(axes, [[kind]], 7.6, high - row * size, size=size, colour=kind_colours[kind])
    drawings.text(axes, "data[index]\nand collate", 4.4, spots[0] + 0.35)
    drawings.text(axes, "features\n(batch, 2)", 6.0, top + 0.35, bold=True)
    drawings.text(axes, "labels\n(batch,)", 7.8, top + 0.35, bold=True)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})

"""How does a buffer of three items shuffle a stream that it cannot see the end of?

    uv run sprints/02_datasets_and_dataloaders/one_buffer.py
    uv run sprints/02_datasets_and_dataloaders/one_buffer.py --size 1

A stream of nine items, a to i; each step is drawn. Theory: notes/07_streams.md
"""

from dataclasses import dataclass
from itertools import islice
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from shared.lab import drawings
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

Letters = Annotated[int, Field(ge=1, le=26)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    items: Letters = 9  # items of the stream
    size: PositiveInt = 3  # items that the buffer holds


@dataclass(frozen=True)
class Results:
    buffers: list[list[str]]
    drawn: list[int]
    coming: list[str | None]
    order: list[str]


def main(config: Config) -> Results:
    stream = iter("abcdefghijklmnopqrstuvwxyz"[: config.items])
    generator = torch.Generator().manual_seed(config.seed)
    buffer = list(islice(stream, config.size))
    results = Results([], [], [], [])
    while buffer:
        place = int(torch.randint(len(buffer), (), generator=generator))
        results.buffers.append(list(buffer))
        results.drawn.append(place)
        results.order.append(buffer[place])
        following = next(stream, None)
        results.coming.append(following)
        if following is None:
            del buffer[place]  # nothing takes its place: the buffer empties
        else:
            buffer[place] = following
    print("in: ", "".join(sorted(results.order)))
    print("out:", "".join(results.order))
    return results


def plot(results: Results) -> Figure:
    """Draw the buffer at each step, the item that leaves it in orange, and the one that takes its place."""
    size, column = 0.38, 0.95
    tallest = len(results.buffers[0])
    figure, axes = drawings.canvas(len(results.order) * column + 1.5, tallest * size + 2.0)
    top = tallest * size + 0.95
    for words, y in (("comes", top + 0.55), ("buffer", top - tallest * size / 2), ("leaves", 0.35)):
        drawings.text(axes, words, 1.0, y, bold=True, align="right")
    for step, (buffer, drawn) in enumerate(zip(results.buffers, results.drawn, strict=True)):
        x = 1.35 + step * column
        if (following := results.coming[step]) is not None:
            drawings.cells(axes, [[following]], x, top + 0.55 + size / 2, size=size, colour=drawings.VALUE)
        for place, item in enumerate(buffer):
            colour, strength = (drawings.KEY, 0.7) if place == drawn else (drawings.QUERY, 0.2)
            drawings.cells(axes, [[item]], x, top - place * size, size=size, colour=colour, strengths=[[strength]])
        drawings.cells(axes, [[buffer[drawn]]], x, 0.35 + size / 2, size=size, colour=drawings.KEY, strengths=[[0.7]])
        drawings.arrow(axes, (x + size / 2, top - len(buffer) * size - 0.02), (x + size / 2, 0.35 + size / 2 + 0.03))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})

"""How do processes add up their buffers when each talks to its neighbours only? Every step of a ring, with its numbers.

    uv run sprints/24_distributed_training/ring_by_hand.py
    uv run sprints/24_distributed_training/ring_by_hand.py --processes 4 --numbers 6

Real processes send real messages; each notes what it holds before every step. Theory: notes/02_a_ring.md
"""

import cmath
import math
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from pydantic import Field
from torch import Tensor, distributed

from parallel_study.collectives import Talk, ring_all_reduce
from parallel_study.processes import on_processes
from shared.lab import drawings
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    processes: Annotated[int, Field(ge=2, le=5)] = 3  # process r has the numbers 10**r, 2 * 10**r, 3 * 10**r, ...
    numbers: Annotated[int, Field(ge=1, le=9)] = 3  # in the buffer of each


@dataclass(frozen=True)
class Results:
    states: list[list[list[int]]]  # before each step and at the end, of each process: its buffer
    pieces: list[int]  # numbers in each piece
    sent: list[int]  # numbers that each process sent


class Watched(Talk):
    """Notes what the buffer holds before every exchange."""

    def __init__(self, buffer: Tensor) -> None:
        super().__init__()
        self.buffer = buffer
        self.states: list[list[int]] = []

    def exchange(self, to: int, given: Tensor, source: int, place: Tensor) -> None:
        self.states.append(self.buffer.int().tolist())
        super().exchange(to, given, source, place)


def watched_ring(numbers: int) -> tuple[list[list[int]], int]:
    """Return what the buffer of this process held before each step and at the end, and how many numbers it sent."""
    buffer = torch.arange(1.0, numbers + 1) * 10 ** distributed.get_rank()
    talk = Watched(buffer)
    ring_all_reduce(buffer, talk)
    return [*talk.states, buffer.int().tolist()], talk.sent // buffer.itemsize


def main(config: Config) -> Results:
    returned = on_processes(config.processes, watched_ring, config.numbers)
    states = [list(step) for step in zip(*(states for states, _ in returned), strict=True)]
    pieces = [len(piece) for piece in torch.empty(config.numbers).tensor_split(config.processes)]
    for number, state in enumerate(states):
        print("at the end   " if number == len(states) - 1 else f"before step {number + 1}", *state)
    sent = [sent for _, sent in returned]
    print(f"numbers sent by each process: {sent}; all of them but the one at the end, through one: {config.numbers}")
    return Results(states, pieces, sent)


def draw_state(axes: Axes, results: Results, number: int, x: float, top: float, width: float) -> None:
    """Draw what all processes hold, and what each is about to send to the one below; the last sends to the first."""
    size, steps = len(results.pieces), len(results.states) - 1
    title = "at the end" if number == steps else f"step {number + 1}: {'add' if number < size - 1 else 'copy'}"
    drawings.text(axes, title, x + width / 2, top + 0.42, bold=True)
    whole = [sum(column) for column in zip(*results.states[0], strict=True)]
    cell = width / sum(results.pieces)
    starts = [sum(results.pieces[:piece]) for piece in range(size)]
    for rank, buffer in enumerate(results.states[number]):
        y = top - rank * 0.75
        drawings.text(axes, f"{rank}", x - 0.12, y - 0.2, align="right")
        for piece, start in enumerate(starts):
            for place in range(start, start + results.pieces[piece]):
                strength = 0.75 if buffer[place] == whole[place] else 0.22
                draw_cell(
                    axes, str(buffer[place]), x + place * cell, y, cell, COLOURS[(0, 3, 2, 4, 5)[piece]], strength
                )
        if number < steps:
            given = (rank - number) % size if number < size - 1 else (rank + 1 - (number - size + 1)) % size
            middle = x + (starts[given] + results.pieces[given] / 2) * cell
            if results.pieces[given]:
                drawings.arrow(axes, (middle, y - 0.4), (middle, y - 0.75 if rank < size - 1 else y - 0.66))
            if rank == size - 1 and results.pieces[given]:
                drawings.arrow(axes, (middle, top + 0.28), (middle, top))


def draw_cell(axes: Axes, words: str, x: float, y: float, width: float, colour: str, strength: float) -> None:
    """Draw a cell that is wider than high."""
    face = drawings.tint(colour, strength)
    axes.add_patch(Rectangle((x, y - 0.4), width, 0.4, facecolor=face, edgecolor="white", linewidth=1.5))
    drawings.text(axes, words, x + width / 2, y - 0.2, white=strength > 0.7)


def draw_ring(axes: Axes, size: int, x: float, y: float, radius: float) -> None:
    """Draw the processes in a circle, each with an arrow to the next one."""
    for rank in range(size):
        here, there = (
            cmath.rect(radius, math.pi / 2 - 2 * math.pi * number / size) + complex(x, y) for number in (rank, rank + 1)
        )
        axes.add_patch(Circle((here.real, here.imag), 0.17, facecolor=drawings.tint(drawings.TOKEN, 0.25)))
        drawings.text(axes, str(rank), here.real, here.imag)
        gap = (there - here) / abs(there - here) * 0.22
        start, end = here + gap, there - gap
        drawings.arrow(axes, (start.real, start.imag), (end.real, end.imag))


def plot(results: Results) -> Figure:
    """Draw all states, the adding steps above and the copying ones below; whole pieces are dark."""
    size, width = len(results.pieces), max(1.65, 0.55 * sum(results.pieces))
    height = size * 0.75 + 0.85
    figure, axes = drawings.canvas(size * (width + 0.65), 2 * height)
    for number in range(len(results.states)):
        row, column = (0, number) if number < size - 1 else (1, number - size + 1)
        draw_state(axes, results, number, 0.4 + column * (width + 0.65), (2 - row) * height - 0.5, width)
    draw_ring(axes, size, 0.4 + (size - 1) * (width + 0.65) + width / 2, 1.5 * height + 0.1, 0.7)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})

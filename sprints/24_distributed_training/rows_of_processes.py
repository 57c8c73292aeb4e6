"""Which process reads which row, and what if there are three where there were two? Every row, with its number.

    uv run sprints/24_distributed_training/rows_of_processes.py
    uv run sprints/24_distributed_training/rows_of_processes.py --before 2 --after 6

Two processes do two steps and save; three go on. In one way all read one stream of batches and keep their rows; in the
other each has a part of the data, and a position in it, of its own. Theory: notes/09_the_main_job_on_two.md
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.drawings import canvas, text, tint
from shared.lab.figures import COLOURS
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.text.batches import Batch
from shared.training.parallel import RankBatches, Ranks

STEPS = 2  # before the checkpoint, and after it


@dataclass(frozen=True)
class Config(ScriptConfig):
    batch_size: PositiveInt = 6  # rows of a batch, of all processes together
    before: PositiveInt = 2  # processes until the checkpoint
    after: PositiveInt = 3  # processes from then on

    def check(self) -> None:
        if self.batch_size % self.before or self.batch_size % self.after:
            raise ValueError(
                f"--before and --after must divide --batch-size {self.batch_size}; got {self.before} and {self.after}"
            )


@dataclass(frozen=True)
class Results:
    one_stream: list[list[list[int]]]  # by step and process: the rows
    own_parts: list[list[list[int]]]
    seen_twice: dict[str, list[int]]
    left_out: dict[str, list[int]]


class Numbers(Iterator[Batch]):
    """Batches whose rows hold their own number."""

    def __init__(self, batch_size: int) -> None:
        self.batch_size, self.position = batch_size, 0

    def __next__(self) -> Batch:
        self.position += self.batch_size
        return Batch(torch.arange(self.position - self.batch_size, self.position)[:, None], None)

    def state_dict(self) -> dict[str, int]:
        """Return how many rows have been read."""
        return {"position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on from there."""
        self.position = state["position"]


def one_stream(config: Config) -> list[list[list[int]]]:
    """Return the rows by step and process: everybody reads the whole batch and keeps every size-th row."""
    rows, state = [], {"position": 0}
    for size in (config.before, config.after):
        streams = [RankBatches(Numbers(config.batch_size), Ranks(rank, size)) for rank in range(size)]
        for stream in streams:
            stream.load_state_dict(state)
        rows += [[next(stream)[0][:, 0].tolist() for stream in streams] for _ in range(STEPS)]
        state = streams[0].state_dict()
    return rows


def own_parts(config: Config) -> list[list[list[int]]]:
    """Return the same where process r has rows r, r + size, ... and saves how many of them it has read."""
    rows, positions = [], [0] * config.before
    for size in (config.before, config.after):
        positions = [*positions, *[0] * size][:size]  # a process that is new has saved nothing
        share = config.batch_size // size
        for _ in range(STEPS):
            rows.append([[rank + size * (positions[rank] + place) for place in range(share)] for rank in range(size)])
            positions = [position + share for position in positions]
    return rows


def main(config: Config) -> Results:
    ways = {"one stream": one_stream(config), "own parts": own_parts(config)}
    expected = range(2 * STEPS * config.batch_size)
    counts = {way: Counter(row for step in rows for share in step for row in share) for way, rows in ways.items()}
    twice = {way: sorted(row for row, times in count.items() if times > 1) for way, count in counts.items()}
    left_out = {way: [row for row in expected if row not in count] for way, count in counts.items()}
    for way, rows in ways.items():
        for step, shares in enumerate(rows, 1):
            print(f"{way}, step {step}: {' | '.join(', '.join(map(str, share)) for share in shares)}")
        print(f"{way}: seen twice {twice[way]}, left out {left_out[way]}")
    return Results(ways["one stream"], ways["own parts"], twice, left_out)


def plot(results: Results) -> Figure:
    """Draw a line of cells for each step and way: the number of the row, in the colour of its process."""
    longest = max(sum(map(len, step)) for step in results.own_parts)
    size = min(0.5, 3.3 / longest)
    figure, axes = canvas(7.6, 3.6)
    for way, x, rows in (("one stream", 0.9, results.one_stream), ("own parts", 4.3, results.own_parts)):
        twice = set(results.seen_twice[way])
        text(axes, way, x, 3.35, align="left", bold=True)
        for step, shares in enumerate(rows):
            y = 2.7 - 0.6 * step - (0.35 if step >= STEPS else 0)
            if x < 1:
                text(axes, f"step {step + 1}", 0.1, y + 0.2, align="left")
            for place, (number, rank) in enumerate((row, rank) for rank, share in enumerate(shares) for row in share):
                face = tint(COLOURS[rank], 0.35)
                edge = "black" if number in twice else "white"
                corner = (x + place * (size + 0.02), y)
                axes.add_patch(cell(corner, size, face, edge))
                text(axes, str(number), corner[0] + size / 2, y + 0.22)
    text(axes, "the checkpoint: two processes before it, three after it", 0.1, 1.72, align="left")
    for rank in range(max(map(len, results.own_parts))):
        text(axes, f"process {rank}", 1.2 + rank * 1.1, 0.15)
        axes.add_patch(cell((0.6 + rank * 1.1, 0.05), 0.2, tint(COLOURS[rank], 0.35), "white"))
    if results.seen_twice["own parts"]:
        text(axes, "framed: seen twice", 7.4, 0.15, align="right")
    return figure


def cell(corner: tuple[float, float], width: float, face: tuple[float, float, float], edge: str) -> Rectangle:
    """Return a cell of a drawing."""
    return Rectangle(corner, width, min(width, 0.42), facecolor=face, edgecolor=edge, linewidth=1.2)


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})

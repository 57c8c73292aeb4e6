"""What does each process send when N of them add up a buffer? Our ring, all through one process, and PyTorch's gloo.

    uv run sprints/24_distributed_training/ring_traffic.py
    uv run sprints/24_distributed_training/ring_traffic.py --sizes 2 3 4 5 6 8 --numbers 12345

The ways through one and by our ring count what they hand over; on Linux the system's own count stands beside it, which
also knows what PyTorch writes. Theory: notes/02_a_ring.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import distributed

from parallel_study.checks import fingerprint
from parallel_study.collectives import Talk, all_reduce_through_one, ring_all_reduce, written
from parallel_study.processes import on_processes
from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    sizes: tuple[Annotated[int, Field(ge=2, le=8)], ...] = (2, 3, 4, 5)  # processes of each group
    numbers: PositiveInt = 1_000_003  # in float32; a prime, so that nobody can share them out evenly


@dataclass(frozen=True)
class Way:
    """Bytes that each process sends and receives."""

    sent: list[int] | None  # as handed over; of PyTorch's nobody knows
    received: list[int] | None
    written: list[int] | None  # as the system counts
    largest_difference: float  # from the sum in float64, in parts of the largest number
    same_everywhere: bool  # bit for bit


@dataclass(frozen=True)
class Results:
    buffer: int  # bytes
    formula: dict[str, float]  # 2 (N - 1) / N, by the number of processes
    groups: dict[str, dict[str, Way]]  # by the number of processes and the way


def filled(numbers: int, rank: int, seed: int) -> torch.Tensor:
    """Return the buffer of a process."""
    return torch.randn(numbers, generator=torch.Generator().manual_seed(seed + rank))


def one_group(numbers: int, seed: int) -> dict[str, tuple[int, int, int | None, float, str]]:
    """Add up in each way; return bytes sent, received and written, the error, and a digest of the sum."""
    rank, size = distributed.get_rank(), distributed.get_world_size()
    expected = torch.zeros(numbers, dtype=torch.float64)
    for other in range(size):
        expected += filled(numbers, other, seed)
    found = {}
    for name, reduce in (
        ("ring", ring_all_reduce),
        ("through one", all_reduce_through_one),
        ("PyTorch", distributed.all_reduce),
    ):
        reduce(torch.ones(1))  # who has not talked yet, makes a connection now
        buffer, talks = filled(numbers, rank, seed), []
        distributed.barrier()
        bytes_written = written(lambda talks=talks, buffer=buffer, reduce=reduce: talks.append(reduce(buffer)))
        distributed.barrier()
        sent, received = (talks[0].sent, talks[0].received) if isinstance(talks[0], Talk) else (0, 0)
        error = ((buffer - expected).abs().max() / expected.abs().max()).item()
        found[name] = sent, received, bytes_written, error, fingerprint(buffer)
    return found


def main(config: Config) -> Results:
    groups: dict[str, dict[str, Way]] = {}
    buffer = 4 * config.numbers
    for size in config.sizes:
        returned = on_processes(size, one_group, config.numbers, config.seed)
        groups[str(size)] = {}
        for way in returned[0]:
            sent, received, written_, errors, sums = zip(*(found[way] for found in returned), strict=True)
            counted = way != "PyTorch"
            groups[str(size)][way] = Way(
                list(sent) if counted else None, list(received) if counted else None,
                None if None in written_ else list(written_), max(errors), len(set(sums)) == 1,
            )  # fmt: skip
            most = max(sent) if counted else max(one or 0 for one in written_)
            print(f"{size} processes, {way:<12} most sent by one: {most / buffer:.3f} buffers, error {max(errors):.1e}")
    return Results(buffer, {str(size): 2 * (size - 1) / size for size in config.sizes}, groups)


def plot(results: Results) -> Figure:
    """Draw what the busiest process sends and receives, by the number of processes."""
    figure, axes = new_figure(7, 3.6)
    sizes = [int(size) for size in results.groups]
    for way, colour in (("through one", COLOURS[3]), ("ring", COLOURS[0])):
        heights = []
        for group in results.groups.values():
            both = zip(group[way].sent or [], group[way].received or [], strict=True)
            heights.append(max(sent + received for sent, received in both) / results.buffer)
        axes.plot(sizes, heights, "o", color=colour)
        axes.text(sizes[-1] + 0.08, heights[-1], way, color=colour, va="center")
    line = torch.linspace(min(sizes), max(sizes), 50)
    axes.plot(line, 2 * (line - 1), color=COLOURS[3], linewidth=1)
    axes.plot(line, 4 * (line - 1) / line, color=COLOURS[0], linewidth=1)
    axes.set(
        xlabel="processes N", ylabel="sent and received by the\nbusiest process, in buffers", xticks=sizes,
        xlim=(min(sizes) - 0.2, max(sizes) + 0.8), ylim=(0, 2.15 * (max(sizes) - 1)),
    )  # fmt: skip
    return figure


if __name__ == "__main__":
    tolerance = {"*": EXACT, "*.written.*": Tolerance(relative=0.01), "*difference": Tolerance(absolute=1e-6)}
    run(main, Config, plot=plot, tolerance=tolerance)

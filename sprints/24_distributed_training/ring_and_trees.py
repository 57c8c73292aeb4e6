"""Why no ring around a thousand processes? What a reduction takes in a ring and in trees: messages, and bytes.

    uv run sprints/24_distributed_training/ring_and_trees.py
    uv run sprints/24_distributed_training/ring_and_trees.py --megabytes 1

Theory: notes/12_how_fast.md
"""

from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure

from parallel_study.alpha_beta import Link, ring_seconds, tree_seconds
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, Different, PositiveFloat
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    processes: Annotated[tuple[AtLeastTwo, ...], Different] = (2, 8, 64, 256, 1024)  # that reduce
    megabytes: PositiveFloat = 25.0  # of the buffer
    latency: PositiveFloat = 20.0  # microseconds of a message
    gigabytes_a_second: PositiveFloat = 10.0  # of a link


@dataclass(frozen=True)
class Reduction:
    """Milliseconds of a reduction: of latency and of bytes in a ring, and in two trees."""

    ring_latency: float
    ring_bytes: float
    trees_latency: float
    trees_bytes: float


@dataclass(frozen=True)
class Results:
    reductions: dict[str, Reduction]  # by the number of processes


def main(config: Config) -> Results:
    link, size = Link(config.latency / 1e6, config.gigabytes_a_second * 1e9), config.megabytes * 1e6
    found = {}
    for count in config.processes:
        parts = []
        for seconds in (ring_seconds, tree_seconds):
            latency = seconds(0, count, link)
            parts += [1e3 * latency, 1e3 * (seconds(size, count, link) - latency)]
        found[str(count)] = Reduction(*parts)
        print(
            f"{count:>5} processes: ring {parts[0]:.2f} + {parts[1]:.2f} ms, trees {parts[2]:.2f} + {parts[3]:.2f} ms"
        )
    return Results(found)


def plot(results: Results) -> Figure:
    """Draw for each number of processes the ring and the trees, each in latency and bytes."""
    figure, axes = new_figure(7.0, 3.2)
    most = 0.0
    for place, found in enumerate(results.reductions.values()):
        ways = ((found.ring_latency, found.ring_bytes, "ring"), (found.trees_latency, found.trees_bytes, "trees"))
        for shift, (latency, transfer, words) in zip((-0.2, 0.2), ways, strict=True):
            axes.bar(place + shift, transfer, 0.36, color=COLOURS[0], alpha=0.7)
            axes.bar(place + shift, latency, 0.36, bottom=transfer, color=COLOURS[1], alpha=0.8)
            axes.text(place + shift, transfer + latency + 0.5, words, ha="center", fontsize=8)
            most = max(most, transfer + latency)
    last = len(results.reductions) - 1
    ring = results.reductions[list(results.reductions)[-1]]
    middle = ring.ring_bytes + ring.ring_latency / 2
    for y, words in ((middle, "latency"), (ring.ring_bytes / 2, "bytes")):
        axes.text(last - 0.2, y, words, ha="center", va="center", fontsize=8)
    axes.set_xticks(range(last + 1), [f"{int(count):,}" for count in results.reductions])
    axes.set(xlabel="processes", ylabel="ms of a reduction", ylim=(0, 1.12 * most))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

"""When is the last gradient averaged? Four layers, computed last first, sent one by one, in two buckets, and at once.

    uv run sprints/24_distributed_training/overlap_by_hand.py
    uv run sprints/24_distributed_training/overlap_by_hand.py --start 0.2

A bucket may be sent when its last gradient is computed and the bucket before it has arrived; a message takes a moment
to start, and time for what is in it. Theory: notes/03_buckets.md
"""

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from shared.lab import drawings
from shared.lab.compare import ROUNDING
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import AtLeastTwo, NonNegativeFloat, PositiveFloat
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    layers: AtLeastTwo = 4  # whose gradients are computed one after the other
    compute: PositiveFloat = 2.0  # milliseconds of the backward pass in a layer
    start: NonNegativeFloat = 2.0  # milliseconds that a message takes, however small it is
    send: PositiveFloat = 1.0  # milliseconds more for the gradients of a layer


@dataclass(frozen=True)
class Results:
    computed: list[float]  # when the gradients of each layer are there, the last layer first
    sent: dict[str, list[tuple[float, float]]]  # when each bucket starts and ends, by the way
    layers_of: dict[str, list[int]]  # layers in each bucket
    end: dict[str, float]


def schedule(layers_of: Sequence[int], config: Config) -> list[tuple[float, float]]:
    """Return when each bucket starts and ends."""
    times: list[tuple[float, float]] = []
    layers, free = 0, 0.0
    for count in layers_of:
        layers += count
        start = max(free, layers * config.compute)
        free = start + config.start + count * config.send
        times.append((start, free))
    return times


def main(config: Config) -> Results:
    half = config.layers // 2
    layers_of = {
        "one by one": [1] * config.layers,
        "two buckets": [config.layers - half, half],
        "all at the end": [config.layers],
    }
    sent = {name: schedule(counts, config) for name, counts in layers_of.items()}
    computed = [config.compute * (layer + 1) for layer in range(config.layers)]
    for name, times in sent.items():
        shown = ", ".join(f"{start:g} to {end:g}" for start, end in times)
        print(f"{name:<16}ends at {times[-1][1]:g} ms: {shown}")
    return Results(computed, sent, layers_of, {name: times[-1][1] for name, times in sent.items()})


def bar(axes: Axes, start: float, end: float, y: float, scale: float, colour: str, words: str) -> None:
    """Draw a stretch of time with words in it."""
    corner, width = (1.25 + start * scale, y), (end - start) * scale
    axes.add_patch(Rectangle(corner, width, 0.34, facecolor=drawings.tint(colour, 0.35), edgecolor="white"))
    drawings.text(axes, words, corner[0] + width / 2, y + 0.17)


def plot(results: Results) -> Figure:
    """Draw a line of time for each way: above what is computed, below what is sent."""
    figure, axes = drawings.canvas(7.6, 3.6)
    scale, layers = 5.5 / max(results.end.values()), len(results.computed)
    for row, (name, times) in enumerate(results.sent.items()):
        y = 2.75 - row * 1.15
        drawings.text(axes, name, 0.05, y + 0.17, align="left", bold=True)
        begun, layer = 0.0, layers
        for place, moment in enumerate(results.computed):
            bar(axes, begun, moment, y + 0.2, scale, drawings.TOKEN, f"layer {layers - place}")
            begun = moment
        for (start, end), count in zip(times, results.layers_of[name], strict=True):
            names = [str(layer - place) for place in range(count)]
            bar(axes, start, end, y - 0.2, scale, COLOURS[0], ", ".join(names))
            layer -= count
        drawings.text(axes, f"{times[-1][1]:g} ms", 1.3 + times[-1][1] * scale, y - 0.03, align="left", bold=True)
    drawings.text(axes, "computed", 1.25, 3.48, align="left")
    drawings.text(axes, "sent", 2.2, 3.48, align="left")
    axes.add_patch(Rectangle((1.1, 3.41), 0.12, 0.14, facecolor=drawings.tint(drawings.TOKEN, 0.35)))
    axes.add_patch(Rectangle((2.05, 3.41), 0.12, 0.14, facecolor=drawings.tint(COLOURS[0], 0.35)))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": ROUNDING})

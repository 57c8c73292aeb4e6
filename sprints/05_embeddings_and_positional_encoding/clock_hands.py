"""How can a vector say where a word stands? By clock hands: each pair of features is a hand, each slower than the last.

    uv run sprints/05_embeddings_and_positional_encoding/clock_hands.py
    uv run sprints/05_embeddings_and_positional_encoding/clock_hands.py --positions 100 101 102

The numbers under a clock are the pair of features: how far right and how far up the tip of the hand is.
Theory: notes/05_positions_as_clock_hands.md
"""

from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from matplotlib.patches import Circle
from pydantic import Field

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import Even
from shared.lab.run import run
from shared.nn.positions import sinusoidal_positions

Position = Annotated[int, Field(ge=0, le=9999)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    positions: tuple[Position, ...] = (0, 1, 2, 3, 6, 16, 63)  # positions to show
    d_model: Even = 8  # features of a position, two for each hand


@dataclass(frozen=True)
class Results:
    positions: list[int]
    # positions for a whole turn of each hand
    periods: list[float]
    encodings: list[list[float]]


def main(config: Config) -> Results:
    table = sinusoidal_positions(max(config.positions) + 1, config.d_model)
    encodings = [table[position].tolist() for position in config.positions]
    periods = [2 * 3.141592653589793 * 10_000 ** (2 * hand / config.d_model) for hand in range(config.d_model // 2)]
    for position, encoding in zip(config.positions, encodings, strict=True):
        print(f"{position:4d} ", " ".join(f"{number:6.3f}" for number in encoding))
    return Results(list(config.positions), periods, encodings)


def plot(results: Results) -> Figure:
    """Draw a clock for each pair of features and each position."""
    width, height = 1.12, 1.32
    figure, axes = drawings.canvas(1.75 + width * len(results.positions), 0.45 + height * len(results.periods))
    top = 0.1 + height * len(results.periods)
    for column, (position, encoding) in enumerate(zip(results.positions, results.encodings, strict=True)):
        x = 2.25 + width * column
        drawings.text(axes, f"position {position}", x, top + 0.18, bold=True)
        for hand in range(len(results.periods)):
            y = top - 0.55 - height * hand
            axes.add_patch(Circle((x, y), 0.42, facecolor="#f4f4f4", edgecolor="#777777"))
            right, up = encoding[2 * hand : 2 * hand + 2]
            tip = (x + 0.42 * right, y + 0.42 * up)
            axes.annotate("", tip, (x, y), arrowprops={"arrowstyle": "-|>", "color": COLOURS[hand % 6], "linewidth": 2})
            drawings.text(axes, f"{right:.2f}, {up:.2f}", x, y - 0.55, size=8.5)
    for hand, period in enumerate(results.periods):
        y = top - 0.55 - height * hand
        drawings.text(axes, f"features {2 * hand} and {2 * hand + 1}", 0.05, y + 0.1, align="left")
        turn = f"{period:.1f}" if period < 100 else f"{period:,.0f}"
        drawings.text(axes, f"a turn in {turn}", 0.05, y - 0.12, align="left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

"""What does each scaling do to the clocks of rotary positions? Four planes, every speed of them.

    uv run sprints/19_transformer_variants/clocks_by_hand.py
    uv run sprints/19_transformer_variants/clocks_by_hand.py --longest 512

A head of 8 features has four planes that turn by 1, 0.1, 0.01 and 0.001 radians a position. Trained on 64 positions,
the slow ones have seen a part of a turn only. Theory: notes/17_slower_clocks.md
"""

import math
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.patches import Circle, Wedge

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn.rotary import Llama3Scaling
from shared.nn.rotary_scaling import BaseScaling, LinearScaling, RotaryScaling, YarnScaling, rotary_speeds

HEAD_DIM = 8


@dataclass(frozen=True)
class Config(ScriptConfig):
    context: PositiveInt = 64  # positions of the trained texts
    longest: PositiveInt = 256  # positions of the text to be read

    def check(self) -> None:
        if self.longest < self.context:
            raise ValueError(
                f"a text beyond the trained ones is longer; got --longest {self.longest} and --context {self.context}"
            )


@dataclass(frozen=True)
class Results:
    """Speeds in radians a position by scaling; `turns` of each plane within the context; YaRN's shares of slowing."""

    context: int
    longest: int
    turns: list[float]
    speeds: dict[str, list[float]]
    slowed: list[float]
    larger_theta: float
    attention_factor: float


def main(config: Config) -> Results:
    factor = config.longest / config.context
    yarn = YarnScaling(factor, config.context)
    scalings: dict[str, RotaryScaling | None] = {
        "as trained": None,
        "linear": LinearScaling(factor),
        "larger base": BaseScaling(factor),
        "YaRN": yarn,
        "Llama 3": Llama3Scaling(factor, context=config.context),
    }
    speeds = rotary_speeds(HEAD_DIM)
    turns = (config.context * speeds / (2 * math.pi)).tolist()
    print(f"turns within {config.context} positions: {', '.join(f'{turn:.3f}' for turn in turns)}")
    found = {
        name: (speeds if scaling is None else scaling.slow_down(speeds)).tolist() for name, scaling in scalings.items()
    }
    for name, values in found.items():
        print(f"{name}: {', '.join(f'{speed:.5f}' for speed in values)} radians a position")
    larger = 10_000 * factor ** (HEAD_DIM / (HEAD_DIM - 2))
    slowed = yarn.slowed(speeds).tolist()
    return Results(config.context, config.longest, turns, found, slowed, larger, yarn.attention_factor)


def plot(results: Results) -> Figure:
    """Draw a clock for each plane and scaling: the angles of training, and the hand at the longest text."""
    figure, axes = drawings.canvas(8.4, 6.0)
    radius = 0.42
    for column in range(HEAD_DIM // 2):
        speed = results.speeds["as trained"][column]
        drawings.text(axes, f"plane {column}: {speed:g} rad", 2.3 + 1.6 * column, 5.75, bold=True)
    for row, (name, speeds) in enumerate(results.speeds.items()):
        y = 5.1 - 1.08 * row
        drawings.text(axes, name, 1.45, y, align="right", bold=True)
        for column, speed in enumerate(speeds):
            x = 2.3 + 1.6 * column
            axes.add_patch(Circle((x, y), radius, facecolor="white", edgecolor="#999999"))
            seen = min(math.degrees(results.speeds["as trained"][column] * results.context), 360)
            axes.add_patch(Wedge((x, y), radius, 0, seen, facecolor=drawings.tint(drawings.VALUE, 0.45)))
            angle = speed * results.longest
            new = math.degrees(angle) > seen < 360
            tip = (x + radius * math.cos(angle), y + radius * math.sin(angle))
            colour = "#D55E00" if new else "black"
            axes.plot([x, tip[0]], [y, tip[1]], color=colour, linewidth=2)
            slower = results.speeds["as trained"][column] / speed
            drawings.text(
                axes, "as fast" if slower < 1.005 else f"÷ {slower:.2f}", x + 0.5, y - 0.36, align="left", size=8
            )
    words = f"green: angles seen within {results.context} positions; hand: position {results.longest}, red if it is new"
    drawings.text(axes, words, 4.2, 0.08)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

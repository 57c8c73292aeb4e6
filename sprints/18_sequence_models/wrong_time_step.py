"""How long does Mamba remember before any training, and what if the bias of its time step is made wrongly?

    uv run sprints/18_sequence_models/wrong_time_step.py

The right bias is the inverse of softplus of the step that the layer is to begin with, taken once.
Theory: notes/08_mamba.md
"""

import math
from dataclasses import dataclass

from matplotlib.figure import Figure
from torch.nn import functional

from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.mamba import draw_time_steps, inverse_softplus

# What is put into the bias for a step that the layer is to begin with.
BIASES = {
    "the inverse, once": inverse_softplus,
    "the step itself": lambda step: step,
    "the inverse, twice": lambda step: inverse_softplus(inverse_softplus(step)),
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    features: AtLeastTwo = 1000  # inner features, each with a time step of its own


@dataclass(frozen=True)
class Results:
    """By bias.

    Attributes:
        half_lives: tokens until half is left of the slowest number of the state (rate 1), rising; nothing for biases
            that are not numbers.
        not_numbers: share of biases that are not a number.
    """

    half_lives: dict[str, list[float]]
    not_numbers: dict[str, float]


def main(config: Config) -> Results:
    seed_everything(config.seed)
    steps = draw_time_steps(config.features)
    half_lives: dict[str, list[float]] = {}
    not_numbers: dict[str, float] = {}
    for name, make in BIASES.items():
        bias = make(steps)
        numbers = bias[~bias.isnan()]
        # exp(-step) is what a token leaves; after n tokens half is left if n step = log 2.
        half_lives[name] = (math.log(2) / functional.softplus(numbers)).sort().values.tolist()
        not_numbers[name] = 1 - len(numbers) / len(bias)
        lives = half_lives[name]
        shown = (
            f"half-lives {lives[0]:.1f} to {lives[-1]:.1f} tokens, median {lives[len(lives) // 2]:.1f}" if lives else ""
        )
        print(f"{name:<20} not a number {not_numbers[name]:4.0%}  {shown}")
    return Results(half_lives, not_numbers)


def plot(results: Results) -> Figure:
    """Draw the half-lives of all features, for each bias."""
    figure, axes = new_figure(7.0, 3.6)
    for colour, (name, lives) in zip(COLOURS, results.half_lives.items(), strict=False):
        if not lives:
            continue
        shares = [100 * place / len(lives) for place in range(len(lives))]
        axes.plot(lives, shares, color=colour)
        middle = len(lives) // 2
        axes.text(lives[middle] * 1.15, shares[middle] - 2, name, color=colour, va="top")
    axes.set(
        xlabel="half-life before training, tokens", ylabel="features that have this one\nor a shorter one, %",
        xscale="log", xlim=(0.7, 2000), ylim=(0, 100),
    )  # fmt: skip
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

"""How does a recurrence become a convolution, and what do the kernels of a state space look like?

    uv run sprints/18_sequence_models/state_space_by_hand.py
    uv run sprints/18_sequence_models/state_space_by_hand.py --decay 0.9 --inputs 1 0 0 0 0 2

First a state of one number by hand, then the modes that S4D begins with: damped waves. Theory: notes/07_state_spaces.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFloat, PositiveFraction, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.state_space import S4D, convolve


@dataclass(frozen=True)
class Config(ScriptConfig):
    decay: PositiveFraction = 0.5  # what the state of one number is multiplied by
    inputs: tuple[float, ...] = (1.0, 0.0, 2.0)  # what it reads
    steps: tuple[PositiveFloat, PositiveFloat, PositiveFloat] = (0.01, 0.05, 0.2)  # time from token to token
    modes: PositiveInt = 4  # waves of S4D that are drawn
    tokens: PositiveInt = 100  # length of the kernels


@dataclass(frozen=True)
class Results:
    states: list[float]
    kernel: list[float]
    convolved: list[float]
    largest_difference: float
    steps: list[float]
    waves: list[list[float]]
    kernels: list[list[float]]


def main(config: Config) -> Results:
    states = [0.0]
    for x in config.inputs:
        states.append(config.decay * states[-1] + x)
    kernel = [config.decay**age for age in range(len(config.inputs))]
    convolved = [
        sum(kernel[age] * config.inputs[place - age] for age in range(place + 1)) for place in range(len(kernel))
    ]
    print("one after the other:", *states[1:])
    print("kernel:", *kernel, " by convolution:", *convolved)
    by_fourier = convolve(
        torch.tensor(config.inputs, dtype=torch.float64)[None, :, None], torch.tensor([kernel], dtype=torch.float64)
    ).flatten()
    ways = torch.tensor([states[1:], convolved], dtype=torch.float64)
    difference = (ways - by_fourier).abs().max().item()

    seed_everything(config.seed)
    layer = S4D(3, 2 * config.modes)
    with torch.no_grad():
        layer.log_step.copy_(torch.tensor([math.log(step) for step in config.steps]))
        layer.readout.copy_(layer.readout[:1].expand_as(layer.readout))  # the same C, so that only dt differs
        waves = layer.powers(torch.arange(config.tokens)).real[1]  # (modes, tokens), of the middle step
        kernels = layer.kernel(config.tokens)
    return Results(
        states[1:], kernel, convolved, difference, list(config.steps), waves.tolist(),
        (kernels / kernels.abs().amax(dim=1, keepdim=True)).tolist(),
    )  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw the waves of a state space, and kernels that differ in the step of time only."""
    figure, (left, right) = new_figure(9.0, 4.4, columns=2)
    for mode, wave in enumerate(results.waves):
        shift = -2.3 * mode
        left.plot([0, len(wave)], [shift, shift], color="#BBBBBB", linewidth=0.8)
        left.plot([shift + number for number in wave], color=COLOURS[mode % len(COLOURS)])
        left.text(len(wave) * 1.01, shift, f"mode {mode}", va="center", color=COLOURS[mode % len(COLOURS)])
    left.set(
        xlabel="age of an input, tokens", ylabel="what is left of it, 1 at age 0", yticks=[],
        title=f"waves, dt = {results.steps[1]:g}",
    )  # fmt: skip
    for index, (step, kernel) in enumerate(zip(results.steps, results.kernels, strict=True)):
        shift = -2.3 * index
        right.plot([0, len(kernel)], [shift, shift], color="#BBBBBB", linewidth=0.8)
        right.plot([shift + number for number in kernel], color=COLOURS[index])
        right.text(len(kernel) * 1.01, shift, f"dt = {step:g}", va="center", color=COLOURS[index])
    right.set(
        xlabel="age of an input, tokens", ylabel="kernel, largest entry 1", yticks=[], title="kernels, the same C"
    )
    for panel in (left, right):
        panel.set_xlim(0, len(results.waves[0]) * 1.2)
        panel.grid(False)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

"""What does Mamba do with a token: remember it, or let it pass?

    uv run sprints/18_sequence_models/mamba_by_hand.py
    uv run sprints/18_sequence_models/mamba_by_hand.py --inputs 3 5 2 4 --steps 1 0 0.5 1

One feature and a state of one number, by hand and by `selective_scan`. Theory: notes/08_mamba.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab.config import ScriptConfig
from shared.lab.drawings import KEY, MIXED, QUERY, VALUE, arrow, canvas, cells, text
from shared.lab.ranges import NonNegativeFloat, PositiveFraction
from shared.lab.run import run
from shared.nn.mamba import selective_scan


@dataclass(frozen=True)
class Config(ScriptConfig):
    inputs: tuple[float, ...] = (3.0, 5.0, 2.0)  # what is read, x
    steps: tuple[NonNegativeFloat, ...] = (1.0, 0.0, 1.0)  # how long each token lasts, the time step
    kept: PositiveFraction = 0.5  # what is left of the state after a time step of 1

    def check(self) -> None:
        if len(self.inputs) != len(self.steps):
            raise ValueError(f"--steps must be as many as --inputs; got {len(self.steps)} and {len(self.inputs)}")


@dataclass(frozen=True)
class Results:
    inputs: list[float]
    steps: list[float]
    decays: list[float]
    written: list[float]
    states: list[float]
    largest_difference: float


def main(config: Config) -> Results:
    decays = [config.kept**step for step in config.steps]
    written = [step * x for step, x in zip(config.steps, config.inputs, strict=True)]
    states = [0.0]
    for decay, new in zip(decays, written, strict=True):
        states.append(decay * states[-1] + new)
    x, step = (torch.tensor(row, dtype=torch.float64)[None, :, None] for row in (config.inputs, config.steps))
    rate = torch.tensor([[math.log(config.kept)]], dtype=torch.float64)
    outputs, _ = selective_scan(x, step, rate, torch.ones_like(x), torch.ones_like(x))
    difference = (outputs.flatten() - torch.tensor(states[1:], dtype=torch.float64)).abs().max().item()
    for row in zip(config.inputs, config.steps, decays, written, states[1:], strict=True):
        print("x {:g}, step {:g}: keep {:g} of the state, add {:g}: {:g}".format(*row))
    return Results(list(config.inputs), list(config.steps), decays, written, states[1:], difference)


def plot(results: Results) -> Figure:
    """Draw what is kept and what is added at each token."""
    tokens = len(results.inputs)
    width = 1.5
    figure, axes = canvas(2.2 + width * tokens, 4.6)
    rows = {
        "x": (results.inputs, VALUE), "time step": (results.steps, QUERY), "keep of the state": (results.decays, KEY),
        "add": (results.written, VALUE), "state": (results.states, MIXED),
    }  # fmt: skip
    for height, (name, (values, colour)) in zip((4.4, 3.6, 2.5, 1.7, 0.7), rows.items(), strict=True):
        text(axes, name, 1.7, height - 0.3, align="right")
        for token, value in enumerate(values):
            cells(axes, [[round(value, 3)]], 2.0 + width * token, height, colour=colour, size=0.6)
            if name == "state" and token:
                arrow(
                    axes, (2.0 + width * (token - 1) + 0.65, height - 0.3), (2.0 + width * token - 0.05, height - 0.3)
                )
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

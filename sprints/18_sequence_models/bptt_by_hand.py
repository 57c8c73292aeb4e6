"""How does a gradient go back through time? The derivative of a loss by the two weights of a network of one number.

    uv run sprints/18_sequence_models/bptt_by_hand.py
    uv run sprints/18_sequence_models/bptt_by_hand.py --recurrent 1.5 --inputs 1 0 0 0 0 0

The loss is half the squared distance of the last state from a target. The script walks back word by word and compares
with autograd. Theory: notes/02_gradients_through_time.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    inputs: tuple[float, ...] = (1.0, 0.0, 0.0)  # one number for each word
    weight: float = 1.0  # what the input is multiplied with
    recurrent: float = 0.5  # what the state is multiplied with
    target: float = 1.0  # what the last state should be

    def check(self) -> None:
        if len(self.inputs) > 8:
            raise ValueError(f"a drawing has room for 8 words; got {len(self.inputs)} --inputs: give fewer")


@dataclass(frozen=True)
class Results:
    states: list[float]
    loss: float
    by_state: list[float]
    by_sum: list[float]
    factors: list[float]
    weight_parts: list[float]
    recurrent_parts: list[float]
    weight_gradient: float
    recurrent_gradient: float
    autograd: list[float]


def main(config: Config) -> Results:
    states = [0.0]  # in front of the first word, then behind each
    for x in config.inputs:
        states.append(math.tanh(config.weight * x + config.recurrent * states[-1]))
    loss = (states[-1] - config.target) ** 2 / 2

    by_state, by_sum, weight_parts, recurrent_parts, factors = [], [], [], [], []
    gradient = states[-1] - config.target  # of the loss, by the last state
    for place in reversed(range(len(config.inputs))):
        slope = 1 - states[place + 1] ** 2  # of tanh
        by_state.insert(0, gradient)
        by_sum.insert(0, gradient * slope)
        weight_parts.insert(0, by_sum[0] * config.inputs[place])  # the weight is used at every word
        recurrent_parts.insert(0, by_sum[0] * states[place])
        factors.insert(0, config.recurrent * slope)  # from this state to the one before
        gradient = by_sum[0] * config.recurrent

    parameters = torch.tensor([config.weight, config.recurrent], dtype=torch.float64, requires_grad=True)
    state = torch.zeros((), dtype=torch.float64)
    for x in config.inputs:
        state = torch.tanh(parameters[0] * x + parameters[1] * state)
    ((state - config.target) ** 2 / 2).backward()
    assert parameters.grad is not None
    for place in reversed(range(len(config.inputs))):
        print(f"word {place + 1}: by its state {by_state[place]:.4f}, by its sum {by_sum[place]:.4f}, ", end="")
        print(f"adds {weight_parts[place]:.4f} and {recurrent_parts[place]:.4f}")
    totals = [sum(weight_parts), sum(recurrent_parts)]
    print(f"gradient {totals[0]:.6f} and {totals[1]:.6f}, by autograd {parameters.grad.tolist()}")
    return Results(
        states[1:], loss, by_state, by_sum, factors, weight_parts, recurrent_parts, *totals, parameters.grad.tolist()
    )


def plot(results: Results) -> Figure:
    """Draw the way forward above, the way back below, and what each word adds to the gradient."""
    step = 2.4
    figure, axes = drawings.canvas(2.7 + step * (len(results.states) - 1), 4.2)
    for y, words in ((3.35, "state"), (1.95, "gradient"), (0.55, "adds to dL/du")):
        drawings.text(axes, words, 0.85, y, bold=True)
    for index, state in enumerate(results.states):
        left = 1.9 + step * index
        drawings.cells(
            axes, [[round(state, 3)]], left, 3.65, size=0.6, colour=drawings.MIXED, title=f"word {index + 1}"
        )
        drawings.cells(axes, [[round(results.by_state[index], 3)]], left, 2.25, size=0.6, colour=drawings.KEY)
        drawings.cells(
            axes, [[round(results.recurrent_parts[index], 4) + 0.0]], left, 0.85, size=0.6, colour=drawings.VALUE
        )
        drawings.arrow(axes, (left + 0.3, 1.6), (left + 0.3, 0.9))
        if index:
            drawings.arrow(axes, (left - step + 0.65, 3.35), (left - 0.05, 3.35))
            drawings.arrow(axes, (left - 0.05, 1.95), (left - step + 0.65, 1.95), f"× {results.factors[index]:.3f}")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

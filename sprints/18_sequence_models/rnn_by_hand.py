"""What does a recurrent network compute? A state of one number, carried along a text of three words.

    uv run sprints/18_sequence_models/rnn_by_hand.py
    uv run sprints/18_sequence_models/rnn_by_hand.py --inputs 0 1 0 --recurrent -0.5

The word *not* is the input 1, every other word is 0. The last column is what `Recurrent` gives with the same weights.
Theory: notes/01_one_state.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run
from shared.nn.recurrent import Recurrent


@dataclass(frozen=True)
class Config(ScriptConfig):
    inputs: tuple[float, ...] = (1.0, 0.0, 0.0)  # one number for each word
    weight: float = 1.0  # what the input is multiplied with
    recurrent: float = 0.5  # what the state is multiplied with
    bias: float = 0.0  # what is added

    def check(self) -> None:
        if len(self.inputs) > 12:
            raise ValueError(f"a drawing has room for 12 words; got {len(self.inputs)} --inputs: give fewer")


@dataclass(frozen=True)
class Results:
    inputs: list[float]
    sums: list[float]
    states: list[float]
    from_last_word_on: list[float]
    by_the_layer: list[float]


def read(inputs: list[float], weight: float, recurrent: float, bias: float) -> tuple[list[float], list[float]]:
    """Return the sums in front of tanh, and the states, one for each input."""
    state, sums, states = 0.0, [], []
    for x in inputs:
        sums.append(weight * x + recurrent * state + bias)
        state = math.tanh(sums[-1])
        states.append(state)
    return sums, states


def main(config: Config) -> Results:
    numbers = (config.weight, config.recurrent, config.bias)
    sums, states = read(list(config.inputs), *numbers)
    _, turned = read(list(reversed(config.inputs)), *numbers)
    layer = Recurrent("rnn", input_size=1, hidden_size=1)
    layer.load_state_dict(
        {
            "weight_ih_l0": torch.tensor([[config.weight]]),
            "weight_hh_l0": torch.tensor([[config.recurrent]]),
            "bias_ih_l0": torch.tensor([config.bias]),
            "bias_hh_l0": torch.zeros(1),
        }
    )
    with torch.no_grad():
        outputs, _ = layer(torch.tensor(config.inputs).reshape(1, -1, 1))  # (1, words, 1)
    by_the_layer = outputs.flatten().tolist()
    for x, total, state, other in zip(config.inputs, sums, states, by_the_layer, strict=True):
        print(f"input {x:g}: sum {total:.3f}, state {state:.3f}, by the layer {other:.3f}")
    print(f"the same words in the opposite order end in {turned[-1]:.3f} instead of {states[-1]:.3f}")
    return Results(list(config.inputs), sums, states, turned, by_the_layer)


def plot(results: Results) -> Figure:
    """Draw the network unrolled: one column for each word, the state handed on from left to right."""
    step = 2.2
    figure, axes = drawings.canvas(2.6 + step * len(results.inputs), 3.4)
    drawings.text(axes, "state", 0.55, 2.35, bold=True)
    drawings.text(axes, "input", 0.55, 0.75, bold=True)
    drawings.cells(axes, [[0.0]], 1.1, 2.6, colour=drawings.TOKEN, title="start")
    for index, (x, total, state) in enumerate(zip(results.inputs, results.sums, results.states, strict=True)):
        left = 1.1 + step * (index + 1)
        drawings.cells(axes, [[x]], left, 1.0, colour=drawings.KEY)
        drawings.cells(axes, [[round(state, 3)]], left, 2.6, colour=drawings.MIXED, title=f"after word {index + 1}")
        drawings.arrow(axes, (left - step + 0.55, 2.35), (left - 0.05, 2.35), f"tanh({total:.3f})")
        drawings.arrow(axes, (left + 0.25, 1.05), (left + 0.25, 2.05))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

"""Can one head with a linear readout name two tokens? A proof said no; these weights, set by hand, do it.

    uv run sprints/06_multi_head_attention/one_head_by_hand.py
    uv run sprints/06_multi_head_attention/one_head_by_hand.py --couplings 0.003 --vocab 64

The model is that of `why_heads.py`: one layer, one head, no hidden features. Nothing is trained. The coupling says how
far the weights lean to the larger of the two tokens. Theory: notes/06_what_one_head_can_do.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import nn

from attention_study.reader import BACK, Reader, accuracy
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import MOST, AtLeastTwo, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

# Features of a token: its number; of a position: the two coordinates of a point on a circle, and an alternating sign.
NUMBER, COSINE, SINE, SIGN = range(4)
# How far the score of the two tokens that are looked at is above all others.
SHARPNESS = 25.0


@dataclass(frozen=True)
class Config(ScriptConfig):
    couplings: tuple[PositiveFloat, ...] = (
        0.3,
        0.1,
        0.03,
        0.01,
        0.003,
        0.001,
        1e-4,
        1e-5,
        1e-6,
    )  # how far weights lean
    vocab: AtLeastTwo = 16  # distinct tokens
    tokens: Annotated[int, Field(ge=3, le=MOST)] = 12  # tokens of a row
    d_model: Annotated[int, Field(ge=4, le=MOST)] = 32  # features of a token, four of which are used
    rows: PositiveInt = 4000  # rows to test on


@dataclass(frozen=True)
class Results:
    couplings: list[float]
    one_back: list[float]
    two_back: list[float]
    answers: int


@torch.no_grad()
def set_by_hand(model: Reader, coupling: float) -> None:
    """Give a reader with one head the weights of note 6."""
    vocab, d_model = model.token_embedding.weight.shape
    tokens = len(model.positions)
    for parameter in model.parameters():
        parameter.zero_()
    numbers = torch.arange(vocab) - (vocab - 1) / 2
    place, step = torch.arange(tokens), 2 * math.pi / tokens
    model.token_embedding.weight[:, NUMBER] = numbers
    model.positions[:, COSINE], model.positions[:, SINE] = (step * place).cos(), (step * place).sin()
    model.positions[:, SIGN] = 1.0 - 2 * (place % 2)

    query, key, value = model.attention.qkv.weight.chunk(3)  # each (features out, features in)
    # Where to look: a point on the circle one and a half places back is as near to one back as to two back. Its length
    # makes all others hopeless: nearest of them are those that are one and a half places away.
    angle = 1.5 * step
    length = SHARPNESS * math.sqrt(d_model) / (math.cos(step / 2) - math.cos(3 * step / 2))
    turn = torch.tensor([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    query[1:3, 1:3], key[1:3, 1:3] = length * turn, torch.eye(2)
    # And which of the two a little more: at even places the larger number, at odd places the smaller one.
    query[NUMBER, SIGN], key[NUMBER, NUMBER] = coupling * math.sqrt(d_model), 1.0
    # What to bring: the number, and the sign of the place that it comes from.
    value[0, NUMBER], value[1, SIGN] = 1.0, 1.0
    model.attention.output.weight.copy_(torch.eye(d_model))

    # The first feature is the mean of both numbers, the second one minus half of the coupling times their difference.
    assert isinstance(model.readout, nn.Linear)
    readout, bias = model.readout.weight.view(len(BACK), vocab, d_model), model.readout.bias.view(len(BACK), vocab)
    for question, half in enumerate((0.5, -0.5)):
        # 2 c x - c² is largest for the c that is nearest to x.
        readout[question, :, 0] = 2 * numbers
        readout[question, :, 1] = 2 * numbers * half * (-2 / coupling)
        bias[question] = -numbers.square()


@torch.no_grad()
def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    model = Reader(config.vocab, config.tokens, config.d_model, heads=1).eval()
    rows = torch.randint(config.vocab, (config.rows, config.tokens), generator=generator)
    accuracies = []
    for coupling in config.couplings:
        set_by_hand(model, coupling)
        accuracies.append(accuracy(model, rows))
        print(f"coupling {coupling:<8g} one back {accuracies[-1][0]:.4f}, two back {accuracies[-1][1]:.4f}")
    one_back, two_back = (list(values) for values in zip(*accuracies, strict=True))
    return Results(list(config.couplings), one_back, two_back, config.rows * (config.tokens - 2))


def plot(results: Results) -> Figure:
    """Draw the accuracy of both answers by the coupling."""
    figure, axes = new_figure(7.0, 3.4)
    axes.plot(results.couplings, results.one_back, marker="o", label="one back")
    axes.plot(results.couplings, results.two_back, marker="x", linestyle="--", label="two back")
    axes.set(xscale="log", xlabel="coupling", ylabel="accuracy", ylim=(0, 1.05))
    axes.legend()
    return figure


if __name__ == "__main__":
    # At the smallest couplings, rounding decides.
    run(main, Config, plot=plot, tolerance={"*_back*": Tolerance(relative=0.02)})

"""What does a block compute? Two tokens of two features, every number of it.

    uv run sprints/07_transformer_block/block_in_numbers.py
    uv run sprints/07_transformer_block/block_in_numbers.py --first 1 3

A pre-norm block that is small enough for paper: attention asks for nothing, so it takes the average of the tokens up to
it, and two neurons each look at one feature. The same weights in `EncoderBlock` give the same. Theory:
notes/01_a_block.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from block_study.strokes import FEED_FORWARD, NORM, line, plus
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run
from shared.nn.blocks import EncoderBlock

EXPAND = ((1.0, 0.0), (0.0, 1.0))  # neuron 1 looks for feature 1, neuron 2 for feature 2: (d_model, d_hidden)
CONTRACT = ((0.0, 5.0), (2.0, 0.0))  # neuron 1 writes (0, 5), neuron 2 writes (2, 0): (d_hidden, d_model)


@dataclass(frozen=True)
class Config(ScriptConfig):
    first: tuple[float, float] = (3.0, 1.0)  # features of the first token
    second: tuple[float, float] = (0.0, 4.0)  # features of the second token

    def check(self) -> None:
        for name, (one, other) in (("first", self.first), ("second", self.second)):
            if one == other:
                raise ValueError(f"equal features have no variance to divide by; got --{name} {one:g} {other:g}")


@dataclass(frozen=True)
class Results:
    """Each step for both tokens, (tokens, features), in the order in which they run; and how far `EncoderBlock` is."""

    steps: dict[str, list[list[float]]]
    difference: float


def normalise(x: Tensor) -> Tensor:
    """Return each token minus its mean, divided by its standard deviation."""
    centred = x - x.mean(dim=-1, keepdim=True)
    return centred / centred.square().mean(dim=-1, keepdim=True).sqrt()


def as_a_block() -> EncoderBlock:
    """Return an `EncoderBlock` with the weights of this example."""
    block = EncoderBlock(2, heads=1, d_hidden=2, norm="pre", epsilon=1e-12).double()
    with torch.no_grad():
        for name, parameter in block.named_parameters():
            parameter.fill_(1.0 if name.endswith("norm.weight") else 0.0)
        # Queries and keys are zero, values and the output matrix leave a token as it is.
        block.attention.qkv.weight[4:] = torch.eye(2)
        block.attention.output.weight.copy_(torch.eye(2))
        block.feed_forward.expand.weight.copy_(torch.tensor(EXPAND).T)
        block.feed_forward.contract.weight.copy_(torch.tensor(CONTRACT).T)
    return block


@torch.no_grad()
def main(config: Config) -> Results:
    x = torch.tensor([config.first, config.second], dtype=torch.float64)  # (tokens, d_model)
    average = torch.tensor([[1.0, 0.0], [0.5, 0.5]], dtype=torch.float64)  # (tokens, tokens): each looks back evenly
    steps = {"x": x, "norm": normalise(x)}
    steps["attention"] = average @ steps["norm"]
    steps["x + attention"] = x + steps["attention"]
    steps["second norm"] = normalise(steps["x + attention"])
    steps["hidden"] = (steps["second norm"] @ torch.tensor(EXPAND, dtype=torch.float64)).clamp(min=0)
    steps["feed-forward"] = steps["hidden"] @ torch.tensor(CONTRACT, dtype=torch.float64)
    steps["output"] = steps["x + attention"] + steps["feed-forward"]
    for name, numbers in steps.items():
        print(f"{name:<15}" + "   ".join(f"({one:g}, {other:g})" for one, other in numbers.tolist()))
    difference = (as_a_block()(x[None], causal=True)[0] - steps["output"]).abs().max().item()
    print(f"EncoderBlock differs by {difference:.0e}")
    return Results({name: numbers.tolist() for name, numbers in steps.items()}, difference)


def plot(results: Results) -> Figure:
    """Draw the steps from left to right: the residual path below, what each part makes of it above."""
    figure, axes = drawings.canvas(11.0, 3.1)
    size, low, high = 0.44, 1.2, 2.65
    middle_low, middle_high = low - size, high - size
    places = {
        "x": (0.75, low, drawings.TOKEN), "norm": (1.75, high, NORM), "attention": (3.15, high, drawings.MIXED),
        "x + attention": (4.75, low, drawings.TOKEN), "second norm": (5.55, high, NORM),
        "hidden": (6.95, high, FEED_FORWARD), "feed-forward": (8.35, high, FEED_FORWARD),
        "output": (9.95, low, drawings.TOKEN),
    }  # fmt: skip
    titles = {"second norm": "norm", "feed-forward": "written", "output": "output"}
    for name, (x, y, colour) in places.items():
        rows = [[round(number, 3) for number in row] for row in results.steps[name]]
        names = ("token 1", "token 2") if name == "x" else ()
        drawings.cells(axes, rows, x, y, colour=colour, size=size, title=titles.get(name, name), row_names=names)
    for start, end, words in ((2.63, 3.1, "mix"), (6.43, 6.9, "ReLU"), (7.83, 8.3, "")):
        drawings.arrow(axes, (start, middle_high), (end, middle_high), words)
    for start, back, add in ((1.86, 4.03, 4.3), (5.83, 9.23, 9.5)):
        line(axes, (start - 0.25, middle_low), (add - 0.16, middle_low))
        line(axes, (start, middle_low), (start, middle_high - size - 0.03))
        line(axes, (back, middle_high), (add, middle_high), (add, middle_low + 0.16))
        plus(axes, add, middle_low)
        line(axes, (add + 0.16, middle_low), (add + 0.42, middle_low))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

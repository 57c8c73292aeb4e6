"""What is LoRA+ but LoRA with another alpha? The same training twice.

    uv run sprints/21_adapters_and_prompts/two_rates.py
    uv run sprints/21_adapters_and_prompts/two_rates.py --ratio 4 --optimizer sgd

A linear layer learns a random change. Once B has a rate that is `ratio` times as large, once alpha is. Theory:
notes/03_directions_and_lengths.md
"""

from dataclasses import dataclass
from typing import Literal

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from adaptation import lora_plus
from adaptation.methods import one_rate
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.nn.lora import LoRAConfig

FEATURES, RANK, ROWS = 16, 4, 64
EPSILON = 1e-12  # of Adam: with 1e-8 it would not be negligible beside the first gradients


@dataclass(frozen=True)
class Config(ScriptConfig):
    ratio: PositiveFloat = 16.0  # rate of B over rate of A; or alpha over alpha
    rate: PositiveFloat = 1e-3  # learning rate of A
    steps: PositiveInt = 200  # optimizer steps
    optimizer: Literal["adam", "sgd"] = "adam"  # without momentum, weight decay and clipping

    def check(self) -> None:
        if self.ratio < 1:
            raise ValueError(f"--ratio must be at least 1, for B is the faster factor; got {self.ratio}")


@dataclass(frozen=True)
class Results:
    losses: dict[str, list[float]]
    largest_difference: float


class Model(nn.Module):
    """One linear layer, which the adapter changes."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(FEATURES, FEATURES, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)


def learn(config: Config, alpha: float, ratio: float | None) -> list[float]:
    """Return the losses of a training with this alpha, and with two rates if there is a ratio."""
    generator = torch.Generator().manual_seed(config.seed)
    x, change = (torch.randn(rows, FEATURES, generator=generator) for rows in (ROWS, FEATURES))
    model = Model()
    nn.init.normal_(model.layer.weight, generator=generator)
    target = model(x).detach() + x @ change.mT / FEATURES**0.5
    lora_plus.inject(model, LoRAConfig(("layer",), RANK, alpha), generator)
    groups = one_rate(model, config.rate) if ratio is None else lora_plus.two_rates(model, config.rate, ratio)
    optimizer = torch.optim.SGD(groups) if config.optimizer == "sgd" else torch.optim.Adam(groups, eps=EPSILON)
    losses = []
    for _ in range(config.steps):
        loss = (model(x) - target).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def main(config: Config) -> Results:
    alpha = 2.0 * RANK
    losses = {
        "LoRA": learn(config, alpha, None),
        "LoRA+": learn(config, alpha, config.ratio),
        "LoRA, alpha times the ratio": learn(config, alpha * config.ratio, None),
    }
    twins = list(losses.values())[1:]
    difference = max(abs(one - other) / one for one, other in zip(*twins, strict=True))
    for name, curve in losses.items():
        print(f"{name}: {curve[0]:.4f} at the start, {curve[-1]:.4f} at the end")
    print(f"largest relative difference between the losses of the last two: {difference:.1e}")
    return Results(losses, difference)


def plot(results: Results) -> Figure:
    """Draw the three curves; two of them lie on each other."""
    figure, axes = new_figure(6.8, 3.9)
    for (name, losses), style, width in zip(results.losses.items(), ("-", "-", ":"), (2, 4, 2), strict=True):
        axes.plot(losses, linestyle=style, linewidth=width, label=name, color="black" if style == ":" else None)
    axes.set(xlabel="step", ylabel="mean squared error", ylim=(0, None))
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"losses.*": TRAINED, "largest_difference": TRAINED})

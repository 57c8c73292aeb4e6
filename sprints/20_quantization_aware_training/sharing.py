"""Who should share a step, when the steps are learnt? A layer whose rows differ in size, with few bits.

    uv run sprints/20_quantization_aware_training/sharing.py
    uv run sprints/20_quantization_aware_training/sharing.py --schemes 2 ternary --seeds 2

The layer learns to give the outputs of the same layer in float32; each output counts alike. Rounded afterwards has the
steps of least squared error; aware starts there and trains weights and steps. Theory: notes/03_who_shares_a_step.md
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from matplotlib.figure import Figure
from torch import Tensor

from aware.fake_quantize import WeightQuantizer
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, Different, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.nn.integer_grid import Granularity

Scheme = Literal["ternary", "bitnet", "2", "3", "4"]


@dataclass(frozen=True)
class Config(ScriptConfig):
    schemes: Annotated[tuple[Scheme, ...], Different] = ("ternary", "bitnet", "2", "3", "4")  # bits, or three values
    sharings: Annotated[tuple[Granularity, ...], Different] = ("tensor", "channel", "group")  # who shares a step
    inputs: PositiveInt = 64  # weights of a row
    outputs: PositiveInt = 16  # rows
    group: PositiveInt = 16  # weights of a group
    examples: AtLeastTwo = 512  # that the layer learns from
    spread: PositiveFloat = 10.0  # the largest row's weights over the smallest row's
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (
        3e-3,
        1e-2,
        3e-2,
        0.1,
        0.3,
        1.0,
    )  # relative to sizes, tried
    steps: PositiveInt = 200  # optimizer steps
    seeds: PositiveInt = 5  # layers that are reported, other than the one of the search

    def check(self) -> None:
        if self.inputs % self.group:
            raise ValueError(f"rows must divide into groups; got --inputs {self.inputs} and --group {self.group}")


@dataclass(frozen=True)
class Measured:
    """Bits of a weight with its share of a step, the rate, and the errors, as shares of the outputs' squares."""

    bits: float
    rate: float
    searched: dict[str, float]
    afterwards: MeanInterval
    aware: MeanInterval
    aware_errors: list[float]
    of_afterwards: MeanInterval  # ratio, layer by layer


@dataclass(frozen=True)
class Results:
    found: dict[str, dict[str, Measured]]  # by scheme, by sharing


def layer(config: Config, seed: int) -> tuple[Tensor, Tensor]:
    """Return correlated inputs (examples, inputs) and a weight (outputs, inputs) whose rows differ in size."""
    generator = torch.Generator().manual_seed(seed)
    mixed = torch.randn(config.inputs, config.inputs, generator=generator) / config.inputs**0.5
    x = torch.randn(config.examples, config.inputs, generator=generator) @ mixed
    sizes = torch.logspace(0, 1, config.outputs) ** torch.log10(torch.tensor(config.spread))
    return x, sizes[:, None] * torch.randn(config.outputs, config.inputs, generator=generator) / config.inputs**0.5


def train(config: Config, scheme: Scheme, per: Granularity, rate: float, seed: int) -> tuple[float, float]:
    """Return the error of the outputs before and after training: each output's, as a share of its square, averaged."""
    x, target = layer(config, seed)
    wanted = x @ target.T
    weighed = wanted.square().mean(0)
    weight = target.clone().requires_grad_()
    bits = "ternary" if scheme in ("ternary", "bitnet") else int(scheme)
    quantizer = WeightQuantizer(target, bits, per, group=config.group, learned=scheme != "bitnet")
    # Rates are relative: Adam moves every number by about its rate, and rows differ in size.
    groups = [{"params": [weight], "lr": rate * target.abs().mean().item()}]
    groups += [{"params": [step], "lr": rate * step.mean().item()} for step in quantizer.parameters()]
    optimizer = torch.optim.Adam(groups)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps)
    errors = []
    for step in range(config.steps + 1):
        loss = ((x @ quantizer(weight).T - wanted).square().mean(0) / weighed).mean()
        if step in (0, config.steps):
            errors.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return errors[0], errors[1]


def bits_of(config: Config, scheme: Scheme, per: Granularity) -> float:
    """Return the bits that a weight takes, with its share of a step of 16 bits; five ternary ones take a byte."""
    shared = {"tensor": config.inputs * config.outputs, "channel": config.inputs, "group": config.group}[per]
    return (1.6 if scheme in ("ternary", "bitnet") else int(scheme)) + 16 / shared


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    found: dict[str, dict[str, Measured]] = {}
    for scheme in config.schemes:
        found[scheme] = {}
        for per in config.sharings:
            other = config.seed + 1000
            searched = {rate: train(config, scheme, per, rate, other)[1] for rate in config.rates}
            rate = min(searched, key=searched.__getitem__)
            runs = [train(config, scheme, per, rate, config.seed + index) for index in range(config.seeds)]
            before, after = ([pair[index] for pair in runs] for index in (0, 1))
            ratio = mean_interval([a / b for b, a in runs])
            shown = {f"{rate:g}": error for rate, error in searched.items()}
            found[scheme][per] = Measured(bits_of(config, scheme, per), rate, shown, mean_interval(before),
                                          mean_interval(after), after, ratio)  # fmt: skip
            print(f"{scheme}, a step per {per}: {show_interval(*mean_interval(before), '.4f')} afterwards, "
                  f"{show_interval(*mean_interval(after), '.4f')} aware (rate {rate:g})")  # fmt: skip
    return Results(found)


def plot(results: Results) -> Figure:
    """Draw the error by the bits of a weight, rounded afterwards and aware of it, for each sharing."""
    figure, axes = new_figure(8.0, 4.2)
    sharings = list(next(iter(results.found.values())))
    for index, per in enumerate(sharings):
        rows = [row[per] for scheme, row in results.found.items() if scheme != "bitnet"]
        for style, cells in (("o--", [row.afterwards for row in rows]), ("o-", [row.aware for row in rows])):
            axes.errorbar([row.bits for row in rows], [mean for mean, _ in cells], error_bars([h for _, h in cells]),
                          fmt=style, color=COLOURS[(3, 0, 2)[index]], capsize=3)  # fmt: skip
        axes.annotate(f"per {per}", (rows[-1].bits, rows[-1].aware[0]), xytext=(7, -12), textcoords="offset points",
                      fontsize=9, color=COLOURS[(3, 0, 2)[index]])  # fmt: skip
    axes.text(0.03, 0.05, "dashes: rounded afterwards\nlines: aware of it", transform=axes.transAxes, fontsize=9)
    axes.set(yscale="log", xlabel="bits of a weight, with its share of a step",
             ylabel="error of the outputs,\nas a share of their square")  # fmt: skip
    axes.margins(x=0.12)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"found.*": TRAINED})

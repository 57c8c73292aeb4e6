"""Which balance loss balances? The right one beside one without a gradient and one that counts padding.

    uv run sprints/19_transformer_variants/wrong_balance.py
    uv run sprints/19_transformer_variants/wrong_balance.py --padding 0.2

One router reads random tokens, of which a part is padding: all alike, as in a batch of texts of different lengths. It
follows a balance loss alone. Theory: notes/14_experts.md
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, PositiveFloat, PositiveInt, Share
from shared.lab.run import run
from shared.nn.mixture_of_experts import Routing, balance_of_layer, check_experts, route


@dataclass(frozen=True)
class Config(ScriptConfig):
    rows: PositiveInt = 512  # tokens of the batch, with padding
    padding: Share = 0.5  # of them that are padding
    features: PositiveInt = 8  # features of a token
    experts: AtLeastTwo = 4  # of the layer
    top_k: PositiveInt = 2  # experts that a token is sent to
    steps: PositiveInt = 300  # steps of gradient descent
    rate: PositiveFloat = 0.3  # learning rate
    seeds: PositiveInt = 5  # routers, each with tokens of its own

    def check(self) -> None:
        check_experts(self.experts, self.top_k)
        if round(self.padding * self.rows) >= self.rows:
            raise ValueError(f"some token must be real; got --padding {self.padding} of --rows {self.rows}: pad less")


@dataclass(frozen=True)
class Kind:
    """The loads of the real tokens, largest first, of each seed; their mean; and how much of the router moved."""

    loads: list[list[float]]
    largest: MeanInterval
    smallest: MeanInterval
    moved: float


@dataclass(frozen=True)
class Results:
    even: float
    kinds: dict[str, Kind]


def right(routing: Routing, real: Tensor) -> Tensor:
    return balance_of_layer(routing, real)


def without_gradient(routing: Routing, real: Tensor) -> Tensor:
    """Loads times loads. A count has no slope: the value is right at both ends, and nothing moves."""
    experts = routing.logits.shape[1]
    load = torch.bincount(routing.chosen[real].flatten(), minlength=experts) / real.sum()
    return experts * load @ load / load.sum() + 0.0 * routing.logits.sum()  # or backward would refuse it


def padding_counted(routing: Routing, real: Tensor) -> Tensor:  # noqa: ARG001 (that is the fault)
    return balance_of_layer(routing)


KINDS: dict[str, Callable[[Routing, Tensor], Tensor]] = {
    "right": right,
    "without a gradient": without_gradient,
    "padding counted": padding_counted,
}


def loads_after(
    config: Config, loss: Callable[[Routing, Tensor], Tensor] | None, seed: int
) -> tuple[list[float], float]:
    """Return the loads of the real tokens after following a loss (None: before), and how far the router moved."""
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randn(config.rows, config.features, generator=generator)  # (rows, features)
    tokens += torch.randn(config.features, generator=generator)  # what all tokens share prefers some experts
    real = torch.arange(config.rows) >= round(config.padding * config.rows)
    tokens[~real] = 2 * torch.randn(config.features, generator=generator)
    start = torch.randn(config.experts, config.features, generator=generator) / config.features**0.5
    weight = nn.Parameter(start.clone())
    optimizer = torch.optim.SGD([weight], lr=config.rate)
    for _ in range(config.steps if loss else 0):
        optimizer.zero_grad()
        (loss or right)(route(tokens @ weight.T, config.top_k), real).backward()
        optimizer.step()
    chosen = route(tokens @ weight.T, config.top_k).chosen[real]
    load = torch.bincount(chosen.flatten(), minlength=config.experts) / real.sum()
    return sorted(load.tolist(), reverse=True), (weight - start).norm().item()


def main(config: Config) -> Results:
    kinds = {}
    for name, loss in {"before": None, **KINDS}.items():
        runs = [loads_after(config, loss, config.seed + index) for index in range(config.seeds)]
        loads = [load for load, _ in runs]
        largest, smallest = (mean_interval([load[place] for load in loads]) for place in (0, -1))
        kinds[name] = Kind(loads, largest, smallest, sum(moved for _, moved in runs) / len(runs))
        print(f"{name}: loads {smallest[0]:.2f} to {largest[0]:.2f}, the router moved by {kinds[name].moved:.2f}")
    print(f"even: {config.top_k / config.experts:.2f}")
    return Results(config.top_k / config.experts, kinds)


def plot(results: Results) -> Figure:
    """Draw the loads of the most and of the least loaded expert after each loss."""
    figure, axes = new_figure(7.4, 3.6)
    for index, (name, kind) in enumerate(results.kinds.items()):
        for group, (mean, half) in enumerate((kind.largest, kind.smallest)):
            place = group + 0.22 * (index - 1.5)
            colour = ["grey", *COLOURS][index]
            axes.bar(place, mean, 0.2, yerr=error_bars([half]), capsize=3, color=colour)
            if group:
                words = name.replace(" a ", "\na ").replace(" counted", "\ncounted")
                axes.text(place, mean + (half or 0) + 0.02, words, ha="center", va="bottom", fontsize=8)
    axes.axhline(results.even, color="grey", linestyle="--", linewidth=1)
    axes.text(0.5, results.even + 0.02, "even", ha="center", color="grey")
    axes.set(ylabel="share of the real tokens", xticks=[0, 1], ylim=(0, 1.05))
    axes.set_xticklabels(["most loaded expert", "least loaded expert"])
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"kinds.*": TRAINED})

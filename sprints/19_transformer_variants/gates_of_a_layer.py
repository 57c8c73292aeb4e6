"""What can a gate do? Two gated features multiply exactly; a plain network of equal size can only come near.

    uv run sprints/19_transformer_variants/gates_of_a_layer.py

The task: two numbers in, their product out. Networks are trained on numbers from -2 to 2 and asked there and beyond.
Each has the same number of weights, steps and learning rates to choose from. Theory: notes/09_norms_and_gates.md
"""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from tqdm import tqdm

from shared.checks.intervals import MeanInterval, mean_interval, show_interval
from shared.lab.compare import ROUNDING, TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.blocks import FeedForward
from shared.nn.gated import GatedFeedForward
from variants.trials import fit, search_and_repeat

KINDS = {"ReLU": "relu", "GELU": "gelu_tanh", "SwiGLU": "silu"}


@dataclass(frozen=True)
class Config(ScriptConfig):
    hidden: PositiveInt = 12  # features between the layers of the gated network
    steps: PositiveInt = 1000  # optimizer steps
    batch_size: PositiveInt = 256  # pairs of numbers in a step
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (3e-3, 1e-2, 3e-2)  # learning rates that are tried
    reach: PositiveFloat = 2.0  # largest number in training
    seeds: PositiveInt = 5  # runs of each network

    def check(self) -> None:
        if self.hidden % 2:
            raise ValueError(
                f"plain networks get 3/2 as many hidden features; got --hidden {self.hidden}: give an even one"
            )


@dataclass(frozen=True)
class Network:
    """A kind of network: weights, rate, its root mean square error within and beyond, and a curve of one run."""

    weights: int
    rate: float
    within: MeanInterval
    beyond: MeanInterval
    curve: list[float]


@dataclass(frozen=True)
class Results:
    by_hand: dict[str, float]
    size_of_products: dict[str, float]
    networks: dict[str, Network]
    curve_at: list[float]


def make(kind: str, hidden: int) -> nn.Module:
    """Return a network from two numbers to two, of which the first counts; each kind has as many weights."""
    if kind == "SwiGLU":
        return GatedFeedForward(2, hidden, "silu", bias=True)
    return FeedForward(2, 3 * hidden // 2, KINDS[kind])  # ty: ignore[invalid-argument-type]


def by_hand(left: float, right: float) -> float:
    """Return what two gated features make of two numbers, with weights of 1 and -1."""
    network = GatedFeedForward(2, 2)
    for part, rows in (("gate", [[1, 0], [-1, 0]]), ("expand", [[0, 1], [0, -1]]), ("contract", [[1, 1], [0, 0]])):
        getattr(network, part).weight.data = torch.tensor(rows, dtype=torch.float32)
    return network(torch.tensor([[[left, right]]]))[0, 0, 0].item()


def error(network: nn.Module, numbers: Tensor) -> float:
    """Return the root of the mean squared error."""
    with torch.no_grad():
        return (network(numbers[None])[0, :, 0] - numbers.prod(dim=1)).square().mean().sqrt().item()


def train(config: Config, kind: str, rate: float, seed: int) -> nn.Module:
    """Return a network that was trained on products."""
    generator = seed_everything(seed)
    network = make(kind, config.hidden)

    def loss_function(network: nn.Module, numbers: Tensor) -> tuple[Tensor, int]:
        return (network(numbers[None])[0, :, 0] - numbers.prod(dim=1)).square().sum(), len(numbers)

    batches = iter(lambda: config.reach * (2 * torch.rand(config.batch_size, 2, generator=generator) - 1), None)
    for _ in fit(network, batches, loss_function, config.steps, rate):
        pass
    return network


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    grid = torch.cartesian_prod(*[torch.linspace(-config.reach, config.reach, 33)] * 2)
    ring = 2 * grid[(2 * grid).abs().amax(dim=1) > config.reach]  # up to twice as far
    curve_at = torch.linspace(-3 * config.reach, 3 * config.reach, 61)
    found = {}
    for kind in tqdm(KINDS):
        run, loss_of = partial(train, config, kind), partial(error, numbers=grid)
        trials = search_and_repeat(run, loss_of, config.rates, config.seeds, config.seed)
        trained = trials.runs
        within, beyond = (mean_interval([error(network, part) for network in trained]) for part in (grid, ring))
        with torch.no_grad():
            curve = trained[0](torch.stack([curve_at, torch.full_like(curve_at, config.reach)], dim=1)[None])[0, :, 0]
        weights = sum(parameter.numel() for parameter in trained[0].parameters() if parameter.dim() == 2)
        found[kind] = Network(weights, trials.rate, within, beyond, curve.tolist())
        print(f"{kind}: within {show_interval(*within, '.4f')}, beyond {show_interval(*beyond, '.3f')}")
    hand = {f"{a:g} · {b:g}": by_hand(a, b) for a, b in ((2.0, 3.0), (-1.5, 4.0), (100.0, -7.0))}
    sizes = {
        "within": grid.prod(dim=1).square().mean().sqrt().item(),
        "beyond": ring.prod(dim=1).square().mean().sqrt().item(),
    }
    print("by hand", hand)
    return Results(hand, sizes, found, curve_at.tolist())


def plot(results: Results) -> Figure:
    """Draw what one network of each kind makes of x times the largest number of training."""
    figure, axes = new_figure(8.0, 4.2)
    places = results.curve_at
    reach = -places[0] / 3
    axes.axvspan(-reach, reach, color="#eeeeee")
    axes.plot(places, [reach * x for x in places], color="black", linestyle=":", linewidth=2)
    axes.text(0.2, -reach, "dotted: the product", va="center")
    for index, (kind, network) in enumerate(results.networks.items()):
        axes.plot(places, network.curve, color=f"C{index}")
        axes.text(places[-1], network.curve[-1], f" {kind}", va="center", color=f"C{index}")
    axes.set(
        xlabel="first number (grey: seen in training)",
        ylabel=f"output for (x, {reach:g})",
        xlim=(places[0], 1.25 * places[-1]),
    )
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"networks.*": TRAINED, "by_hand.*": ROUNDING})

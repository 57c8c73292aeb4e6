"""Which changes of a layer can each method make? One layer, six changes that are known, six methods.

    uv run sprints/21_adapters_and_prompts/what_each_can_change.py
    uv run sprints/21_adapters_and_prompts/what_each_can_change.py --rank 4 --seeds 1

Each method learns each change by Adam, with the same data, steps and search of the rate. What is left is a share of the
change, on fresh inputs: 1 is as bad as doing nothing. Theory: notes/03_directions_and_lengths.md
"""

import math
from dataclasses import dataclass
from functools import partial

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from tqdm import tqdm

from adaptation import bitfit, bottleneck, dora, ia3, lora_plus, vera
from adaptation.adapted_layer import count, trainable
from adaptation.known_changes import CHANGES, known_change, least_of_rank
from shared.checks.intervals import MeanInterval, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.nn.lora import LoRAConfig

SEARCH_SEED = 1000  # added to the seed of a search: none of the reported runs has it
FRESH = 2048  # inputs on which is measured
TARGET = ("layer",)


@dataclass(frozen=True)
class Config(ScriptConfig):
    features: PositiveInt = 16  # inputs and outputs of the layer
    rank: PositiveInt = 2  # of LoRA and DoRA, features of the bottleneck; and of the change of low rank
    vera_rank: PositiveInt = 32  # rows of VeRA's random matrices
    rows: PositiveInt = 512  # inputs to learn from
    steps: PositiveInt = 300  # steps of Adam on all rows, the rate going down to zero
    rates: tuple[PositiveFloat, ...] = (3e-3, 1e-2, 3e-2, 1e-1, 3e-1)  # learning rates to search
    seeds: PositiveInt = 5  # runs of each, with layers and changes of their own

    def check(self) -> None:
        if self.rank >= self.features:
            raise ValueError(
                f"the rank must be below the features; got {self.rank} of {self.features}: take a lower one"
            )


@dataclass(frozen=True)
class Left:
    """The share of a change that is left, by seed, and the rate that a search found, inside its grid or at an end."""

    runs: list[float]
    interval: MeanInterval
    rate: float
    inside: bool


@dataclass(frozen=True)
class Results:
    parameters: dict[str, int]
    left: dict[str, dict[str, Left]]  # by change, by method
    least_of_rank: list[float]  # for the change of every weight


class Model(nn.Module):
    """The layer in a model, with a bias of zero."""

    def __init__(self, features: int, generator: torch.Generator) -> None:
        super().__init__()
        self.layer = nn.Linear(features, features)
        nn.init.normal_(self.layer.weight, std=features**-0.5, generator=generator)
        nn.init.zeros_(self.layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)


def methods(config: Config) -> dict[str, partial]:
    """Return what puts each method into a model."""
    rank = config.rank
    return {
        "BitFit": partial(bitfit.inject, config=bitfit.BitFitConfig(TARGET)),
        "IA3": partial(ia3.inject, config=ia3.IA3Config(TARGET)),
        "VeRA": partial(vera.inject, config=vera.VeRAConfig(TARGET, config.vera_rank)),
        "LoRA": partial(lora_plus.inject, config=LoRAConfig(TARGET, rank, alpha=2 * rank)),
        "DoRA": partial(dora.inject, config=dora.DoRAConfig(TARGET, rank, alpha=2 * rank)),
        "bottleneck": partial(bottleneck.inject, config=bottleneck.BottleneckConfig(TARGET, rank)),
    }


def learn(config: Config, inject: partial, change: str, rate: float, seed: int) -> float:
    """Train a method on a change, and return the share of the change that is left on fresh inputs."""
    generator = torch.Generator().manual_seed(seed)
    model = Model(config.features, generator)
    ideal = known_change(change, model.layer.weight.detach().clone(), config.rank, generator)
    x, fresh = (torch.randn(rows, config.features, generator=generator) for rows in (config.rows, FRESH))
    wanted = ideal(x)
    with torch.no_grad():
        all_of_it = (ideal(fresh) - model(fresh)).square().mean()
    inject(model, generator=generator)
    optimizer = torch.optim.Adam(trainable(model).values(), lr=rate, fused=True)
    for step in range(config.steps):
        optimizer.param_groups[0]["lr"] = rate * (1 + math.cos(math.pi * step / config.steps)) / 2
        loss = (model(x) - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return float((ideal(fresh) - model(fresh)).square().mean() / all_of_it)


def main(config: Config) -> Results:
    parameters, left = {}, {change: {} for change in CHANGES}
    ways = methods(config)
    for name, inject in ways.items():
        parameters[name] = count(inject(Model(config.features, torch.Generator())))
    with tqdm(total=len(CHANGES) * len(ways), desc="changes and methods") as bar:
        for change in CHANGES:
            for name, inject in ways.items():
                searched = {
                    rate: learn(config, inject, change, rate, config.seed + SEARCH_SEED) for rate in config.rates
                }
                best = min(searched, key=searched.__getitem__)
                runs = [learn(config, inject, change, best, config.seed + index) for index in range(config.seeds)]
                inside = min(config.rates) < best < max(config.rates)
                left[change][name] = Left(runs, mean_interval(runs), best, inside)
                bar.update()
    for change, row in left.items():
        print(f"{change}: " + ", ".join(f"{name} {found.interval[0]:.3f}" for name, found in row.items()))
        if edges := [f"{name} {found.rate:g}" for name, found in row.items() if not found.inside]:
            print(f"  best at an end of the search, and perhaps better beyond: {', '.join(edges)}")
    least = []
    for index in range(config.seeds):  # the change is drawn again, as in `learn`
        generator = torch.Generator().manual_seed(config.seed + index)
        weight = Model(config.features, generator).layer.weight.detach()
        ideal = known_change("every weight", weight, config.rank, generator)
        least.append(least_of_rank(ideal(torch.eye(config.features)).mT - weight, config.rank))
    print(f"least that a change of rank {config.rank} leaves of every weight: {sum(least) / len(least):.3f}")
    return Results(parameters, left, least)


def plot(results: Results) -> Figure:
    """Draw the share that is left: changes in rows, methods in columns, dark is nothing left."""
    figure, axes = new_figure(8.6, 5.0)
    names = list(results.parameters)
    shares = [[row[name].interval[0] for name in names] for row in results.left.values()]
    axes.imshow(shares, cmap="Blues_r", vmin=0, vmax=1.15, aspect="auto")
    for i, row in enumerate(results.left.values()):
        for j, name in enumerate(names):
            share, half = row[name].interval
            shown = f"{share:.2f}" if half is None else f"{share:.2f}\n± {half:.2f}"
            axes.text(j, i, shown, ha="center", va="center", size=9, color="white" if share < 0.5 else "black")
    axes.set_xticks(range(len(names)), [f"{name}\n{results.parameters[name]} numbers" for name in names])
    axes.set_yticks(range(len(results.left)), list(results.left))
    axes.set(xlabel="method", ylabel="the ideal change", title="share of the change that is left (mean, 95 % interval)")
    axes.grid(False)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"left.*": TRAINED})

"""How much can a batch say? What InfoNCE estimates, beside what is there: log K, for K pairs that are equally likely.

    uv run sprints/22_pictures_and_words/saturates.py
    uv run sprints/22_pictures_and_words/saturates.py --batches 32 --kinds 8 32 128 512 2048

A "picture" is one of K things, its "caption" is the thing's name, so that the mutual information is log K. Log B minus
the loss estimates it from below, and can never exceed log B. Theory: notes/05_below_the_floor_of_a_batch.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from scipy.stats import binom
from torch import nn
from torch.nn import functional

from seeing.captions import entropy, entropy_given_scene
from seeing.contrastive import ContrastiveLoss
from shared.checks.intervals import mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different, PositiveFloat, PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    batches: Annotated[tuple[AtLeastTwo, ...], Different] = (16, 64)  # pairs of a batch
    kinds: Annotated[tuple[AtLeastTwo, ...], Different] = (4, 16, 64, 256, 1024)  # K: how many things there are
    features: AtLeastTwo = 32  # of the unit vectors
    steps: PositiveInt = 400  # of Adam
    rate: PositiveFloat = 0.05  # of Adam
    evaluation: PositiveInt = 200  # batches that measure the trained vectors
    seeds: PositiveInt = 3  # trainings of each


@dataclass(frozen=True)
class Estimate:
    """In nats: what the best vectors would give, and what trained ones gave, with half of the 95 % interval."""

    best: float
    trained: float
    half: float | None


@dataclass(frozen=True)
class Results:
    """`estimates` by batch and then by the number of things."""

    estimates: dict[int, dict[int, Estimate]]
    picture_is_worth: float
    pairs_to_see_it: float


def best_estimate(kinds: int, batch: int) -> float:
    """Return log B - E log(1 + D), the estimate of vectors that tell all things apart.

    D others of the batch are the same thing, D ~ Binomial(B - 1, 1 / K), and share the probability with the right one.
    """
    others = range(batch)
    return math.log(batch) - sum(math.log1p(d) * binom.pmf(d, batch - 1, 1 / kinds) for d in others)


def train(kinds: int, batch: int, config: Config, seed: int) -> float:
    """Return log B minus the loss of trained vectors, a picture's and a name's for each thing."""
    generator = torch.Generator().manual_seed(seed)
    tables = nn.Parameter(torch.randn(2, kinds, config.features, generator=generator))
    loss_of = ContrastiveLoss("clip")
    optimizer = torch.optim.Adam([tables, *loss_of.parameters()], lr=config.rate)

    def loss() -> torch.Tensor:
        things = torch.randint(kinds, (batch,), generator=generator)  # with replacement, as pairs come
        return loss_of(*functional.normalize(tables[:, things], dim=-1))

    for _ in range(config.steps):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
        loss_of.clamp()
    with torch.no_grad():
        return math.log(batch) - sum(loss().item() for _ in range(config.evaluation)) / config.evaluation


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    estimates: dict[int, dict[int, Estimate]] = {}
    for batch in config.batches:
        estimates[batch] = {}
        for kinds in config.kinds:
            runs = [train(kinds, batch, config, config.seed + seed) for seed in range(config.seeds)]
            found = estimates[batch][kinds] = Estimate(best_estimate(kinds, batch), *mean_interval(runs))
            print(
                f"batch {batch} (log B = {math.log(batch):.2f}), {kinds} things: there are {math.log(kinds):.2f} nats, "
                f"best estimate {found.best:.2f}, trained {found.trained:.2f}"
            )
    worth = entropy() - entropy_given_scene()
    print(f"a picture of our table is worth {worth:.2f} nats; log B reaches that with {math.exp(worth):,.0f} pairs")
    return Results(estimates, worth, math.exp(worth))


def plot(results: Results) -> Figure:
    """Draw what is there, the best estimates as lines, and the trained ones as dots."""
    figure, axes = new_figure(7.4, 4.3)
    kinds = list(next(iter(results.estimates.values())))
    axes.plot(kinds, [math.log(number) for number in kinds], color="black", linestyle="--")
    axes.annotate(
        "what is there: log K", (kinds[-1], math.log(kinds[-1])), xytext=(-132, 0), textcoords="offset points"
    )
    for colour, (batch, row) in zip(("C0", "C3", "C2", "C4"), results.estimates.items(), strict=False):
        fine = torch.logspace(math.log10(kinds[0]), math.log10(kinds[-1]), 40).tolist()
        axes.plot(fine, [best_estimate(number, batch) for number in fine], color=colour)
        axes.axhline(math.log(batch), color=colour, linewidth=0.8, linestyle=":")
        axes.annotate(
            f"log {batch}", (kinds[0], math.log(batch)), xytext=(0, 4), textcoords="offset points", color=colour
        )
        halves = [estimate.half or 0.0 for estimate in row.values()]
        trained = [estimate.trained for estimate in row.values()]
        axes.errorbar(list(row), trained, halves, color=colour, marker="o", linestyle="", capsize=3)
    axes.set(xscale="log", xlabel="K: things that are equally likely", ylabel="estimate, nats", ylim=(0, None))
    axes.set_xticks(kinds, [f"{number:,}" for number in kinds])
    axes.minorticks_off()
    axes.set_title("lines: the best vectors; dots: trained ones, with 95 % intervals", fontsize=10)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"estimates.*.trained": TRAINED, "estimates.*.half": TRAINED})

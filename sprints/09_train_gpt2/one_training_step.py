"""What does each line of the training loop do? Two weights, four words, every number of it.

    uv run sprints/09_train_gpt2/one_training_step.py
    uv run sprints/09_train_gpt2/one_training_step.py --clip 1

The model knows two words, cat and dog, and its weights are their logits. Two batches are accumulated: three cats, and
one dog. The same is then done by `shared/training/loop.py`. Theory: notes/04_the_training_loop.md
"""

import itertools
import math
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveFloat
from shared.lab.run import run
from shared.training.loop import train_steps
from shared.training.schedules import warmup_cosine, warmup_linear

CAT, DOG = 0, 1
BATCHES = (torch.tensor([CAT, CAT, CAT]), torch.tensor([DOG]))


@dataclass(frozen=True)
class Config(ScriptConfig):
    clip: PositiveFloat = 0.25  # largest norm of the gradient
    learning_rate: Annotated[float, Field(gt=0, le=1000)] = 1.0  # peak of the schedule
    steps: Annotated[int, Field(ge=1, le=1000)] = 40  # steps of the schedule
    warmup: Annotated[int, Field(ge=1, le=1000)] = 5  # steps until the peak


@dataclass(frozen=True)
class Results:
    sums: list[list[float]]
    gradient: list[float]
    mean_of_means: list[float]
    norm: float
    clipped: list[float]
    weights: list[float]
    by_loop: list[float]
    without_zeroing: list[float]
    cat_with_zeroing: list[float]
    cat_without_zeroing: list[float]
    linear: list[float]
    cosine: list[float]


def gradient_of(weights: Tensor, words: Tensor) -> Tensor:
    """Return the gradient of the summed loss: for each word the probabilities, less 1 for the word that came."""
    return (weights.softmax(0) - functional.one_hot(words, 2)).sum(0)


def clip_to(gradient: Tensor, norm: float) -> Tensor:
    """Return the gradient, scaled down to a norm if it is longer."""
    return gradient * min(1.0, norm / gradient.norm().item())


class TwoWords(nn.Module):
    """A model that reads nothing: the logits of cat and dog are its weights."""

    def __init__(self) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(2))


def loss_of(model: TwoWords, words: Tensor) -> tuple[Tensor, int]:
    """Return the summed loss of the words, and how many there are."""
    return functional.cross_entropy(model.logits.expand(len(words), 2), words, reduction="sum"), len(words)


def main(config: Config) -> Results:
    weights, count = torch.zeros(2), sum(map(len, BATCHES))
    sums = [gradient_of(weights, words) for words in BATCHES]
    gradient = sum(sums, torch.zeros(2)) / count
    clipped = clip_to(gradient, config.clip)
    schedule = partial(warmup_linear, steps=config.steps, warmup=config.warmup)
    after = weights - config.learning_rate * schedule(0) * clipped
    model = TwoWords()
    optimizer = torch.optim.SGD(model.parameters(), config.learning_rate)
    trained = train_steps(
        model, iter(BATCHES), loss_function=loss_of, optimizers=[optimizer], steps=1, schedule=schedule,
        clip=config.clip, accumulate=len(BATCHES),
    )  # fmt: skip
    next(trained)
    # The next step, if the old gradient stays where it is: PyTorch adds the new one to it.
    stale = clipped + sum((gradient_of(after, words) for words in BATCHES), torch.zeros(2)) / count
    results = Results(
        sums=[part.tolist() for part in sums],
        gradient=gradient.tolist(),
        mean_of_means=(sum((s / len(b) for s, b in zip(sums, BATCHES, strict=True)), torch.zeros(2)) / 2).tolist(),
        norm=gradient.norm().item(),
        clipped=clipped.tolist(),
        weights=after.tolist(),
        by_loop=model.logits.tolist(),
        without_zeroing=stale.tolist(),
        cat_with_zeroing=probability_of_cat(config, zero=True),
        cat_without_zeroing=probability_of_cat(config, zero=False),
        linear=[schedule(step) for step in range(config.steps)],
        cosine=[warmup_cosine(step, steps=config.steps, warmup=config.warmup) for step in range(config.steps)],
    )
    print(f"summed gradients {results.sums}, over all words {results.gradient}, mean of means {results.mean_of_means}")
    print(
        f"norm {results.norm:.4f}, clipped {results.clipped}, weights {results.weights}, by the loop {results.by_loop}"
    )
    return results


def probability_of_cat(config: Config, *, zero: bool) -> list[float]:
    """Return the probability of cat over the steps at a constant rate, with `.grad` set to zero each time or not."""
    weights, kept, found = torch.zeros(2), torch.zeros(2), []
    for _, words in zip(range(config.steps), itertools.repeat(torch.cat(BATCHES)), strict=False):
        found.append(weights.softmax(0)[CAT].item())
        kept = gradient_of(weights, words) / len(words) + (0 if zero else kept)
        weights = weights - config.learning_rate * kept
    return found


def plot(results: Results) -> Figure:
    """Draw the four things that the loop does besides forward and backward."""
    figure, grid = new_figure(9.0, 7.2, rows=2, columns=2)
    zeroing, accumulation, clipping, rates = grid.flat
    zeroing.plot(results.cat_with_zeroing, color="C0")
    zeroing.plot(results.cat_without_zeroing, color="C3")
    zeroing.axhline(0.75, color="black", linestyle=":", linewidth=1)
    zeroing.text(39, 0.38, "zeroed: straight to 0.75", color="C0", ha="right")
    zeroing.text(39, 0.16, "not zeroed: old gradients add up", color="C3", ha="right")
    zeroing.set(title="zero_grad", xlabel="step", ylabel="probability of cat (right: 0.75)", ylim=(0, 1.05))
    draw_accumulation(accumulation, results)
    draw_clipping(clipping, results)
    rates.plot(results.linear, color="C0")
    rates.plot(results.cosine, color="C1")
    rates.text(12, 0.45, "linear to 0", color="C0", ha="center")
    rates.text(30, 0.6, "cosine to 0.1", color="C1", ha="center")
    rates.text(1.5, 0.03, "warm-up")
    rates.set(title="schedule", xlabel="step", ylabel="learning rate / peak", ylim=(0, 1.05))
    return figure


def draw_accumulation(axes: Axes, results: Results) -> None:
    """Draw what each way of adding up asks of the logit of cat."""
    names = ["3 cats, summed", "1 dog, summed", "both / 4 words", "mean of the means"]
    values = [-results.sums[0][CAT], -results.sums[1][CAT], -results.gradient[CAT], -results.mean_of_means[CAT]]
    axes.barh(names, values, color=["grey", "grey", "C0", "C3"])
    for index, value in enumerate(values):
        axes.text(
            max(value, 0) + 0.05, index, f"{value:+.2f}" if abs(value) > 0.001 else "0: no step at all", va="center"
        )
    axes.invert_yaxis()
    axes.set(title="accumulate", xlabel="push on the logit of cat", xlim=(-0.7, 2.0))


def draw_clipping(axes: Axes, results: Results) -> None:
    """Draw the gradient, the circle that it has to stay in, and what is left of it."""
    radius = math.hypot(*results.clipped)
    turn = [math.pi * index / 50 for index in range(101)]
    axes.plot([radius * math.cos(t) for t in turn], [radius * math.sin(t) for t in turn], color="grey", linestyle=":")
    for vector, colour, words, width, height in (
        (results.gradient, "C3", "gradient", 1.5, 0.05),
        (results.clipped, "C0", "clipped", 4.0, -0.55),
    ):
        style = {"arrowstyle": "-|>", "color": colour, "linewidth": width, "shrinkA": 0, "shrinkB": 0}
        axes.annotate("", (vector[0], vector[1]), (0, 0), arrowprops=style)
        axes.text(
            vector[0],
            vector[1] + height * results.norm / 0.354,
            f"{words}, norm {math.hypot(*vector):.3f}",
            color=colour,
            ha="center",
        )
    limit = 1.45 * results.norm
    axes.set(title="clip", xlabel="slope in the logit of cat", ylabel="slope in the logit of dog", aspect="equal")
    axes.set(xlim=(-limit, limit), ylim=(-limit, limit))


if __name__ == "__main__":
    run(main, Config, plot=plot)

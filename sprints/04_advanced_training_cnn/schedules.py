"""How should the learning rate fall? Eight schedules written out, equal to PyTorch's, and compared at their best rates.

    uv run sprints/04_advanced_training_cnn/schedules.py

A small network learns digits for few steps, which is when the schedule matters. Each schedule may choose its peak
rate. Every run validates on a block of the first half; the test half is not used. Theory: notes/04_schedules.md
"""

import math
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import SGD, lr_scheduler
from tqdm import tqdm

from shared.lab.config import ScriptConfig
from shared.lab.digits import halves, load_digits
from shared.lab.figures import new_figure
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.training.batches import shuffled_rows
from shared.training.loop import train_steps

Factor = Callable[[int], float]
Batch = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: int = 112  # optimizer steps of a run
    batch_size: int = 32  # images of a batch
    rates: tuple[float, ...] = (0.03, 0.1, 0.3, 1.0, 3.0)  # peak learning rates to choose from
    folds: int = 5  # blocks of the first half; each validates once


@dataclass(frozen=True)
class Compared:
    """A schedule: largest difference from PyTorch's, validation scores by peak rate, and at the best rate by fold."""

    difference: float
    losses: dict[str, float]
    best_rate: float
    loss: float
    accuracy: float
    losses_by_fold: list[float]
    gain: float
    gain_error: float


@dataclass(frozen=True)
class Results:
    steps: int
    factors: dict[str, list[float]]
    schedules: dict[str, Compared]


def constant(step: int) -> float:  # noqa: ARG001 (every schedule takes the step)
    return 1.0


def staircase(step: int, period: int, gamma: float = 0.1) -> float:
    """gamma ^ floor(step / period)"""
    return gamma ** (step // period)


def exponential(step: int, gamma: float) -> float:
    """gamma ^ step"""
    return gamma**step


def linear(step: int, steps: int) -> float:
    """1 - step / steps"""
    return 1 - step / steps


def cosine(step: float, steps: float) -> float:
    """(1 + cos(pi step / steps)) / 2: flat at both ends (Loshchilov & Hutter 2017, equation 5)."""
    return (1 + math.cos(math.pi * step / steps)) / 2


def restarts(step: int, first: int) -> float:
    """Cosines of first, 2 first, 4 first ... steps, one after the other."""
    length = first
    while step >= length:
        step, length = step - length, 2 * length
    return cosine(step, length)


def one_cycle(step: int, steps: int, rise: float = 0.3, start: float = 1 / 25, end: float = 1 / 250_000) -> float:
    """Half a cosine up from `start` to 1, then half a cosine down to `end` (Smith & Topin 2018)."""
    peak = rise * steps - 1
    if step <= peak:
        return 1 + (start - 1) * cosine(step, peak)
    return end + (1 - end) * cosine(step - peak, steps - 1 - peak)


class Plateau:
    """gamma ^ (how often the validation loss has not been lower for more than `patience` updates)"""

    def __init__(self, patience: int, gamma: float = 0.1) -> None:
        self.patience, self.gamma = patience, gamma
        self.factor, self.lowest, self.waited = 1.0, math.inf, 0

    def __call__(self, step: int) -> float:  # noqa: ARG002
        return self.factor

    def update(self, loss: float) -> None:
        # Lower by less than a ten-thousandth is not lower, as in PyTorch.
        if loss < self.lowest * (1 - 1e-4):
            self.lowest, self.waited = loss, 0
        else:
            self.waited += 1
        if self.waited > self.patience:
            self.factor, self.waited = self.factor * self.gamma, 0


def ours(name: str, steps: int) -> Factor:
    """Return a schedule for a run of so many steps."""
    factors: dict[str, Factor] = {
        "constant": constant,
        "staircase": lambda step: staircase(step, period=steps // 3),
        "exponential": lambda step: exponential(step, gamma=0.01 ** (1 / steps)),
        "linear": lambda step: linear(step, steps),
        "cosine": lambda step: cosine(step, steps),
        "cosine with restarts": lambda step: restarts(step, first=math.ceil(steps / 7)),
        "one cycle": lambda step: one_cycle(step, steps),
        "plateau": Plateau(patience=1),
    }
    return factors[name]


def theirs(name: str, optimizer: SGD, steps: int) -> lr_scheduler.LRScheduler:
    """Return the same schedule from PyTorch."""
    schedulers: dict[str, Callable[[], lr_scheduler.LRScheduler]] = {
        "constant": lambda: lr_scheduler.ConstantLR(optimizer, factor=1.0),
        "staircase": lambda: lr_scheduler.StepLR(optimizer, steps // 3, gamma=0.1),
        "exponential": lambda: lr_scheduler.ExponentialLR(optimizer, 0.01 ** (1 / steps)),
        "linear": lambda: lr_scheduler.LinearLR(optimizer, 1.0, 0.0, total_iters=steps),
        "cosine": lambda: lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps),
        "cosine with restarts": lambda: lr_scheduler.CosineAnnealingWarmRestarts(
            optimizer, T_0=math.ceil(steps / 7), T_mult=2
        ),
        "one cycle": lambda: lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=steps, cycle_momentum=False),
        "plateau": lambda: lr_scheduler.ReduceLROnPlateau(optimizer, patience=1, eps=0.0),
    }
    return schedulers[name]()


def difference(name: str, steps: int, losses: list[float]) -> float:
    """Return the largest difference between our rates and PyTorch's; `losses` are what a plateau is judged by."""
    optimizer = SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    factor, scheduler = ours(name, steps), theirs(name, optimizer, steps)
    largest = 0.0
    for step in range(steps):
        largest = max(largest, abs(factor(step) - optimizer.param_groups[0]["lr"]))
        optimizer.step()
        if isinstance(factor, Plateau):
            factor.update(losses[step])
            scheduler.step(losses[step])  # ty: ignore[invalid-argument-type]
        elif step + 1 < steps:
            scheduler.step()
    return largest


def network() -> nn.Sequential:
    """Return a small convolutional network for images of 8 x 8."""
    layers: list[nn.Module] = []
    for inputs, outputs, stride in ((1, 12, 1), (12, 24, 2)):
        layers += [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 10))


def batches(images: Tensor, labels: Tensor, size: int, generator: torch.Generator) -> Iterator[Batch]:
    for rows in shuffled_rows(len(labels), size, generator):
        yield images[rows], labels[rows]


def loss_function(model: nn.Module, batch: Batch) -> tuple[Tensor, int]:
    return functional.cross_entropy(model(batch[0]), batch[1], reduction="sum"), len(batch[1])


@torch.no_grad()
def score(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[float, float]:
    """Return loss and accuracy in evaluation mode."""
    logits = model.eval()(images)
    return functional.cross_entropy(logits, labels).item(), (logits.argmax(1) == labels).float().mean().item()


def train(name: str, rate: float, config: Config, fold: int) -> tuple[float, float]:
    """Train with a schedule and score on the fold that was held out; the fold is the seed, too."""
    generator = seed_everything(config.seed + fold)
    (images, labels), _ = halves(load_digits())
    held = torch.arange(len(labels)) * config.folds // len(labels) == fold
    model, schedule = network(), ours(name, config.steps)
    optimizer = SGD(model.parameters(), lr=rate, momentum=0.9, nesterov=True, weight_decay=5e-4)
    data = batches(images[~held], labels[~held], config.batch_size, generator)
    for step, _ in train_steps(
        model, data, loss_function=loss_function, optimizers=[optimizer], steps=config.steps, schedule=schedule
    ):
        if isinstance(schedule, Plateau) and step % 10 == 0:
            schedule.update(score(model, images[held], labels[held])[0])
    return score(model, images[held], labels[held])


def main(config: Config) -> Results:
    if config.folds < 2:
        raise ValueError(f"--folds must be at least 2, so that one trains and one validates; got {config.folds}")
    generator = seed_everything(config.seed)
    losses = torch.rand(config.steps, generator=generator).tolist()
    factors, scores = {}, {}
    names = ("constant", "staircase", "exponential", "linear", "cosine", "cosine with restarts", "one cycle", "plateau")
    for name in tqdm(names, unit="schedule"):
        folds = range(config.folds)
        scores[name] = {rate: [train(name, rate, config, fold) for fold in folds] for rate in config.rates}
        if name != "plateau":
            factors[name] = [ours(name, config.steps)(step) for step in range(config.steps)]
    schedules: dict[str, Compared] = {}
    for name, by_rate in scores.items():
        means = {rate: statistics.mean(loss for loss, _ in folds) for rate, folds in by_rate.items()}
        best = min(means, key=means.__getitem__)
        by_fold = [loss for loss, _ in by_rate[best]]
        baseline = schedules["constant"].losses_by_fold if schedules else by_fold
        gains = [before - after for before, after in zip(baseline, by_fold, strict=True)]
        schedules[name] = Compared(
            difference=difference(name, config.steps, losses),
            losses={str(rate): loss for rate, loss in means.items()},
            best_rate=best,
            loss=means[best],
            accuracy=statistics.mean(accuracy for _, accuracy in by_rate[best]),
            losses_by_fold=by_fold,
            gain=statistics.mean(gains),
            gain_error=statistics.stdev(gains) / math.sqrt(config.folds),
        )
        found = schedules[name]
        print(f"{name:<22}at {found.best_rate:<5} loss {found.loss:.4f}, accuracy {found.accuracy:.2%}, ", end="")
        print(f"{found.gain:+.4f} +- {found.gain_error:.4f} better than constant; from PyTorch {found.difference:.0e}")
    return Results(config.steps, factors, schedules)


def plot(results: Results) -> Figure:
    """Draw the schedules, and the validation loss by peak rate."""
    figure, (left, right) = new_figure(9.0, 4.0, columns=2)
    colours = {name: f"C{number}" for number, name in enumerate(results.schedules)}
    for name, factors in results.factors.items():
        left.plot(factors, color=colours[name])
    left.set(xlabel="step", ylabel="learning rate / peak")
    for (name, found), marker in zip(results.schedules.items(), "os^DvPX*", strict=True):
        right.plot(
            [float(rate) for rate in found.losses], list(found.losses.values()), marker, color=colours[name],
            linestyle="-", label=name,
        )  # fmt: skip
    right.set(xlabel="peak learning rate", ylabel="validation loss", xscale="log", yscale="log")
    rates = list(results.schedules["constant"].losses)
    right.set_xticks([float(rate) for rate in rates], rates)
    right.set_yticks([0.25, 0.5, 1, 2], ["0.25", "0.5", "1", "2"])
    right.minorticks_off()
    figure.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

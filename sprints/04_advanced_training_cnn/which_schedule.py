"""How should the learning rate fall? Eight schedules are compared, each at the peak rate that suits it best.

    uv run sprints/04_advanced_training_cnn/which_schedule.py
    uv run sprints/04_advanced_training_cnn/which_schedule.py --preset fresh-averages

A small network learns digits for few steps, which is when the schedule matters. Every run validates on a block of the
first half; the test half is not used. Theory: notes/05_schedules.md
"""

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import SGD
from tqdm import tqdm

from digit_study.evaluation import renew_running_averages
from digit_study.images import Images, hold_out, load_images
from digit_study.rate_schedules import NAMES, Plateau, make_schedule
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import MOST, Folds, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.training.loop import train_steps
from shared.training.shuffling import shuffled_rows

# At a constant rate training ends anywhere: the rounding of another processor moves its loss by 0.2, and with it all
# gains over it, its best rate, and what few steps lead to on a single fold.
TOLERANCE = {
    "schedules.*": Tolerance(compared=False),
    "schedules.*.loss": Tolerance(absolute=0.1),
    "schedules.*.accuracy": Tolerance(absolute=0.05),
    "schedules.*.gain": Tolerance(absolute=0.3),
    "schedules.constant.loss": Tolerance(absolute=0.3),
    "schedules.constant.accuracy": Tolerance(absolute=0.1),
}
PRESETS = {
    "fresh-averages": {"fresh_averages": True},
}
Steps = Annotated[int, Field(ge=3, le=MOST)]  # for three stairs


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: Steps = 112  # optimizer steps of a run
    batch_size: PositiveInt = 32  # images of a batch
    rates: tuple[PositiveFloat, ...] = (0.03, 0.1, 0.3, 1.0, 3.0)  # peak learning rates to choose from
    folds: Folds = 5  # blocks of the first half; each validates once
    fresh_averages: bool = False  # compute batch norm's averages anew, by the last weights, before the last score


@dataclass(frozen=True)
class ScheduleScores:
    """A schedule's validation scores: by peak rate, and by fold at the best one, with the gain over a constant rate."""

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
    schedules: dict[str, ScheduleScores]


def small_network() -> nn.Sequential:
    """Return a small convolutional network for images of 8 x 8."""
    layers: list[nn.Module] = []
    for inputs, outputs, stride in ((1, 12, 1), (12, 24, 2)):
        layers += [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 10))


def batches(images: Images, size: int, generator: torch.Generator) -> Iterator[Images]:
    for rows in shuffled_rows(len(images.labels), size, generator):
        yield Images(images.pixels[rows], images.labels[rows])


def loss_function(network: nn.Module, batch: Images) -> tuple[Tensor, int]:
    return functional.cross_entropy(network(batch.pixels), batch.labels, reduction="sum"), len(batch.labels)


@torch.no_grad()
def score(network: nn.Module, images: Images) -> tuple[float, float]:
    """Return loss and accuracy in evaluation mode."""
    logits = network.eval()(images.pixels)
    loss = functional.cross_entropy(logits, images.labels).item()
    return loss, (logits.argmax(1) == images.labels).float().mean().item()


def train(name: str, rate: float, config: Config, fold: int) -> tuple[float, float]:
    """Train with a schedule and score on the fold that was held out; the fold is the seed, too."""
    known, _ = load_images("digits", torch.device("cpu"))
    training, validation = hold_out(known, fold, config.folds)
    generator = seed_everything(config.seed + fold)
    network, schedule = small_network(), make_schedule(name, config.steps)
    optimizer = SGD(network.parameters(), lr=rate, momentum=0.9, nesterov=True, weight_decay=5e-4)
    data = batches(training, config.batch_size, generator)
    for step, _ in train_steps(
        network, data, loss_function=loss_function, optimizers=[optimizer], steps=config.steps, schedule=schedule
    ):
        if isinstance(schedule, Plateau) and step % 10 == 0:
            schedule.update(score(network, validation)[0])
    if config.fresh_averages:
        renew_running_averages(network, [training])
    return score(network, validation)


def summarise(by_rate: dict[float, list[tuple[float, float]]], constant: list[float] | None) -> ScheduleScores:
    """Return a schedule's scores at its best peak, beside the losses of a constant rate at its own, fold by fold."""
    means = {rate: statistics.mean(loss for loss, _ in folds) for rate, folds in by_rate.items()}
    best = min(means, key=means.__getitem__)
    by_fold = [loss for loss, _ in by_rate[best]]
    gains = [before - after for before, after in zip(constant or by_fold, by_fold, strict=True)]
    return ScheduleScores(
        losses={str(rate): loss for rate, loss in means.items()},
        best_rate=best,
        loss=means[best],
        accuracy=statistics.mean(accuracy for _, accuracy in by_rate[best]),
        losses_by_fold=by_fold,
        gain=statistics.mean(gains),
        gain_error=statistics.stdev(gains) / math.sqrt(len(gains)),
    )


def main(config: Config) -> Results:
    schedules: dict[str, ScheduleScores] = {}
    for name in (bar := tqdm(NAMES, unit="schedule")):
        folds = range(config.folds)
        by_rate = {rate: [train(name, rate, config, fold) for fold in folds] for rate in config.rates}
        constant = schedules["constant"].losses_by_fold if schedules else None
        schedules[name] = scores = summarise(by_rate, constant)
        bar.write(
            f"{name:<22}at {scores.best_rate:<5} loss {scores.loss:.4f}, accuracy {scores.accuracy:.2%}, "
            f"{scores.gain:+.4f} +- {scores.gain_error:.4f} better than constant"
        )
    return Results(config.steps, schedules)


def plot(results: Results) -> Figure:
    """Draw the validation loss by peak rate."""
    figure, axes = new_figure(7.0, 4.0)
    for (name, scores), marker in zip(results.schedules.items(), "os^DvPX*", strict=True):
        axes.plot([float(rate) for rate in scores.losses], list(scores.losses.values()), marker=marker, label=name)
    axes.set(xlabel="peak learning rate", ylabel="validation loss", xscale="log", yscale="log")
    rates = list(results.schedules["constant"].losses)
    axes.set_xticks([float(rate) for rate in rates], rates)
    axes.set_yticks([0.25, 0.5, 1, 2], ["0.25", "0.5", "1", "2"])
    axes.minorticks_off()
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)

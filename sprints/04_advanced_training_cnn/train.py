"""Train a convolutional network from images to a test accuracy: the whole loop, with five seeds.

    uv run sprints/04_advanced_training_cnn/train.py
    uv run sprints/04_advanced_training_cnn/train.py --preset lenet
    uv run sprints/04_advanced_training_cnn/train.py --preset mnist
    uv run tensorboard --logdir runs/04_advanced_training_cnn

Without options it takes scikit-learn's digits: the first half trains and validates, the second half tests at the end.
--preset mnist reads the real MNIST; --data mnist alone tries it with the small network of the digits.
Theory: notes/04_lenet_and_resnet.md and notes/07_early_stopping.md
"""

import statistics
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import torch
from matplotlib.figure import Figure
from torch import nn
from tqdm import tqdm

from digit_study.augmentation import augmented_batches
from digit_study.evaluation import Mistake, evaluate, find_mistakes, smoothed_loss
from digit_study.event_logs import EventLog
from digit_study.images import Images, hold_out, load_images
from digit_study.networks import build_network
from digit_study.recipe import Recipe, make_schedule
from digit_study.trained_network import FILE, save_trained
from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Folds, PositiveInt
from shared.lab.run import run, run_folder
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything
from shared.training.keep_best import KeepBest
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers

PRESETS = {
    # Without batch norm it takes longer; its steps cost a third.
    "lenet": {"model": "lenet", "steps": 3000, "eval_every": 100},
    # 25 epochs of the 55,000 images that are left when one block of twelve validates
    "mnist": {
        "data": "mnist", "widths": (32, 64, 128), "pool": True, "folds": 12, "seeds": 1, "batch_size": 128,
        "steps": 10_750, "eval_every": 430, "patience": 25, "warmup": 430, "shift": 2.0, "precision": "auto",
    },
}  # fmt: skip


# Counts are exact; which images are wrong, and each point of a curve, differs with the last digit of a sum.
TOLERANCE = {
    "*": Tolerance(absolute=0.02),
    "runs.*": Tolerance(compared=False),
    "mistakes.*": Tolerance(compared=False),
    "parameters": EXACT,
    "*_images": EXACT,
}


@dataclass(frozen=True)
class Config(Recipe, ScriptConfig):
    data: Literal["digits", "mnist"] = "digits"  # images to learn
    seeds: PositiveInt = 5  # runs, each with the next seed
    folds: Folds = 5  # blocks of the training data; each seed validates on the next one
    test: bool = True  # score the test set at the end (off while options are being chosen)
    eval_every: PositiveInt = 30  # steps between evaluations
    patience: PositiveInt = 12  # evaluations without a lower validation loss until training stops
    tensorboard: bool = True  # write scalars, images, histograms and the graph to the folder of the run


@dataclass
class SeedResult:
    """One seed: its curves, the step whose weights were kept, and their scores."""

    seed: int
    steps: list[int] = field(default_factory=list)
    train_losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    validation_accuracies: list[float] = field(default_factory=list)
    best_step: int = 0
    best_validation_accuracy: float = 0.0
    test_accuracy: float | None = None


@dataclass(frozen=True)
class Results:
    parameters: int
    train_images: int
    validation_images: int
    test_images: int
    runs: list[SeedResult]
    validation_accuracy: float
    last_validation_accuracy: float
    test_accuracy: float | None
    test_deviation: float | None
    committee_accuracy: float | None
    mistakes: list[Mistake]


def train(
    config: Config, seed: int, training: Images, validation: Images, log: EventLog
) -> tuple[SeedResult, nn.Module]:
    """Train a new network with one seed; return its curves, and the network with the best weights."""
    generator, result = seed_everything(seed), SeedResult(seed)
    network = build_network(config, training.pixels.shape[-1]).to(training.pixels.device)
    log.start(network, next(augmented_batches(training, config, torch.Generator().manual_seed(seed))))
    optimizers = make_optimizers(network, learning_rate=config.learning_rate, weight_decay=config.weight_decay)
    progress = train_steps(
        network,
        augmented_batches(training, config, generator),
        loss_function=partial(smoothed_loss, smoothing=config.label_smoothing),
        optimizers=optimizers,
        steps=config.steps,
        schedule=make_schedule(config),
        precision=config.precision,
    )
    best, losses = KeepBest(network, config.patience), []
    for step, loss in (bar := tqdm(progress, total=config.steps, unit="step", desc=f"seed {seed}")):
        losses.append(loss)
        if step % config.eval_every and step < config.steps:
            continue
        score, train_loss = evaluate(network, validation, config.label_smoothing), sum(losses) / len(losses)
        losses.clear()
        result.steps.append(step)
        result.train_losses.append(train_loss)
        result.validation_losses.append(score.loss)
        result.validation_accuracies.append(score.accuracy)
        bar.set_postfix(loss=f"{train_loss:.3f}", validation=f"{score.accuracy:.2%}")
        scalars = {"loss/train": train_loss, "loss/validation": score.loss, "accuracy/validation": score.accuracy}
        log.evaluation(network, step, scalars | {"learning_rate": optimizers[0].param_groups[0]["lr"]})
        best.update(score.loss, step)
        if best.stop:
            break
    best.restore()
    result.best_step = best.best_step
    result.best_validation_accuracy = result.validation_accuracies[result.steps.index(best.best_step)]
    print(f"seed {seed}: best after {best.best_step} steps of {step}, validation {result.best_validation_accuracy:.2%}")
    return result, network


def main(config: Config) -> Results:
    keep_freed_memory()
    known, test = load_images(config.data, pick_device(config.device))
    folder = run_folder(config, __file__)
    seed_results, probabilities, mistakes = [], [], []
    for seed in range(config.seed, config.seed + config.seeds):
        training, validation = hold_out(known, seed % config.folds, config.folds)
        with closing(EventLog(folder / "tensorboard" / f"seed{seed}" if config.tensorboard else None)) as log:
            result, network = train(config, seed, training, validation, log)
        seed_results.append(result)
        if config.test:
            score = evaluate(network, test, config.label_smoothing)
            result.test_accuracy = score.accuracy
            probabilities.append(score.probabilities)
            if seed == config.seed:
                mistakes = find_mistakes(score, test)
                save_trained(folder / FILE, config, network, validation, test, mistakes)
    tested = [result.test_accuracy for result in seed_results if result.test_accuracy is not None]
    # The committee takes the mean of its members' probabilities.
    together = torch.stack(probabilities).mean(0).argmax(1) == test.labels if tested else None
    if tested:
        print(f"test accuracies {', '.join(f'{accuracy:.2%}' for accuracy in tested)}")
    return Results(
        parameters=sum(weight.numel() for weight in network.parameters()),
        train_images=len(training.labels),
        validation_images=len(validation.labels),
        test_images=len(test.labels),
        runs=seed_results,
        validation_accuracy=statistics.mean(result.best_validation_accuracy for result in seed_results),
        last_validation_accuracy=statistics.mean(result.validation_accuracies[-1] for result in seed_results),
        test_accuracy=statistics.mean(tested) if tested else None,
        test_deviation=statistics.stdev(tested) if len(tested) > 1 else None,
        committee_accuracy=None if together is None else together.float().mean().item(),
        mistakes=mistakes,
    )


def plot(results: Results) -> Figure:
    """Draw losses and validation errors of all seeds over the steps, with the step whose weights were kept."""
    figure, (left, right) = new_figure(9.0, 3.6, columns=2)
    for number, result in enumerate(results.runs):
        label = "training" if number == 0 else None
        left.plot(result.steps, result.train_losses, color="grey", linewidth=1, label=label)
        left.plot(result.steps, result.validation_losses, color=f"C{number}", label=f"validation, seed {result.seed}")
        errors = [1 - accuracy for accuracy in result.validation_accuracies]
        right.plot(result.steps, errors, color=f"C{number}", label=f"seed {result.seed}")
        best = result.steps.index(result.best_step)
        left.plot(result.best_step, result.validation_losses[best], "o", color=f"C{number}")
        right.plot(result.best_step, errors[best], "o", color=f"C{number}")
    left.set(xlabel="step", ylabel="nats, smoothed targets", ylim=(0, None))
    right.set(xlabel="step", ylabel="validation error", ylim=(0, 0.3))
    right.set_title("a dot marks the weights that were kept", fontsize=10)
    left.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)

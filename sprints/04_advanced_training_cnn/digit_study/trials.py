"""Trainings that are compared: each by a recipe, scored on the block of the first half that was held out."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import islice
from multiprocessing import get_context
from typing import NamedTuple

import torch
from tqdm import tqdm

from digit_study.augmentation import augmented_batches
from digit_study.evaluation import evaluate, renew_running_averages, smoothed_loss
from digit_study.images import hold_out, load_images
from digit_study.networks import build_network
from digit_study.recipe import Recipe, make_schedule
from shared.lab.runtime import keep_freed_memory, seed_everything
from shared.training.loop import NonFiniteTraining, train_steps
from shared.training.optimizers import make_optimizers


class Trial(NamedTuple):
    """A recipe, and number `block` of `blocks` equal ones, which validates; with it goes a seed of its own.

    With `fresh_averages` batch norm's averages are computed anew before the score, over one epoch of the training data.
    """

    recipe: Recipe
    block: int
    blocks: int
    seed: int
    fresh_averages: bool = False


def validation_accuracy(trial: Trial) -> float:
    """Train once; return the accuracy of the last weights on the block that was held out.

    A training that diverges is scored by the last weights that were finite.
    """
    keep_freed_memory()
    recipe = trial.recipe
    known, _ = load_images("digits", torch.device("cpu"))
    training, validation = hold_out(known, trial.block, trial.blocks)
    generator = seed_everything(trial.seed)
    network = build_network(recipe, training.pixels.shape[-1])
    steps = train_steps(
        network,
        augmented_batches(training, recipe, generator),
        loss_function=partial(smoothed_loss, smoothing=recipe.label_smoothing),
        optimizers=make_optimizers(network, learning_rate=recipe.learning_rate, weight_decay=recipe.weight_decay),
        steps=recipe.steps,
        schedule=make_schedule(recipe),
    )
    with suppress(NonFiniteTraining):
        for _ in steps:
            pass
    if trial.fresh_averages:
        epoch = -(-len(training.labels) // recipe.batch_size)
        renew_running_averages(network, islice(augmented_batches(training, recipe, generator), epoch))
    return evaluate(network, validation, recipe.label_smoothing).accuracy


def run_trials(trials: Sequence[Trial], processes: int, what: str) -> list[float]:
    """Return the accuracy of each trial; several run at the same time, with one thread each."""
    if processes == 1:
        return [validation_accuracy(trial) for trial in tqdm(trials, unit="run", desc=what)]
    # Maps as small as these gain nothing from a second thread. Processes are started afresh, as on every system.
    with ProcessPoolExecutor(
        processes, get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)
    ) as pool:  # fmt: skip
        return list(tqdm(pool.map(validation_accuracy, trials), total=len(trials), unit="run", desc=what))

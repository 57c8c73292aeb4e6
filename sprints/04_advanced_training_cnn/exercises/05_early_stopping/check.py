"""Checks of early stopping: beside the KeepBest that train.py uses."""

import math
from typing import Any

from torch import nn

from shared.lab.checking import expect
from shared.training.keep_best import KeepBest


def library(losses: list[float], patience: int) -> tuple[int, int]:
    """Return what KeepBest keeps, and where it stops."""
    best, evaluation = KeepBest(nn.Linear(1, 1), patience), 0
    for evaluation, loss in enumerate(losses, start=1):
        best.update(loss, evaluation)
        if best.stop:
            break
    return best.best_step, evaluation


def variant(losses: list[float], patience: int, fault: str) -> tuple[int, int]:
    """Return what comes of a mistake."""
    lowest, kept, waited, before, evaluation = math.inf, 0, 0, math.inf, 0
    for evaluation, loss in enumerate(losses, start=1):
        better = loss < lowest
        if fault == "equal is lower":
            better = loss <= lowest
        elif fault == "against the one before":
            better = loss < before
        elif fault == "NaN is lower":
            better = not loss >= lowest
        if better:
            lowest, kept = loss, evaluation
            waited = waited if fault == "never forgets" else 0
        else:
            waited += 1
        before = loss
        if waited > patience if fault == "one too late" else waited == patience:
            break
    if fault == "keeps the last":
        kept = evaluation
    if fault == "never stops":
        kept = min(range(len(losses)), key=lambda index: losses[index]) + 1
        evaluation = len(losses)
    return (kept - 1, evaluation - 1) if fault == "counts from 0" else (kept, evaluation)


FAULTS = {
    "equal is lower": "An equal loss counts as lower; it must be lower than all before.",
    "against the one before": "It compares with the loss before; compare with the lowest of all before.",
    "NaN is lower": "NaN counts as lower: every comparison with NaN is False, so ask whether the loss is lower.",
    "never forgets": "It counts all evaluations without progress; begin anew with each lower loss.",
    "one too late": "It stops one evaluation too late.",
    "keeps the last": "It keeps the last weights; keep those of the lowest loss.",
    "never stops": "It never stops.",
    "counts from 0": "Both numbers must count from 1.",
}


def compare(learner: Any, losses: list[float], patience: int) -> None:
    mistakes = {sentence: variant(losses, patience, fault) for fault, sentence in FAULTS.items()}
    expect(learner.early_stopping, {"losses": losses, "patience": patience}, library(losses, patience), mistakes)


def check_note_7(learner: Any) -> None:
    """The losses of note 7 with patience 3."""
    compare(learner, [0.9, 0.6, 0.5, 0.52, 0.45, 0.47, 0.46, 0.48, 0.4, 0.42], 3)


def check_first_rise(learner: Any) -> None:
    """With patience 1 it stops at the first rise."""
    compare(learner, [0.9, 0.6, 0.5, 0.52, 0.45, 0.47], 1)


def check_to_the_end(learner: Any) -> None:
    """Nothing to stop: each loss is lower."""
    compare(learner, [0.9, 0.8, 0.7, 0.6], 2)


def check_ups_and_downs(learner: Any) -> None:
    """A rise now and then is forgiven."""
    compare(learner, [0.9, 0.95, 0.8, 0.85, 0.7, 0.75, 0.6, 0.7, 0.65, 0.5], 2)


def check_equal(learner: Any) -> None:
    """An equal loss is no progress."""
    compare(learner, [0.8, 0.7, 0.7, 0.7, 0.6], 2)


def check_nan(learner: Any) -> None:
    """A loss that is not a number is no progress."""
    compare(learner, [0.8, 0.7, math.nan, 0.75, 0.72, 0.6], 3)

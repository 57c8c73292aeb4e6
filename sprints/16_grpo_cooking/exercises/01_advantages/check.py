"""Checks of `group_advantages`, beside a calculation row by row, and the usual mistakes by name."""

import statistics
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def by_rows(rewards: Tensor, scale: bool) -> Tensor:
    """Return what must come, in Python's own arithmetic."""
    rows = []
    for row in rewards.tolist():
        divisor = statistics.stdev(row) + 1e-4 if scale else 1.0
        rows.append([(reward - statistics.mean(row)) / divisor for reward in row])
    return torch.tensor(rows)


def mistakes(rewards: Tensor, scale: bool) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    centred = rewards - rewards.mean(dim=1, keepdim=True)
    divisor = rewards.std(dim=1, keepdim=True) + 1e-4
    biased = rewards.std(dim=1, keepdim=True, correction=0) + 1e-4
    columns = rewards - rewards.mean(dim=0, keepdim=True)
    if len(rewards) > 1:
        columns = columns / (rewards.std(dim=0, keepdim=True) + 1e-4) if scale else columns
    whole = rewards - rewards.mean()
    found = {
        "The mean is that of all answers; it must be that of the row, of the answers to one question.": (
            whole / (rewards.std() + 1e-4) if scale else whole
        ),
        "The mean of the columns is taken, over the questions; it must be that of the row.": columns,
        "The mean is not subtracted.": rewards / divisor if scale else rewards,
        "The sign is turned: what is better than the mean must be positive.": -centred / divisor if scale else -centred,
    }
    if scale:
        found |= {
            "The standard deviation is divided by size; that of a sample is divided by size - 1.": centred / biased,
            "It is not scaled, though `scale` is True.": centred,
            "It is divided by the variance; it must be its root.": centred / (divisor**2),
        }
    else:
        found["It is scaled, though `scale` is False."] = centred / divisor
    return found


def compare(learner: Any, rewards: Tensor, scale: bool) -> None:
    given = {"rewards": rewards, "scale": scale}
    # What is added to the deviation moves an advantage by a ten-thousandth: the last check asks for it.
    expect(learner.group_advantages, given, by_rows(rewards, scale), mistakes(rewards, scale), tolerance=5e-4)


def check_the_group_of_note_4(learner: Any) -> None:
    """Four answers to one question, scaled."""
    compare(learner, torch.tensor([[1.3, 0.2, 1.3, 0.0]]), True)


def check_not_scaled(learner: Any) -> None:
    """The same, not scaled."""
    compare(learner, torch.tensor([[1.3, 0.2, 1.3, 0.0]]), False)


def check_an_easy_and_a_hard_question(learner: Any) -> None:
    """Two questions: each is compared with its own answers."""
    compare(learner, torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]]), True)
    compare(learner, torch.tensor([[3.0, 1.0, 2.0], [0.0, 0.5, 1.0]]), False)


def check_a_group_without_a_signal(learner: Any) -> None:
    """All answers right: nothing is better than the rest, and nothing is NaN."""
    compare(learner, torch.tensor([[1.0, 1.0, 1.0], [0.0, 1.0, 0.0]]), True)

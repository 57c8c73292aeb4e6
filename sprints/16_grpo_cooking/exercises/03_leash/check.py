"""Checks of `divergence` and `average`, by loops over numbers, and the usual mistakes by name."""

import math
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def compare_divergence(learner: Any, policy: list[list[float]], reference: list[list[float]]) -> None:
    log_probs, others = torch.tensor(policy).log(), torch.tensor(reference).log()
    expected = [
        [q / p - math.log(q / p) - 1 for p, q in zip(*rows, strict=True)]
        for rows in zip(policy, reference, strict=True)
    ]
    ratio = others - log_probs
    mistakes = {
        "The ratio is upside down: it must be reference / policy.": (-ratio).exp() + ratio - 1,
        "That is -log r: right on average, but it can be negative.": -ratio,
        "That is half of the square of log r, another estimate.": ratio**2 / 2,
        "The - 1 is missing: where both agree it must be 0.": ratio.exp() - ratio,
        "The sign of log r is turned.": ratio.exp() + ratio - 1,
        "r is the exponential of a difference of logarithms; it is a quotient of logarithms here.": (
            others / log_probs - (others / log_probs).log() - 1
        ),
    }
    given = {"log_probs": log_probs, "reference": others}
    expect(learner.divergence, given, torch.tensor(expected), mistakes)


def compare_average(learner: Any, losses: Tensor, lengths: list[int]) -> None:
    mask = torch.arange(losses.shape[1]) < torch.tensor(lengths)[:, None]
    means = [sum(row[:length]) / length for row, length in zip(losses.tolist(), lengths, strict=True)]
    seen = losses.where(mask, 0.0)
    mistakes = {
        "That is the mean over all tokens: long answers count more.": seen.sum() / mask.sum(),
        "Each answer is divided by the length of the longest; divide it by its own.": seen.mean(dim=1).mean(),
        "The padding is averaged as well.": losses.mean(),
        "That is the sum over answers; the mean over them is missing.": torch.tensor(sum(means)),
        "The mask is inverted: True stands at tokens that the policy wrote.": (
            losses.where(~mask, 0.0).sum(dim=1) / (~mask).sum(dim=1).clamp(min=1)
        ).mean(),
    }
    given = {"losses": losses, "mask": mask}
    expect(learner.average, given, torch.tensor(sum(means) / len(means)), mistakes)


def check_the_example_of_note_4(learner: Any) -> None:
    """Two tokens: policy 0.8 and 0.2, reference 0.5 and 0.5."""
    compare_divergence(learner, [[0.8, 0.2]], [[0.5, 0.5]])


def check_where_both_agree(learner: Any) -> None:
    """Some tokens on which policy and reference agree."""
    compare_divergence(learner, [[0.3, 0.9], [0.05, 0.4]], [[0.3, 0.6], [0.2, 0.4]])


def check_answers_of_different_lengths(learner: Any) -> None:
    """Two answers of 3 and of 1 tokens."""
    compare_average(learner, torch.tensor([[1.0, 2.0, 3.0], [8.0, 5.0, 5.0]]), [3, 1])


def check_padding_may_hold_anything(learner: Any) -> None:
    """Infinity and NaN behind the end of an answer."""
    losses = torch.tensor([[0.5, 1.5, math.inf, math.nan], [2.0, 4.0, 0.0, -2.0]])
    compare_average(learner, losses, [2, 4])

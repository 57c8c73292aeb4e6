"""Checks of `clipped_objective`: the table of note 3, and its gradient, which is what the clip is for."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect

Numbers = tuple[Tensor, Tensor, Tensor, float, float]


def pointwise(ratio: float, advantage: float, low: float, high: float) -> tuple[float, float]:
    """Return the objective of one token and its slope by the log-probability, from the four ends of note 3."""
    if advantage >= 0:
        return (ratio * advantage, ratio * advantage) if ratio <= 1 + high else ((1 + high) * advantage, 0.0)
    return (ratio * advantage, ratio * advantage) if ratio >= 1 - low else ((1 - low) * advantage, 0.0)


def expected_of(given: Numbers, which: int) -> Tensor:
    log_probs, old, advantages, low, high = given
    ratios = (log_probs - old).exp().tolist()
    rows = [
        [pointwise(ratio, advantage, low, high)[which] for ratio in row]
        for row, advantage in zip(ratios, advantages.tolist(), strict=True)
    ]
    return torch.tensor(rows)


def mistakes(given: Numbers) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    log_probs, old, advantages, low, high = given
    advantage = advantages[:, None]

    def both(ratio: Tensor, low: float = low, high: float = high) -> tuple[Tensor, Tensor]:
        return ratio * advantage, ratio.clamp(1 - low, 1 + high) * advantage

    ratio = (log_probs - old).exp()
    return {
        "The larger of the two is taken; it must be the smaller one: progress is limited, mistakes are not.": (
            torch.maximum(*both(ratio))
        ),
        "It is clipped always: a token that went the wrong way could never come back.": both(ratio)[1],
        "It is not clipped.": both(ratio)[0],
        "The ratio is upside down: it must be policy / policy that drew the tokens.": torch.minimum(
            *both((old - log_probs).exp())
        ),
        "The ratio is a difference of logarithms; its exponential is missing.": torch.minimum(*both(log_probs - old)),
        "The ratio is a quotient of logarithms; it must be one of probabilities.": torch.minimum(
            *both(log_probs / old)
        ),
        "The sign is that of a loss; the objective is to be climbed.": -torch.minimum(*both(ratio)),
        "clip_low and clip_high are exchanged.": torch.minimum(*both(ratio, high, low)),
        "The clipped ratio is not multiplied by the advantage.": torch.minimum(
            ratio * advantage, ratio.clamp(1 - low, 1 + high)
        ),
    }


def named(given: Numbers) -> dict[str, Any]:
    return dict(zip(("log_probs", "old", "advantages", "clip_low", "clip_high"), given, strict=True))


def compare(learner: Any, given: Numbers) -> None:
    expect(learner.clipped_objective, named(given), expected_of(given, 0), mistakes(given))


def table(advantage: float) -> Numbers:
    """Return the ratios of note 3 as one answer of four tokens."""
    return torch.tensor([[0.5, 1.0, 1.1, 1.5]]).log(), torch.zeros(1, 4), torch.tensor([advantage]), 0.2, 0.2


def check_a_good_answer(learner: Any) -> None:
    """The table of note 3, A = 1."""
    compare(learner, table(1.0))


def check_a_bad_answer(learner: Any) -> None:
    """The table of note 3, A = -1."""
    compare(learner, table(-1.0))


def check_two_answers_and_two_fences(learner: Any) -> None:
    """Each answer has its own advantage, the upper fence is further away, and the old policy was no certain one."""
    log_probs = torch.tensor([[-1.0, -2.0, -0.5], [-1.5, -0.2, -3.0]])
    old = torch.tensor([[-1.3, -1.5, -0.5], [-1.2, -0.6, -2.0]])
    compare(learner, (log_probs, old, torch.tensor([2.0, -0.5]), 0.2, 0.28))


def check_the_gradient(learner: Any) -> None:
    """No gradient where the policy has gone far enough, and none is lost where it went the wrong way."""
    for advantage in (1.0, -1.0):
        given = table(advantage)

        def slope(log_probs: Tensor, old: Tensor, advantages: Tensor, clip_low: float, clip_high: float) -> Tensor:
            moving = log_probs.clone().requires_grad_()
            learner.clipped_objective(moving, old, advantages, clip_low, clip_high).sum().backward()
            return torch.zeros_like(moving) if moving.grad is None else moving.grad

        expect(slope, named(given), expected_of(given, 1))

"""Checks of `dpo`: the note's numbers, the start, several pairs, and numbers that overflow."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect

CHOSEN, REJECTED = torch.tensor([-12.0, -3.0, -8.0]), torch.tensor([-11.0, -9.0, -5.0])
REFERENCE = torch.tensor([-10.0, -4.0, -8.5]), torch.tensor([-10.5, -6.0, -4.0])


def pairs(chosen: Tensor, rejected: Tensor, before: tuple[Tensor, Tensor], beta: float) -> dict[str, Any]:
    """Return the arguments by their names."""
    return {
        "chosen": chosen, "rejected": rejected, "reference_chosen": before[0], "reference_rejected": before[1],
        "beta": beta,
    }  # fmt: skip


def loss_of(margins: Tensor) -> Tensor:
    """Return the mean loss of pairs with these margins."""
    return -functional.logsigmoid(margins).mean()


def check_the_loss(learner: Any) -> None:
    """The loss of three pairs."""
    moved = (CHOSEN - REFERENCE[0]) - (REJECTED - REFERENCE[1])
    expect(
        lambda *values: learner.dpo(*values)[0],
        pairs(CHOSEN, REJECTED, REFERENCE, 0.5),
        loss_of(0.5 * moved),
        {
            "The reference is missing.": loss_of(0.5 * (CHOSEN - REJECTED)),
            "Chosen and rejected are exchanged: this model learns the wrong answers.": loss_of(-0.5 * moved),
            "beta stands outside the sigmoid; it belongs to the rewards.": 0.5 * loss_of(moved),
            "beta is missing.": loss_of(moved),
            "The mean is taken before the sigmoid: each pair needs a loss of its own.": loss_of(0.5 * moved.mean()),
            "The reference's difference is added; it must be subtracted.": loss_of(
                0.5 * ((CHOSEN - REJECTED) + (REFERENCE[0] - REFERENCE[1]))
            ),
        },
    )


def check_the_start(learner: Any) -> None:
    """While the model is the reference, the loss is ln 2 and the margin 0."""
    given = pairs(CHOSEN, REJECTED, (CHOSEN.clone(), REJECTED.clone()), 0.1)
    expect(lambda *values: learner.dpo(*values)[0], given, torch.tensor(math.log(2)))
    expect(lambda *values: learner.dpo(*values)[1], given, torch.tensor(0.0))


def check_margin_and_accuracy(learner: Any) -> None:
    """Margin and accuracy are those of rewards, not of log-probabilities."""
    moved = (CHOSEN - REFERENCE[0]) - (REJECTED - REFERENCE[1])
    given = pairs(CHOSEN, REJECTED, REFERENCE, 0.5)
    mistakes = {
        "It lacks beta: a margin is a difference of rewards.": moved.mean(),
        "It is made of log-probabilities; it must be made of rewards.": 0.5 * (CHOSEN - REJECTED).mean(),
    }
    expect(lambda *values: learner.dpo(*values)[1], given, 0.5 * moved.mean(), mistakes)
    # By log-probabilities alone another number of pairs would count as won.
    expect(lambda *values: learner.dpo(*values)[2], given, (moved > 0).float().mean())


def check_no_overflow(learner: Any) -> None:
    """A margin of -1000 costs 1000 nats, not infinity."""
    given = pairs(torch.tensor([-2000.0]), torch.tensor([-5.0]), (torch.tensor([-1000.0]), torch.tensor([-5.0])), 1.0)
    mistakes = {"It overflows: use logsigmoid, not the logarithm of a sigmoid.": torch.tensor(math.inf)}
    expect(lambda *values: learner.dpo(*values)[0], given, torch.tensor(1000.0), mistakes)

"""Checks of `reinforce_loss`: its value by hand and its gradient, and the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def advantages(rewards: Tensor) -> Tensor:
    """Return each reward less the mean of the others, one by one."""
    values = rewards.tolist()
    others = [(sum(values) - value) / (len(values) - 1) for value in values]
    return torch.tensor([value - other for value, other in zip(values, others, strict=True)])


def compare(learner: Any, log_probs: Tensor, rewards: Tensor) -> None:
    right = advantages(rewards)
    mean = rewards - rewards.mean()
    expect(
        learner.reinforce_loss,
        {"log_probs": log_probs, "rewards": rewards},
        -(right * log_probs).mean(),
        {
            "The sign is wrong: lowering it lowers the reward.": (right * log_probs).mean(),
            "There is no baseline.": -(rewards * log_probs).mean(),
            "The own reward is in the baseline; take the mean of the others.": -(mean * log_probs).mean(),
            "The sum over the batch is returned; take the mean.": -(right * log_probs).sum(),
            "The rewards are standardised; only the baseline is subtracted.": -(
                mean / rewards.std() * log_probs
            ).mean(),
            "Probabilities are weighted, not their logarithms.": -(right * log_probs.exp()).mean(),
            "It is one number for each answer; return their mean.": -(right * log_probs),
        },
    )


def check_two_answers(learner: Any) -> None:
    """Two answers with rewards 1 and 0: advantages 1 and -1."""
    compare(learner, torch.tensor([-2.0, -0.5]), torch.tensor([1.0, 0.0]))


def check_four_answers(learner: Any) -> None:
    """Four answers; large rewards count by their differences."""
    compare(learner, torch.tensor([-1.0, -2.0, -0.25, -3.0]), torch.tensor([10.0, 11.0, 10.5, 12.0]))


def check_equal_rewards(learner: Any) -> None:
    """Equal rewards: there is nothing to learn."""
    expect(
        learner.reinforce_loss,
        {"log_probs": torch.tensor([-1.0, -2.0, -3.0]), "rewards": torch.full((3,), 0.7)},
        torch.tensor(0.0),
        {"There is no baseline.": torch.tensor(0.7 * 2)},
    )


def check_gradient(learner: Any) -> None:
    """The gradient by the log-probabilities, where rewards hang on the model as well."""

    def gradient_of_reinforce_loss(log_probs: Tensor) -> Tensor:
        leaf = log_probs.clone().requires_grad_()
        loss = learner.reinforce_loss(leaf, leaf.exp())  # rewards that the model computes itself
        return torch.autograd.grad(loss.sum(), leaf)[0]

    log_probs = torch.tensor([0.25, 0.5, 0.125]).log()
    rewards = log_probs.exp()
    leaf = log_probs.clone().requires_grad_()
    others = (leaf.exp().sum() - leaf.exp()) / 2
    (through,) = torch.autograd.grad(-((leaf.exp() - others) * leaf).mean(), leaf)
    expect(
        gradient_of_reinforce_loss,
        {"log_probs": log_probs},
        -advantages(rewards) / 3,
        {
            "A gradient flows through the rewards: detach them.": through,
            "The sign is wrong: lowering it lowers the reward.": advantages(rewards) / 3,
        },
    )

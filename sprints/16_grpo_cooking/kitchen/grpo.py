"""Group relative policy optimisation (Shao et al. 2024) and the variants that its critics proposed.

Everything here is a function of log-probabilities, rewards and a mask: no model.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Tokens = Float[Tensor, "samples tokens"]


@dataclass(frozen=True)
class Objective:
    """Which loss: GRPO by default.

    Args:
        beta: weight of the KL divergence from the reference.
        clip_low, clip_high: the ratio may move to 1 - clip_low and 1 + clip_high; DAPO raises the latter.
        average: over the tokens of each sample and then over samples ("grpo"), over all tokens ("dapo", Yu et al.
            2025), or over as many tokens as there could be ("dr_grpo", Liu et al. 2025).
        scale: divide advantages by their deviation in the group; Dr. GRPO does not.
        longest: tokens that a sample can have, for "dr_grpo".

    Raises:
        ValueError: an unknown average, a clip outside (0, 1) or, above, not positive, or a negative beta.
    """

    beta: float = 0.01
    clip_low: float = 0.2
    clip_high: float = 0.2
    average: Literal["grpo", "dapo", "dr_grpo"] = "grpo"
    scale: bool = True
    longest: int = 36

    def __post_init__(self) -> None:
        if self.average not in ("grpo", "dapo", "dr_grpo"):
            raise ValueError(f"average must be 'grpo', 'dapo' or 'dr_grpo'; got {self.average!r}")
        if not 0 < self.clip_low < 1 or self.clip_high <= 0 or self.beta < 0:
            raise ValueError(
                "0 < clip_low < 1, clip_high > 0 and beta >= 0 must hold; got "
                f"clip_low={self.clip_low}, clip_high={self.clip_high}, beta={self.beta}"
            )


def group_advantages(
    rewards: Float[Tensor, "groups size"], scale: bool = True
) -> tuple[Float[Tensor, "groups size"], float]:
    """Return (reward - mean of its group) / (deviation of its group), and the share of groups without a signal.

    In a group whose rewards are all equal nothing is better than the rest: its advantages are 0.

    Raises:
        ValueError: groups of one, whose only member is always average.
    """
    if rewards.shape[1] < 2:
        raise ValueError("a group must have at least 2 samples, whose rewards are compared; got groups of 1")
    deviations = rewards.std(dim=1, keepdim=True)
    advantages = rewards - rewards.mean(dim=1, keepdim=True)
    if scale:
        # The small number (TRL's) keeps a group of equal rewards from dividing 0 by 0.
        advantages = advantages / (deviations + 1e-4)
    return advantages, (deviations < 1e-6).float().mean().item()


def k3_divergence(log_probs: Tokens, reference: Tokens) -> Tokens:
    """Return an estimate of KL(policy || reference) at each token: r - log r - 1 with r = reference / policy.

    Without bias, as the mean of r under the policy is 1, and never negative (Schulman 2020, "k3").
    """
    log_ratio = reference - log_probs
    return log_ratio.exp() - log_ratio - 1


def grpo_loss(
    log_probs: Tokens,
    old: Tokens,
    reference: Tokens,
    advantages: Float[Tensor, " samples"],
    mask: Bool[Tensor, "samples tokens"],
    objective: Objective,
) -> tuple[Float[Tensor, ""], float, float]:
    """Return the loss, the mean KL divergence from the reference, and the share of tokens that were clipped.

    -min(ratio A, clip(ratio) A) + beta KL, at each token, where ratio = policy / policy that drew the samples.

    Args:
        log_probs: of the tokens under the policy, with gradients.
        old: under the policy that drew them.
        reference: under the policy at the start.
        advantages: of the samples.
        mask: True at the tokens that the policy wrote, the end token included.
        objective: which loss.
    """
    # Padding may hold anything: 0 times infinity is not a number, here and in the gradient.
    log_probs, old, reference = (each.where(mask, 0.0) for each in (log_probs, old, reference))
    ratio = (log_probs - old).exp()
    advantage = advantages[:, None]
    clipped = ratio.clamp(1 - objective.clip_low, 1 + objective.clip_high)
    divergence = k3_divergence(log_probs, reference)
    losses = (-torch.min(ratio * advantage, clipped * advantage) + objective.beta * divergence).where(mask, 0.0)
    if objective.average == "grpo":
        loss = (losses.sum(dim=1) / mask.sum(dim=1).clamp(min=1)).mean()
    elif objective.average == "dapo":
        loss = losses.sum() / mask.sum().clamp(min=1)
    else:
        loss = losses.sum() / (len(mask) * objective.longest)
    # Where the clipped term is the smaller one, the token has no gradient left.
    stopped = (clipped * advantage < ratio * advantage) & mask
    tokens = mask.sum().clamp(min=1)
    return loss, (divergence.sum() / tokens).item(), (stopped.sum() / tokens).item()

"""Direct preference optimization, DPO: learn from pairs of answers, of which one is preferred.

    r = beta (log p(answer) - log p_ref(answer))         the implicit reward
    loss = -log sigmoid(r(chosen) - r(rejected))         Rafailov et al. 2023, equation 7

The reference is the model itself with its adapter switched off. Theory: notes/10_dpo.md
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from adapter_study.answering import AskedChat
from adapter_study.chat_turns import chat_batch
from shared.nn.adapters import activate
from shared.nn.pretrained import Logits
from shared.training.loop import train_steps
from shared.training.losses import Batch, token_losses
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear
from shared.training.shuffling import shuffled_rows

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel


class Preferences(NamedTuple):
    """What DPO computes of a batch of pairs."""

    losses: Float[Tensor, " pairs"]
    chosen_rewards: Float[Tensor, " pairs"]
    rejected_rewards: Float[Tensor, " pairs"]


@dataclass(frozen=True)
class PairScores:
    """What there is to see of pairs: means over them.

    Args:
        margin: reward of the chosen minus reward of the rejected answer.
        accuracy: the share of pairs whose chosen answer has the larger reward.
        chosen, rejected: how far the log-probability of such an answer has moved from the reference, in nats.
    """

    margin: float
    accuracy: float
    chosen: float
    rejected: float


def dpo_losses(
    chosen: Float[Tensor, " pairs"],
    rejected: Float[Tensor, " pairs"],
    reference_chosen: Float[Tensor, " pairs"],
    reference_rejected: Float[Tensor, " pairs"],
    beta: float,
) -> Preferences:
    """Return loss and implicit rewards of each pair, of log-probabilities of whole answers."""
    chosen_rewards = beta * (chosen - reference_chosen)
    rejected_rewards = beta * (rejected - reference_rejected)
    # Not log(sigmoid(...)): where the sigmoid is 0 in float32, its logarithm would be infinite.
    return Preferences(-functional.logsigmoid(chosen_rewards - rejected_rewards), chosen_rewards, rejected_rewards)


def pair_log_probs(model: nn.Module, batch: Batch) -> tuple[Float[Tensor, " pairs"], Float[Tensor, " pairs"]]:
    """Return the log-probability of each chosen and of each rejected answer, sums over their tokens.

    Args:
        model: returns logits.
        batch: the chosen chats and below them the rejected ones, and a mask that is True in the answers.
    """
    tokens, mask = batch
    log_probs = -token_losses(model(tokens), tokens, mask).sum(dim=1)
    chosen, rejected = log_probs.chunk(2)
    return chosen, rejected


def preferences(model: nn.Module, batch: Batch, beta: float) -> Preferences:
    """Return losses and rewards of a batch; what the model gives without its adapter is the reference."""
    activate(model, None)
    try:
        with torch.no_grad():
            reference = pair_log_probs(model, batch)
    finally:
        activate(model, "default")
    return dpo_losses(*pair_log_probs(model, batch), *reference, beta)


def pair_batch(pairs: Sequence[AskedChat], device: torch.device) -> Batch:
    """Return the right answers and below them the wrong ones as one batch."""
    return chat_batch([*(pair.right for pair in pairs), *(pair.wrong for pair in pairs)], device=device)


def tune_on_pairs(
    model: "PreTrainedModel",
    pairs: Sequence[AskedChat],
    beta: float,
    *,
    steps: int,
    batch_size: int,
    learning_rate: float,
    generator: torch.Generator,
    precision: str = "auto",
) -> Iterator[tuple[int, float]]:
    """Train the active adapter by DPO; yield as `train_steps` does."""

    def loss(logits_of: nn.Module, batch: Batch) -> tuple[Tensor, int]:
        losses = preferences(logits_of, batch, beta).losses
        return losses.sum(), len(losses)

    batches = (
        pair_batch([pairs[number] for number in numbers.tolist()], model.device)
        for numbers in shuffled_rows(len(pairs), batch_size, generator)
    )
    return train_steps(
        Logits(model),
        batches,
        loss_function=loss,
        optimizers=make_optimizers(model, learning_rate=learning_rate),
        steps=steps,
        schedule=partial(warmup_linear, steps=steps, warmup=max(1, steps // 10)),
        precision=precision,
    )


@torch.no_grad()
def score_pairs(model: "PreTrainedModel", pairs: Sequence[AskedChat], beta: float, at_once: int = 8) -> PairScores:
    """Return margin, accuracy, and how far both answers have moved from the reference."""
    model.eval()
    parts = [
        preferences(Logits(model), pair_batch(pairs[first : first + at_once], model.device), beta)
        for first in range(0, len(pairs), at_once)
    ]
    chosen = torch.cat([part.chosen_rewards for part in parts])
    rejected = torch.cat([part.rejected_rewards for part in parts])
    return PairScores(
        margin=(chosen - rejected).mean().item(),
        accuracy=(chosen > rejected).float().mean().item(),
        chosen=chosen.mean().item() / beta,
        rejected=rejected.mean().item() / beta,
    )

"""How far the logits of a model are from those of another on the same text, and whether the future can move them."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from shared.nn.pretrained import Logits
from shared.text.batches import Batch
from shared.training.losses import token_losses

# The reference is sure of a token that it gives more than this.
SURE = math.log(0.5)


@dataclass
class Tally:
    """Sums over the tokens of the test text."""

    losses: list[Tensor]
    largest: float = 0.0
    error: float = 0.0
    kl: float = 0.0
    same: int = 0
    sure: int = 0
    same_when_sure: int = 0

    def add(self, logits: Tensor, reference: Tensor, batch: Batch) -> None:
        """Add a batch: logits (batch, tokens, vocab) of this model and of the float32 model."""
        self.losses.append(token_losses(logits, batch.tokens, batch.mask).sum(1))
        real = torch.ones_like(batch.tokens) if batch.mask is None else batch.mask
        real = real[:, 1:].bool()  # every place predicts the next one
        ours, theirs = logits[:, :-1][real].float(), reference[:, :-1][real]  # (targets, vocab)
        difference = (ours - theirs).abs()
        self.largest = max(self.largest, difference.max().item())
        self.error += difference.mean(1).sum().item()
        expected, actual = theirs.log_softmax(-1), ours.log_softmax(-1)
        self.kl += (expected.exp() * (expected - actual)).sum().item()
        same, sure = ours.argmax(-1) == theirs.argmax(-1), expected.max(-1).values > SURE
        self.same += int(same.sum())
        self.sure += int(sure.sum())
        self.same_when_sure += int((same & sure).sum())


@torch.no_grad()
def future_moves(model: nn.Module, tokens: Tensor, others: Tensor) -> float:
    """Return how far the logits of the first half of a text move when the token after it is another one.

    Those of a causal model do not move.

    Args:
        model: a model of transformers.
        tokens: the text (1, tokens).
        others: tokens to put in its middle, one after the other.
    """
    middle, furthest = tokens.shape[1] // 2, 0.0
    logits = Logits(model)(tokens)[:, :middle]
    for other in others:
        changed = tokens.clone()
        changed[:, middle] = other
        furthest = max(furthest, (Logits(model)(changed)[:, :middle] - logits).abs().max().item())
    return furthest

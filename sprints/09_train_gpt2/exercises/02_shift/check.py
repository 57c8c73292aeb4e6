"""Checks of `next_token_losses`, with a loop over the places."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def shifted(logits: Tensor, tokens: Tensor, mask: Tensor, shift: int = 1, mask_shift: int = 1) -> Tensor:
    """Return the losses of the first tokens - 1 places, the targets and the mask shifted by so many."""
    log_probs, (batch, length) = logits.log_softmax(-1), tokens.shape
    losses = torch.zeros(batch, length - 1)
    for row in range(batch):
        for place in range(length - 1):
            target = min(place + shift, length - 1)
            if mask[row, min(place + mask_shift, length - 1)]:
                losses[row, place] = -log_probs[row, place, tokens[row, target]]
    return losses


def compare(learner: Any, logits: Tensor, tokens: Tensor, mask: Tensor) -> None:
    expected = shifted(logits, tokens, mask)
    backwards = -logits.log_softmax(-1)[:, 1:].gather(-1, tokens[:, :-1, None])[..., 0]
    twice = shifted(logits[:, :-1], tokens[:, 1:], mask[:, 1:])
    mistakes = {
        "The labels are not shifted: each token is scored against itself, which it can copy.": (
            shifted(logits, tokens, mask, shift=0)
        ),
        "The labels are not shifted: each token is scored against itself. Nor may the last logits count.": (
            -logits.log_softmax(-1).gather(-1, tokens[..., None])[..., 0].where(mask, 0.0)
        ),
        "The labels are shifted twice: the logits after token t are scored against token t + 2.": twice,
        "The shift goes backwards: the logits after a token are scored against the one before it.": (
            backwards.where(mask[:, 1:], 0.0)
        ),
        "The mask is not shifted with the targets: it must be that of the token that is predicted.": (
            shifted(logits, tokens, mask, mask_shift=0)
        ),
        "The mask is ignored.": shifted(logits, tokens, torch.ones_like(mask)),
        "The mask is inverted: True means that a token is real.": shifted(logits, tokens, ~mask),
        "The loss has the wrong sign.": -expected,
    }
    expect(learner.next_token_losses, {"logits": logits, "tokens": tokens, "mask": mask}, expected, mistakes)


def draw(batch: int, tokens: int, vocab: int) -> tuple[Tensor, Tensor]:
    """Return logits of one decimal and token ids, the same at each call for the same shape."""
    generator = torch.Generator().manual_seed(batch * tokens * vocab)
    logits = torch.randn(batch, tokens, vocab, generator=generator).mul(10).round().div(10)
    return logits, torch.randint(vocab, (batch, tokens), generator=generator)


def check_one_row(learner: Any) -> None:
    """Four tokens, no padding."""
    logits, tokens = draw(1, 4, 3)
    compare(learner, logits, tokens, torch.ones(1, 4, dtype=torch.bool))


def check_padding(learner: Any) -> None:
    """Rows of four, three and one real tokens."""
    logits, tokens = draw(3, 4, 5)
    compare(learner, logits, tokens, torch.arange(4) < torch.tensor([[4], [3], [1]]))


def check_two_tokens(learner: Any) -> None:
    """The shortest row that has a target."""
    logits, tokens = draw(2, 2, 4)
    compare(learner, logits, tokens, torch.ones(2, 2, dtype=torch.bool))

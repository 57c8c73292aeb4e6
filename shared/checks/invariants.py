"""Semantic invariants: what must hold for a model to mean what it says, whatever its loss is.

Each check takes any model or callable, and raises `InvariantError` with the fault it found and its likely cause. A loss
curve shows none of these faults: a model that reads the future trains better than one that does not. What training
itself needs stands in `sanity.py`.
"""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

Tokens = Int[Tensor, "batch tokens"]
LogitsOf = Callable[[Tensor], Tensor]


class InvariantError(AssertionError):
    """A model breaks an invariant."""


def _other_tokens(tokens: Tensor, vocab_size: int) -> Tensor:
    """Return different tokens at every place."""
    return (tokens + 1) % vocab_size


@torch.no_grad()
def check_causality(logits_of: LogitsOf, tokens: Tokens, *, vocab_size: int, tolerance: float = 1e-5) -> None:
    """Check that changing a token moves no logits before it, and does move those from it on.

    Args:
        logits_of: maps tokens to logits (batch, tokens, vocab).
        tokens: at least two of them in a row.
        vocab_size: to change tokens within it.
        tolerance: largest movement that counts as none.

    Raises:
        InvariantError: the future is visible, or a token is not seen at all.
    """
    before = logits_of(tokens)
    for position in range(1, tokens.shape[1]):
        changed = tokens.clone()
        changed[:, position] = _other_tokens(tokens, vocab_size)[:, position]
        moved = (logits_of(changed) - before).abs().amax(dim=(0, 2))
        if (past := moved[:position].max().item()) > tolerance:
            seen = int(moved[:position].argmax())
            raise InvariantError(
                f"logits at position {seen} moved by {past:.2g} when the token at {position} changed: the model "
                "reads the future. Is the mask inverted (True must mean 'may look'), or is there no causal mask?"
            )
        if (now := moved[position:].max().item()) <= tolerance:
            raise InvariantError(
                f"nothing from position {position} on moved (at most {now:.2g}) when its token changed: the model does "
                "not read its input. Is the mask all False, or the embedding not used?"
            )


@torch.no_grad()
def check_source_sensitivity(
    logits_of: Callable[[Tensor, Tensor], Tensor],
    source: Int[Tensor, "batch sources"],
    target: Int[Tensor, "batch targets"],
    *,
    vocab_size: int,
    tolerance: float = 1e-5,
) -> None:
    """Check that the output of an encoder-decoder depends on every token of its source.

    Raises:
        InvariantError: names the first source token that changes nothing.
    """
    before = logits_of(source, target)
    for position in range(source.shape[1]):
        changed = source.clone()
        changed[:, position] = _other_tokens(source, vocab_size)[:, position]
        moved = (logits_of(changed, target) - before).abs().max().item()
        if moved <= tolerance:
            raise InvariantError(
                f"the output moved by {moved:.2g} when source token {position} changed: the decoder does not see it. "
                "Is the mask of the cross-attention inverted, or the memory not passed on?"
            )


@torch.no_grad()
def check_padding_invariance(
    logits_of: Callable[[Tensor, Tensor], Tensor],
    tokens: Tokens,
    mask: Bool[Tensor, "batch tokens"],
    *,
    vocab_size: int,
    tolerance: float = 1e-5,
) -> None:
    """Check that what stands in the padding changes nothing at real tokens.

    Args:
        logits_of: maps tokens and mask to logits.
        tokens: padded rows.
        mask: True where a token is real; some of it must be False.
        vocab_size, tolerance: as in `check_causality`.

    Raises:
        ValueError: there is no padding to test with.
        InvariantError: padding leaks.
    """
    if bool(mask.all()):
        raise ValueError("a test of padding needs padding, but the mask is True everywhere")
    before = logits_of(tokens, mask)
    changed = torch.where(mask, tokens, _other_tokens(tokens, vocab_size))
    moved = (logits_of(changed, mask) - before).abs().amax(dim=-1)[mask].max().item()
    if moved > tolerance:
        raise InvariantError(
            f"logits of real tokens moved by {moved:.2g} when only padding changed: padding leaks. "
            "Is the padding mask passed to every attention, and True where a token is real?"
        )


@torch.no_grad()
def check_cache(model: Any, tokens: Tokens, *, tolerance: float = 1e-4) -> None:
    """Check that a model gives the same logits with a cache, one token at a time, as without.

    Raises:
        InvariantError: names the first position that differs.
    """
    full = model(tokens)
    cache = model.new_cache(tokens.shape[0], tokens.shape[1])
    for position in range(tokens.shape[1]):
        one = model(tokens[:, position : position + 1], cache=cache)[:, 0]
        difference = (one - full[:, position]).abs().max().item()
        if difference > tolerance:
            raise InvariantError(
                f"with the cache the logits at position {position} differ by {difference:.2g}: "
                "does the new token get its own position, and does the cache keep every layer's keys in order?"
            )

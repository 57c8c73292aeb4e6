"""Semantic invariants: what must hold for a model to mean what it says, whatever its loss is.

Each check takes any model or callable, and raises `InvariantError` with the fault it found and its likely cause. A loss
curve shows none of these faults: a model that reads the future trains better than one that does not.
"""

import copy
import math
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

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


def check_initial_loss(loss: float, vocab_size: int, *, tolerance: float = 0.1) -> None:
    """Check that an untrained model is as good as guessing: its loss is ln(vocab_size), give or take a tenth.

    Raises:
        InvariantError: the loss is too low (the answer leaks) or too high (wrong scale or a wrong mean).
    """
    guessing = math.log(vocab_size)
    if loss < guessing * (1 - tolerance):
        raise InvariantError(
            f"the untrained model has loss {loss:.3f}, less than guessing, ln({vocab_size}) = {guessing:.3f}: "
            "the answer leaks into the input, or the loss is divided by too much"
        )
    if loss > guessing * (1 + tolerance):
        raise InvariantError(
            f"the untrained model has loss {loss:.3f}, more than guessing, ln({vocab_size}) = {guessing:.3f}: the "
            f"initial weights are too large, or the loss is multiplied (by a batch size of {loss / guessing:.0f}?)"
        )


@torch.no_grad()
def check_reported_loss(reported: float, logits_of: LogitsOf, tokens: Tokens, *, tolerance: float = 1e-3) -> None:
    """Check a reported loss against one computed here, token by token: logits at t are scored on token t + 1.

    Args:
        reported: mean loss in nats per token that the code under test gives for `tokens`.
        logits_of: maps tokens to logits.
        tokens: without padding.
        tolerance: largest difference that counts as none.

    Raises:
        InvariantError: names what the reported figure is instead, where it is a known mistake.
    """
    log_probs = logits_of(tokens).log_softmax(dim=-1)

    def loss_at(shift: int) -> float:
        targets = tokens[:, shift:]
        predicted = log_probs[:, : log_probs.shape[1] - shift]
        return -predicted.gather(-1, targets[..., None]).mean().item()

    true = loss_at(1)
    if abs(reported - true) <= tolerance:
        return
    causes = {
        "the loss of predicting the token after the next one: labels are shifted twice": loss_at(2),
        "the loss of predicting the token itself: labels are not shifted": loss_at(0),
        f"the true loss times the batch size {tokens.shape[0]}: a mean was multiplied by it": true * tokens.shape[0],
        "the sum over the tokens, not their mean": true * tokens[:, 1:].numel(),
    }
    likely = [cause for cause, value in causes.items() if abs(reported - value) <= tolerance * max(1.0, value)]
    raise InvariantError(
        f"the reported loss is {reported:.4f}, the loss of the next token is {true:.4f}"
        + (f"; the figure is {likely[0]}" if likely else "")
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


def check_gradients(model: nn.Module, loss: Float[Tensor, ""]) -> None:
    """Check that every trainable parameter gets a gradient that is finite and not zero.

    Args:
        model: the module.
        loss: computed with it, not yet backpropagated.

    Raises:
        InvariantError: names the parameters.
    """
    named = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    gradients = torch.autograd.grad(loss, [parameter for _, parameter in named], allow_unused=True)
    dead = [name for (name, _), grad in zip(named, gradients, strict=True) if grad is None or not grad.any()]
    wild = [
        name for (name, _), grad in zip(named, gradients, strict=True) if grad is not None and not grad.isfinite().all()
    ]
    if dead:
        raise InvariantError(
            f"no gradient reaches {', '.join(dead)}: is something detached, made a number by .item(), or never used?"
        )
    if wild:
        raise InvariantError(f"the gradient of {', '.join(wild)} is not finite: is there a log or a division of zero?")


def check_overfits_one_batch(
    model: nn.Module,
    loss_of: Callable[[nn.Module], Tensor],
    *,
    steps: int = 200,
    learning_rate: float = 3e-3,
    below: float = 0.1,
) -> None:
    """Check that a copy of the model can learn one batch by heart.

    Args:
        model: the module; it is left as it is.
        loss_of: returns the loss of a module on the batch.
        steps, learning_rate: of Adam.
        below: the loss to reach.

    Raises:
        InvariantError: it cannot.
    """
    student = copy.deepcopy(model).train()
    optimizer = torch.optim.Adam(student.parameters(), lr=learning_rate)
    first = loss_of(student).item()
    last = first
    for _ in range(steps):
        optimizer.zero_grad()
        loss = loss_of(student)
        loss.backward()
        optimizer.step()
        last = loss.item()
        if last < below:
            return
    raise InvariantError(
        f"after {steps} steps on one batch the loss is {last:.3f} (at first {first:.3f}), not below {below}: "
        "do inputs and targets belong together, and do all layers learn?"
    )

"""Sanity checks before a long training: the loss at the start and the one reported, gradients, one batch by heart.

Each takes any model or callable and raises `InvariantError` with the fault it found and its likely cause.
"""

import copy
import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from shared.checks.invariants import InvariantError, LogitsOf, Tokens


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

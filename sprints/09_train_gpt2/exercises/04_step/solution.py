"""Forget the old gradients, add up the new ones, divide, clip, step."""

from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor, nn
from torch.optim import Optimizer


def training_step(
    model: nn.Module,
    batches: Sequence[Any],
    loss_function: Callable[[nn.Module, Any], tuple[Tensor, int]],
    optimizer: Optimizer,
    clip: float,
) -> float:
    """Change the weights by one step that is made of several batches, and return the mean loss of a term before it."""
    optimizer.zero_grad()
    total, terms = 0.0, 0
    for batch in batches:
        loss, count = loss_function(model, batch)
        loss.backward()  # adds to the gradients that are there
        total, terms = total + loss.item(), terms + count
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad /= terms
    nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return total / terms

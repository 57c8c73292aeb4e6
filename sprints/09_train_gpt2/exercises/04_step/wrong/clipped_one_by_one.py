"""Clips each parameter by its own norm."""

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
    optimizer.zero_grad()
    total, terms = 0.0, 0
    for batch in batches:
        loss, count = loss_function(model, batch)
        loss.backward()
        total, terms = total + loss.item(), terms + count
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad /= terms
            nn.utils.clip_grad_norm_(parameter, clip)
    optimizer.step()
    return total / terms

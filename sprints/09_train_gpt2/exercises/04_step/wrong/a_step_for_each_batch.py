"""Steps after every batch."""

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
    total, terms = 0.0, 0
    for batch in batches:
        optimizer.zero_grad()
        loss, count = loss_function(model, batch)
        (loss / count).backward()
        nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
        total, terms = total + loss.item(), terms + count
    return total / terms

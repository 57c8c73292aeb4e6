"""Five lines that stand in every training: predict, measure, differentiate, step, empty."""

import torch
from torch import Tensor


def fit_line(inputs: Tensor, targets: Tensor, learning_rate: float, steps: int) -> Tensor:
    """Return slope and intercept after so many steps of gradient descent from (0, 0)."""
    line = torch.zeros(2, requires_grad=True)  # slope, intercept
    for _ in range(steps):
        predictions = line[0] * inputs + line[1]  # (n,)
        loss = (predictions - targets).square().mean()
        loss.backward()  # adds the gradient to line.grad
        with torch.no_grad():
            line -= learning_rate * line.grad  # ty: ignore[unsupported-operator]
        line.grad = None  # backward would add to it
    return line.detach()

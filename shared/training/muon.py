"""Muon (Jordan et al. 2024) for every processor: PyTorch's own, and in float32 where bfloat16 is only emulated."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, optim

from shared.lab.runtime import supports_bfloat16


def orthogonalise(
    matrix: Float[Tensor, "rows columns"], coefficients: tuple[float, float, float], steps: int, epsilon: float
) -> Float[Tensor, "rows columns"]:
    """Return a matrix with the singular vectors of the one given and singular values near 1, in its precision.

    Newton-Schulz iteration X <- a X + (b A + c A^2) X with A = X X^T: an odd polynomial that is applied to every
    singular value at once and drives all of them to the neighbourhood of 1 (Jordan et al. 2024).

    Args:
        matrix: any matrix but 0.
        coefficients: a, b, c.
        steps: how often.
        epsilon: the least norm that is divided by.
    """
    a, b, c = coefficients
    x = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.mT
    x = x / x.norm().clamp(min=epsilon)  # no singular value is above 1 then
    for _ in range(steps):
        gram = x @ x.mT
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x if matrix.shape[0] <= matrix.shape[1] else x.mT


class Muon(optim.Muon):
    """PyTorch's Muon, whose products are in float32 on a processor that does not multiply bfloat16.

    PyTorch's always computes in bfloat16. Where the instructions are missing this is emulated, and slower than the rest
    of a training step. The states of the two can be exchanged.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the parameters by one step; takes and returns what every optimizer does."""
        if supports_bfloat16(self.param_groups[0]["params"][0].device):
            return super().step(closure)
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, weight.grad, group)
        return loss

    def _move(self, weight: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        momentum, rate = group["momentum"], group["lr"]
        average = self.state[weight].setdefault("momentum_buffer", torch.zeros_like(gradient))
        average.lerp_(gradient, 1 - momentum)
        update = gradient.lerp(average, momentum) if group["nesterov"] else average
        update = orthogonalise(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
        weight.mul_(1 - rate * group["weight_decay"])
        weight.add_(update, alpha=-rate * _scale(group["adjust_lr_fn"], *weight.shape))


def _scale(rule: str | None, rows: int, columns: int) -> float:
    """Return what the learning rate is multiplied by for the shape of a matrix, by PyTorch's rules."""
    scales = {
        "original": max(1.0, rows / columns) ** 0.5,
        "match_rms_adamw": 0.2 * max(rows, columns) ** 0.5,
        "spectral_unclamped": (rows / columns) ** 0.5,
    }
    return scales[rule or "original"]

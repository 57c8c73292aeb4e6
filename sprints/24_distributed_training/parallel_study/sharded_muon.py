"""Muon on matrices of which each process has a shard: gather, orthogonalise the whole, keep one's own part."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor, distribute_tensor

from shared.training.muon import Muon, _scale, orthogonalise


class ShardedMuon(Muon):
    """Muon (Jordan et al. 2024) for matrices that are split over processes in any way, or not at all.

    The average of the gradients is made number by number, so each process makes it for its shard. The nearest
    orthogonal matrix is not: rows of a matrix that are orthogonalised apart are not perpendicular to each other. So the
    update is gathered, every process orthogonalises the whole matrix, and keeps its own part of the result. All
    products are in the precision of the weights. The states are those of `Muon`, and sharded as the weights are.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the parameters by one step; takes and returns what every optimizer does."""
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
        update = orthogonalise_whole(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
        weight.mul_(1 - rate * group["weight_decay"])
        weight.add_(update, alpha=-rate * _scale(group["adjust_lr_fn"], *weight.shape))


def orthogonalise_whole(matrix: Tensor, coefficients: tuple[float, float, float], steps: int, epsilon: float) -> Tensor:
    """Return what `orthogonalise` makes of the whole matrix, split over the processes as the one given is."""
    if not isinstance(matrix, DTensor):
        return orthogonalise(matrix, coefficients, steps, epsilon)
    whole = orthogonalise(matrix.full_tensor(), coefficients, steps, epsilon)  # the same in every process
    # Every process has the whole already, so nothing is sent: each one cuts out its own part.
    return distribute_tensor(whole, matrix.device_mesh, matrix.placements, src_data_rank=None)

"""Training whose memory is shared over processes: gather what is needed, free it, and keep one's part (ZeRO).

Rajbhandari et al. 2020. `SharedStates` is ZeRO stage 1 and 2 for any model; `gathered_linear` is what stage 3 does with
one weight, in miniature.
"""

from collections.abc import Callable, Iterable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, distributed, nn
from torch.autograd.function import FunctionCtx
from torch.optim import Optimizer


def gather(own: Tensor) -> Tensor:
    """Return the parts of all processes, one behind the other along the first axis; each has one of this shape."""
    whole = own.new_empty(distributed.get_world_size() * len(own), *own.shape[1:])
    distributed.all_gather_into_tensor(whole, own.contiguous())
    return whole


def reduce_scatter(whole: Tensor) -> Tensor:
    """Return this process's part, along the first axis, of the average of a tensor over all processes."""
    size = distributed.get_world_size()
    own = whole.new_empty(len(whole) // size, *whole.shape[1:])
    distributed.reduce_scatter_tensor(own, whole.contiguous())
    return own / size


class GatheredLinear(torch.autograd.Function):
    """x W^T, where each process has some rows of W; the whole of W exists only while it is multiplied."""

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, own_rows: Tensor) -> Tensor:
        ctx.save_for_backward(x, own_rows)
        return x @ gather(own_rows).T  # the whole weight is not kept

    @staticmethod
    def backward(ctx: FunctionCtx, slope: Tensor) -> tuple[Tensor, Tensor]:  # ty: ignore
        x, own_rows = ctx.saved_tensors  # ty: ignore
        to_input = slope @ gather(own_rows)  # so it is gathered again
        return to_input, reduce_scatter(slope.T @ x)


def gathered_linear(
    x: Float[Tensor, "rows inputs"], own_rows: Float[Tensor, "own inputs"]
) -> Float[Tensor, "rows out"]:
    """Return x W^T of a weight whose rows the processes share in equal parts, by rank.

    Each process has its own x. The gradient of `own_rows` is the average over all processes, of this process's rows.
    """
    return GatheredLinear.apply(x, own_rows)


class SharedStates:
    """An optimizer of which every process keeps the states, and does the step, for an N-th of the weights.

    The numbers of each weight are cut into N equal pieces; the last may be shorter, or empty. Gradients are averaged
    over processes; what arrives in a process is its piece. After the step the pieces of the weights are gathered.

    Args:
        parameters: the weights, the same in every process. They must be contiguous.
        make_optimizer: returns an optimizer for a list of pieces; it must treat every number by itself, as Adam does.
        stage: 1 keeps the gradients of all weights until the step, 2 gives each one back when it has been averaged.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        make_optimizer: Callable[[list[nn.Parameter]], Optimizer],
        stage: Literal[1, 2],
    ) -> None:
        self.rank, self.size, self.stage = distributed.get_rank(), distributed.get_world_size(), stage
        self.weights = list(parameters)
        self.pieces = [nn.Parameter(self.piece_of(weight.detach())) for weight in self.weights]  # no copies: views
        self.optimizer = make_optimizer(self.pieces)
        if stage == 2:
            for weight, piece in zip(self.weights, self.pieces, strict=True):
                weight.register_post_accumulate_grad_hook(lambda weight, piece=piece: self.average(weight, piece))

    def piece_of(self, whole: Tensor) -> Tensor:
        """Return this process's numbers of a tensor, in one row."""
        length = -(-whole.numel() // self.size)  # rounded up
        return whole.view(-1)[self.rank * length : (self.rank + 1) * length]

    def padded(self, row: Tensor, length: int) -> Tensor:
        """Return a row with zeros behind it: collectives want equal pieces."""
        return torch.cat([row, row.new_zeros(length - len(row))])

    def average(self, weight: Tensor, piece: nn.Parameter) -> None:
        """Average the gradient of a weight over the processes, keep the piece, and give back the rest."""
        assert weight.grad is not None
        length = -(-weight.numel() // self.size)
        own = reduce_scatter(self.padded(weight.grad.reshape(-1), self.size * length))[: len(piece)]
        piece.grad = own if piece.grad is None else piece.grad + own
        weight.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Do a step of the process's pieces, and give every process the whole weights."""
        if self.stage == 1:
            for weight, piece in zip(self.weights, self.pieces, strict=True):
                self.average(weight, piece)
        self.optimizer.step()
        self.optimizer.zero_grad()
        for weight, piece in zip(self.weights, self.pieces, strict=True):
            whole = gather(self.padded(piece.detach(), -(-weight.numel() // self.size)))
            weight.view(-1).copy_(whole[: weight.numel()])

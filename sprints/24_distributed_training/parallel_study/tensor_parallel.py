"""Tensor parallel (Shoeybi et al. 2019): every matrix of a block is cut, and each process computes with its piece.

The first matrix of each half of a block is cut by its outputs ("column" in the literature, which writes X W), the
second by its inputs ("row"). Between them no process needs anything of another; behind them one sum is enough.
`split_blocks` does it by hand, `parallelize_blocks` with PyTorch's `parallelize_module`.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, distributed, nn
from torch.autograd.function import FunctionCtx
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor, Replicate, distribute_module
from torch.distributed.tensor.parallel import ColwiseParallel, ParallelStyle, RowwiseParallel, parallelize_module
from torch.nn import functional

from shared.nn.gpt import GPT
from shared.training.parallel import Ranks


class Copied(torch.autograd.Function):
    """Return a tensor as it is; on the way back, add up the gradients of all processes."""

    @staticmethod
    def forward(_ctx: FunctionCtx, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(_ctx: FunctionCtx, slope: Tensor) -> Tensor:  # ty: ignore
        return sum_over_processes(slope)


class Summed(torch.autograd.Function):
    """Add up the tensors of all processes; on the way back, hand each one the gradient of the sum."""

    @staticmethod
    def forward(_ctx: FunctionCtx, x: Tensor) -> Tensor:
        return sum_over_processes(x)

    @staticmethod
    def backward(_ctx: FunctionCtx, slope: Tensor) -> Tensor:  # ty: ignore
        return slope


def sum_over_processes(x: Tensor) -> Tensor:
    """Return the sum of a tensor over all processes, and leave the tensor as it is."""
    total = x.clone(memory_format=torch.contiguous_format)
    distributed.all_reduce(total)
    return total


class ColumnLinear(nn.Module):
    """A process's part of the outputs of a linear layer: some rows of its weight, and their biases.

    Args:
        layer: the whole layer, the same in every process.
        rows: which outputs this process computes.
    """

    def __init__(self, layer: nn.Linear, rows: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(layer.weight.detach()[rows].clone())
        self.bias = nn.Parameter(layer.bias.detach()[rows].clone())

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch own_outputs"]:
        """Return the process's outputs of what all processes have."""
        return functional.linear(Copied.apply(x), self.weight, self.bias)


class RowLinear(nn.Module):
    """A linear layer whose inputs are spread over the processes: some columns of its weight, and the whole bias.

    Args:
        layer: the whole layer, the same in every process.
        columns: which inputs this process has.
    """

    def __init__(self, layer: nn.Linear, columns: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(layer.weight.detach()[:, columns].clone())
        self.bias = nn.Parameter(layer.bias.detach().clone())

    def forward(self, x: Float[Tensor, "*batch own_inputs"]) -> Float[Tensor, "*batch outputs"]:
        """Return all outputs in every process: the sum over processes, and then, once, the bias."""
        return Summed.apply(functional.linear(x, self.weight)) + self.bias


def own_part(length: int, ranks: Ranks, sections: int = 1) -> Tensor:
    """Return the places that belong to a process in a row of equal sections, of each of which it has an equal part.

    Queries, keys and values stand one behind the other in one matrix: a process needs its heads of all three.
    """
    section = length // sections
    part = section // ranks.size
    first = torch.arange(part) + ranks.rank * part
    return torch.cat([first + number * section for number in range(sections)])


def order_by_process(length: int, size: int) -> Tensor:
    """Return the rows of queries, keys and values in the order of the processes that need them."""
    return torch.cat([own_part(length, Ranks(rank, size), sections=3) for rank in range(size)])


def check_divisible(gpt: GPT, size: int) -> None:
    """Raise a ValueError unless heads and hidden features can be dealt out to so many processes."""
    hidden = gpt.config.d_hidden or 4 * gpt.config.d_model
    for what, count in (("heads", gpt.config.heads), ("hidden features", hidden)):
        if count % size:
            raise ValueError(f"{size} processes cannot have equal parts of {count} {what}: choose a divisor")


def split_blocks(gpt: GPT, ranks: Ranks) -> GPT:
    """Leave in every block of a GPT a process's share of the heads and hidden features, and return the GPT.

    Embeddings, norms and the output layer stay whole, and so do their gradients, the same in every process. Dropout
    must be 0: the processes would need equal random states outside the cut layers, and different ones within.
    """
    check_divisible(gpt, ranks.size)
    width, hidden = gpt.config.d_model, gpt.config.d_hidden or 4 * gpt.config.d_model
    blocks: Any = gpt.blocks
    for block in blocks:
        attention, feed_forward = block.attention, block.feed_forward
        attention.qkv = ColumnLinear(attention.qkv, own_part(3 * width, ranks, sections=3))
        attention.output = RowLinear(attention.output, own_part(width, ranks))
        attention.heads //= ranks.size
        feed_forward.expand = ColumnLinear(feed_forward.expand, own_part(hidden, ranks))
        feed_forward.contract = RowLinear(feed_forward.contract, own_part(hidden, ranks))
    return gpt


def parallelize_blocks(gpt: GPT, mesh: DeviceMesh) -> GPT:
    """Do what `split_blocks` does with PyTorch's own means, and return the GPT, whose weights are all DTensors then.

    `ColwiseParallel` cuts a matrix into equal pieces from above. So the rows of queries, keys and values are put in the
    order of the processes before: those of process 0 first. `whole_weights` puts them back.
    """
    check_divisible(gpt, mesh.size())
    plan: dict[str, ParallelStyle] = {
        "attention.qkv": ColwiseParallel(),
        "attention.output": RowwiseParallel(),
        "feed_forward.expand": ColwiseParallel(),
        "feed_forward.contract": RowwiseParallel(),
    }
    order = order_by_process(3 * gpt.config.d_model, mesh.size())
    blocks: Any = gpt.blocks
    for block in blocks:
        with torch.no_grad():
            for parameter in block.attention.qkv.parameters():
                parameter.copy_(parameter[order])
        block.attention.heads //= mesh.size()
        parallelize_module(block, mesh, plan)
    tied = gpt.head.weight is gpt.token_embedding.weight
    others = [layer for layer in gpt.modules() if isinstance(layer, nn.Embedding | nn.LayerNorm)]
    for layer in [*others, gpt.head]:
        keep_whole(layer, mesh)
    if tied:
        gpt.head.weight = gpt.token_embedding.weight
    return gpt


def keep_whole(layer: nn.Module, mesh: DeviceMesh) -> None:
    """Let every process keep a layer whole, as DTensors: optimizers and norms take only one kind of tensor."""

    def enter(_: nn.Module, inputs: Any, mesh: DeviceMesh) -> Any:
        return DTensor.from_local(inputs[0], mesh, [Replicate()])

    def leave(_: nn.Module, output: Any, __: DeviceMesh) -> Any:
        return output.to_local()

    distribute_module(layer, mesh, input_fn=enter, output_fn=leave)


@torch.no_grad()
def whole_weights(gpt: GPT, ranks: Ranks) -> dict[str, Tensor]:
    """Return all weights as one process has them, from the pieces of `split_blocks` or `parallelize_blocks`."""
    back = order_by_process(3 * gpt.config.d_model, ranks.size).argsort()
    layers, found = dict(gpt.named_modules()), {}
    for name, parameter in gpt.named_parameters():
        layer = layers[name.rpartition(".")[0]]
        whole = parameter.detach()
        if isinstance(parameter, DTensor):
            whole = parameter.full_tensor()
        elif isinstance(layer, ColumnLinear) or (isinstance(layer, RowLinear) and name.endswith("weight")):
            pieces = [torch.empty_like(parameter) for _ in range(ranks.size)]
            distributed.all_gather(pieces, whole)
            whole = torch.cat(pieces, dim=0 if isinstance(layer, ColumnLinear) else 1)
        found[name] = whole[back] if "attention.qkv" in name else whole
    return found

"""One training on several processes: who is who, whose rows are whose, and a loss on which all of them agree.

The training loop does not change. Each process runs it with its rows of every batch (`RankBatches`), a model that
averages gradients over the processes (`spread`), and a loss of all rows (`loss_of_all`).
"""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple, Protocol

import torch
from torch import Tensor, distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.nn.parallel import DistributedDataParallel

Parallel = Literal["ddp", "fsdp"]


class Ranks(NamedTuple):
    """Which process this is, from 0 on, and how many there are."""

    rank: int
    size: int


ALONE = Ranks(0, 1)


class Stream(Protocol):
    """Batches in a fixed order, with a position that can be saved and restored."""

    def __next__(self) -> tuple[Tensor, Tensor | None]: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> None: ...


@contextmanager
def joined(device: torch.device) -> Generator[Ranks]:
    """Join the processes that `torchrun` started with this one, and leave them at the end; alone without torchrun.

    Args:
        device: where tensors are; it decides between NCCL (GPUs) and gloo.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        yield ALONE
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Ranks(distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()


class RankBatches(Iterator):
    """The rows of every batch that belong to one process: its rank, and every `size`-th row after it.

    All processes read the same stream of whole batches, and each keeps other rows. So no row is seen twice and none is
    lost, the position of the stream is the same everywhere, and another number of processes can go on from it.

    Args:
        batches: the stream of whole batches.
        ranks: which process this is.
    """

    def __init__(self, batches: Stream, ranks: Ranks) -> None:
        self.batches, self.ranks = batches, ranks

    def __next__(self) -> tuple[Tensor, Tensor | None]:
        tokens, mask = next(self.batches)
        rank, size = self.ranks
        if len(tokens) % size:
            raise ValueError(
                f"{size} processes share each batch in equal parts, and it has {len(tokens)} rows: "
                f"give a --batch-size that {size} divides"
            )
        return tokens[rank::size], None if mask is None else mask[rank::size]

    def state_dict(self) -> dict[str, Any]:
        """Return the position of the whole stream."""
        return self.batches.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken, by whatever number of processes."""
        self.batches.load_state_dict(state)


def spread(model: nn.Module, parallel: Parallel, device: torch.device) -> nn.Module:
    """Return a model whose gradients are averaged over all processes after every backward pass.

    Args:
        model: the same weights in every process. With "fsdp" it is changed in place.
        parallel: "ddp": each process keeps all weights. "fsdp": each keeps its rows of every weight, and gathers those
            of a block when it needs them (FSDP2; ZeRO stage 3, Rajbhandari et al. 2020).
        device: where the model is.
    """
    if parallel == "ddp":
        return DistributedDataParallel(model)
    mesh = init_device_mesh(device.type, (distributed.get_world_size(),))
    for blocks in [module for module in model.modules() if isinstance(module, nn.ModuleList)]:
        for block in blocks:
            fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)
    return model


def loss_of_all(
    loss_function: Callable[[Any, Any], tuple[Tensor, int]], ranks: Ranks, accumulate: int = 1
) -> Callable[[Any, Any], tuple[Tensor, int]]:
    """Return a loss function, as `train_steps` wants it, of the rows of all processes.

    Its value is the sum over all rows, and its count that of all targets, the same in every process. Its gradient is
    `size` times that of the process's own rows, so that the average over processes is the gradient of the sum. The mean
    of the processes' means would weigh a token by how many others its process has.

    Args:
        loss_function: returns the summed loss of a process's batch and the number of terms in it.
        ranks: which process this is.
        accumulate: batches of a step. Gradients are averaged after the last one only.
    """
    done = 0

    def loss_and_count(model: Any, batch: Any) -> tuple[Tensor, int]:
        nonlocal done
        done += 1
        average_after(model, done % accumulate == 0)
        loss, count = loss_function(model, batch)
        totals = torch.stack(
            [loss.detach().double(), torch.tensor(float(count), dtype=torch.double, device=loss.device)]
        )
        distributed.all_reduce(totals)
        own = loss * ranks.size
        return own + (totals[0].to(own.dtype) - own).detach(), int(totals[1])

    return loss_and_count if ranks.size > 1 else loss_function


def average_after(model: nn.Module, wanted: bool) -> None:
    """Say whether the next backward pass ends with the average over processes; it has to be said before the forward."""
    if isinstance(model, DistributedDataParallel):
        model.require_backward_grad_sync = wanted
    elif isinstance(model, FSDPModule):
        model.set_requires_gradient_sync(wanted)

"""One training on several processes: who is who, whose rows are whose, and a loss on which all of them agree.

The training loop does not change. Each process runs it with its rows of every batch (`RankBatches`), a model that
averages gradients over the processes (`spread`), and a loss of all rows (`loss_of_all`).
"""

import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, NamedTuple, Protocol, TypeVar, cast

import torch
from torch import Tensor, distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.nn.parallel import DistributedDataParallel

from shared.training.losses import Batch, evaluate_loss, language_model_loss

T = TypeVar("T")
Parallel = Literal["ddp", "fsdp"]


class Ranks(NamedTuple):
    """Which process this is, from 0 on, and how many there are."""

    rank: int
    size: int


ALONE = Ranks(0, 1)


def present() -> Ranks:
    """Return which process of how many this is: of the group it has joined, or alone."""
    if not distributed.is_initialized():
        return ALONE
    return Ranks(distributed.get_rank(), distributed.get_world_size())


class Stream(Protocol):
    """Batches in a fixed order, with a position that can be saved and restored."""

    def __next__(self) -> tuple[Tensor, Tensor | None]: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> None: ...


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
    """Return a model whose gradients are averaged over all processes after every backward pass; alone, the model.

    Args:
        model: the same weights in every process. With "fsdp" it is changed in place.
        parallel: "ddp": each process keeps all weights. "fsdp": each keeps its rows of every weight, and gathers those
            of a block when it needs them (FSDP2; ZeRO stage 3, Rajbhandari et al. 2020).
        device: where the model is.
    """
    if present().size == 1:
        return model
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


@torch.no_grad()
def evaluate_of_all(model: nn.Module, batches: Iterable[Batch], ranks: Ranks) -> tuple[float, int]:
    """Return what `evaluate_loss` returns, for batches whose rows are shared among the processes: each is scored once.

    Args:
        model: the model, spread or not.
        batches: whole batches, the same in every process, of any number of rows.
        ranks: which process this is.

    Raises:
        ValueError: no batch has a target.
    """
    if ranks.size == 1:
        return evaluate_loss(model, batches)
    was_training = model.training
    model.eval()
    total, targets = 0.0, 0
    for batch in batches:
        loss, count = language_model_loss(model, _own_rows(batch, ranks))
        total, targets = total + loss.item(), targets + count
    model.train(was_training)
    totals = torch.tensor([total, targets], dtype=torch.double, device=next(model.parameters()).device)
    distributed.all_reduce(totals)
    if not totals[1]:
        raise ValueError("an evaluation needs batches with at least one target; got none")
    return totals[0].item() / totals[1].item(), int(totals[1])


def _own_rows(batch: Batch, ranks: Ranks) -> Batch:
    """Return the rows of a process; where there are none, one row without targets: all call the model together."""
    tokens, mask = batch
    mask = torch.ones_like(tokens, dtype=torch.bool) if mask is None else mask
    if ranks.rank >= len(tokens):
        return tokens[:1], torch.zeros_like(mask[:1])
    return tokens[ranks.rank :: ranks.size], mask[ranks.rank :: ranks.size]


def seed_step(seed: int, step: int, ranks: Ranks) -> None:
    """Seed what is drawn in a step by its number and the process: no two drop the same features. Alone, do nothing.

    So a checkpoint need not hold random states of every process, and any number of them can go on from it.
    """
    if ranks.size > 1:
        torch.manual_seed(random.Random(f"{seed} {step} {ranks.rank}").getrandbits(63))


def from_first(compute: Callable[[], T]) -> T:
    """Return what the first process computes, in all of them; the others wait for it."""
    ranks = present()
    if ranks.size == 1:
        return compute()
    sent = [compute() if ranks.rank == 0 else None]
    distributed.broadcast_object_list(sent)
    return cast("T", sent[0])

"""One checkpoint for any number of processes: what is spread over them is gathered into the states that one would have.

The file is that of `shared/training/checkpoints.py`, to the last key. So one process goes on where four stopped, and
four where one did, whether they keep all weights ("ddp") or their rows of each ("fsdp").
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    set_model_state_dict,
)
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.optim import Optimizer

from shared.training.checkpoints import save_checkpoint
from shared.training.parallel import present

M = TypeVar("M", bound=nn.Module)
WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


class WholeModel:
    """A model of several processes that saves and loads as one of a single process. All call its methods together."""

    def __init__(self, model: nn.Module) -> None:
        self.model = model

    def state_dict(self, *, keep_vars: bool = False) -> dict[str, Any]:
        """Return all weights in the first process, and nothing in the others; with `keep_vars` what each one keeps."""
        own = self.model.state_dict(keep_vars=True)
        if keep_vars:
            return own
        whole = get_model_state_dict(self.model, options=WHOLE)
        # One weight of two names (a tied embedding) was gathered twice. It is one in the file, too.
        first = {id(weight): name.removeprefix("module.") for name, weight in reversed(own.items())}
        names = ((name.removeprefix("module."), first[id(weight)]) for name, weight in own.items())
        return {name: whole[original] for name, original in names if original in whole}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take what belongs to this process out of the whole weights, which every process has."""
        copy = dict(state)  # the helper puts its own names and shards into what it is given
        set_model_state_dict(self.model, copy, options=WHOLE)


class WholeOptimizer:
    """An optimizer of a model of several processes, likewise.

    PyTorch's helper for optimizers knows only the options that its own ones have, and `train_steps` adds two. So what
    is spread over processes is gathered and dealt out here, tensor by tensor.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer

    def state_dict(self) -> dict[str, Any]:
        """Return the whole state in the first process; in the others what was gathered with it is left out."""
        state = self.optimizer.state_dict()
        gathered = {
            number: {name: _gathered(value) for name, value in of_weight.items()}
            for number, of_weight in state["state"].items()
        }
        return {**state, "state": gathered}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take what belongs to this process out of a whole state, which every process has."""
        weights = [weight for group in self.optimizer.param_groups for weight in group["params"]]
        states = {
            number: {name: _as_spread(value, weights[number]) for name, value in of_weight.items()}
            for number, of_weight in state["state"].items()
        }
        self.optimizer.load_state_dict({**state, "state": states})


def _gathered(value: Any) -> Any:
    """Return a value whole, on the CPU of the first process; all processes call this together."""
    if not isinstance(value, DTensor):
        return value
    whole = value.full_tensor()
    return whole.cpu() if present().rank == 0 else None


def _as_spread(value: Any, weight: Tensor) -> Any:
    """Return what an optimizer keeps of a weight, spread as the weight is."""
    if not (isinstance(weight, DTensor) and isinstance(value, Tensor) and value.shape == weight.shape):
        return value
    return distribute_tensor(value.to(weight.device), weight.device_mesh, weight.placements, src_data_rank=None)


def whole(model: nn.Module, optimizers: Sequence[Optimizer]) -> tuple[Any, Sequence[Any]]:
    """Return what saves and loads a model and its optimizers as one process would; alone, these themselves."""
    if present().size == 1:
        return model, optimizers
    return WholeModel(model), [WholeOptimizer(optimizer) for optimizer in optimizers]


def whole_model(model: M, make: Callable[[], M]) -> M:
    """Return a model with all weights in it: the one given, or in the first process a new one if they are spread.

    Args:
        model: what was trained, without the wrapper of DDP.
        make: makes a model of the same shape.
    """
    if not isinstance(model, FSDPModule):
        return model
    state, new = WholeModel(model).state_dict(), make()
    if state:
        new.load_state_dict(state)
    return new


def save_whole(path: Path, *, model: nn.Module, optimizers: Sequence[Optimizer], **state: Any) -> None:
    """Write one checkpoint of all processes, from the first one; all call it together.

    Args:
        path: the file.
        model, optimizers: as they are trained.
        state: what else `save_checkpoint` takes.

    Raises:
        CheckpointError: as `save_checkpoint` raises, in the first process.
    """
    parts: list[Any] = [model, *optimizers]
    if present().size > 1:
        of_model, of_optimizers = whole(model, optimizers)
        parts = [_Kept(of_model), *map(_Kept, of_optimizers)]
    if present().rank == 0:
        save_checkpoint(path, model=parts[0], optimizers=parts[1:], **state)


class _Kept:
    """A state that was gathered, in the form in which `save_checkpoint` takes it."""

    def __init__(self, of: Any) -> None:
        self.state = of.state_dict()

    def state_dict(self) -> dict[str, Any]:
        return self.state

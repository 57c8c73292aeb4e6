"""What a process holds of a training, and the most that its tensors take while it goes on."""

import os
from collections.abc import Callable, Iterable
from typing import NamedTuple

from torch import Tensor, nn
from torch.distributed.tensor import DTensor
from torch.optim import Optimizer
from torch.profiler import ProfilerActivity, profile


class Held(NamedTuple):
    """Bytes of a process."""

    weights: int
    gradients: int
    states: int


def own(tensor: Tensor) -> Tensor:
    """Return the part of a tensor that this process has."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def held(model: nn.Module, moved: Iterable[nn.Parameter], optimizer: Optimizer) -> Held:
    """Return the bytes of weights, of their gradients, and of what the optimizer keeps; counts of steps are left out.

    Args:
        model: what is trained.
        moved: what the optimizer moves: the weights, or pieces of them that share their memory.
        optimizer: its states are counted.
    """
    weights = list(model.parameters())
    with_gradient = {id(parameter): parameter for parameter in [*weights, *moved]}.values()
    states = [value for state in optimizer.state.values() for value in state.values() if isinstance(value, Tensor)]
    return Held(
        sum(own(weight).nbytes for weight in weights),
        sum(own(parameter.grad).nbytes for parameter in with_gradient if parameter.grad is not None),
        sum(own(value).nbytes for value in states if value.dim() > 0),
    )


def peak_of(work: Callable[[], object]) -> int:
    """Return the most bytes that tensors which were made during a piece of work took at any moment of it."""
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler's messages are for those who develop it
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        work()
    account = profiler.profiler
    assert account is not None
    assert account.kineto_results is not None
    events = [event for event in account.kineto_results.events() if event.name() == "[memory]"]
    taken = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        taken += event.nbytes()
        most = max(most, taken)
    return most

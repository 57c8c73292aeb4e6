"""What a piece of work takes of the memory, from the allocator's own account."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile


@dataclass(frozen=True)
class Usage:
    """The most bytes that were taken at once, and how many were taken when: (seconds, bytes) after each change."""

    peak: int
    timeline: list[tuple[float, int]]


def usage_of(work: Callable[[], object]) -> Usage:
    """Return what tensors take while some work is done, on the CPU.

    PyTorch's allocator reports every tensor that it makes and every one that it gives back, also those that live
    only within an operation; what was there before the work is not counted.
    """
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler's messages are for those who develop it
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        work()
    account = profiler.profiler
    assert account is not None
    assert account.kineto_results is not None
    changes = sorted((event.start_ns(), event.nbytes()) for event in account.kineto_results.events() if is_cpu(event))
    taken, timeline = 0, []
    for moment, size in changes:
        taken += size
        timeline.append(((moment - changes[0][0]) / 1e9, taken))
    return Usage(max((size for _, size in timeline), default=0), timeline)


def is_cpu(event: Any) -> bool:
    """Return whether an event of the profiler is a change of the CPU's memory."""
    return event.name() == "[memory]" and event.device_type() == DeviceType.CPU

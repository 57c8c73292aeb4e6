"""How much memory does a piece of work need on top of what was there? Measured from outside, and from inside.

Theory: notes/13_a_few_neighbours_of_many.md
"""

import contextlib
import ctypes
import gc
import multiprocessing
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


def resident(key: str) -> int:
    """Return what Linux says of this process in bytes: VmRSS is in memory now, VmHWM the most that ever was."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(key))


def peak_resident(work: Callable[[], Any]) -> int | None:
    """Run some work and return the bytes by which the process grew at most; None elsewhere than on Linux.

    What the process freed before is given back first, or the work would use it again and seem small. So call it in a
    young process (`in_child`).
    """
    if sys.platform != "linux":
        work()
        return None
    gc.collect()
    if platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)
    with contextlib.suppress(OSError):  # some containers do not let one forget the old peak
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = resident("VmRSS")
    work()
    return max(0, resident("VmHWM") - before)


def kept_for_backward(forward: Callable[[], Tensor], known: nn.Module | None = None, *tensors: Tensor) -> int:
    """Return the bytes that a forward pass keeps until the backward pass; weights and given tensors do not count."""
    weights = () if known is None else known.parameters()
    own = {tensor.untyped_storage().data_ptr() for tensor in (*weights, *tensors)}
    kept: dict[int, int] = {}
    alive = []  # memory that is given back would be given out again, under the same address

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage.nbytes()
            alive.append(storage)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        _output = forward()
    return sum(kept.values())


def in_child(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function of a module returns in a process of its own, which is new and holds nothing else."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)

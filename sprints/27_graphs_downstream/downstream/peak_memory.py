"""How much memory does a piece of work need on top of what was there? Measured from outside.

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


def in_child(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function of a module returns in a process of its own, which is new and holds nothing else."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)

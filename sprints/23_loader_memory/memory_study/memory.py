"""How much memory a process has: resident, of its own, and its part of what it shares; and which pages are its own.

Linux gives memory out in pages of 4,096 bytes and says in `/proc` who has which. The figures of a process come through
psutil; single pages are looked up in `/proc/self/pagemap`, as Documentation/admin-guide/mm/pagemap.rst of Linux
describes it. Elsewhere there is no such file, and a sentence says so.
"""

import mmap
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil

PAGE = mmap.PAGESIZE  # bytes of a page
# Bits of an entry of pagemap: 63, the page is in memory; 56, one process alone has it mapped.
PRESENT, EXCLUSIVE = np.uint64(1 << 63), np.uint64(1 << 56)


@dataclass(frozen=True)
class Memory:
    """Bytes of a process.

    resident: all pages that it has in memory, shared or not (RSS).
    unique: pages that no other process has (USS): what the machine gets back when it ends.
    proportional: a page that n processes have counts 1/n for each of them (PSS); a sum over processes counts it once.
    """

    resident: int
    unique: int
    proportional: int


@dataclass(frozen=True)
class Kinds:
    """Resident bytes of a process by what stands behind them: nothing, a file, or memory that is made to be shared."""

    anonymous: int
    file: int
    shared: int


def check_linux() -> None:
    """Check that this system says who has which page.

    Raises:
        ValueError: it is not Linux.
    """
    if not sys.platform.startswith("linux"):
        raise ValueError(
            f"pages are counted by the files of /proc, which Linux alone has; this is {sys.platform}: "
            "run it on Linux, for example in a container"
        )


def memory_of(process: int | None = None) -> Memory:
    """Return what a process has (default: this one), in bytes.

    Raises:
        ValueError: this is not Linux, or there is no such process.
    """
    check_linux()
    try:
        info = psutil.Process(process).memory_full_info()
    except psutil.NoSuchProcess:
        raise ValueError(f"there is no process {process}: it has ended, or never was") from None
    return Memory(info.rss, info.uss, info.pss)


def kinds_of(process: int | None = None) -> Kinds:
    """Return the resident bytes of a process (default: this one) by their kind.

    Raises:
        ValueError: this is not Linux, or there is no such process.
    """
    check_linux()
    try:
        text = Path(f"/proc/{process or 'self'}/status").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ValueError(f"there is no process {process}: it has ended, or never was") from None
    lines = dict(line.split(":", 1) for line in text.splitlines())
    # In kilobytes of 1,024: "RssAnon:     5316 kB".
    return Kinds(*(1024 * int(lines[name].split()[0]) for name in ("RssAnon", "RssFile", "RssShmem")))


def pages_of(array: np.ndarray) -> np.ndarray:
    """Return the numbers of the pages in which the elements of an array stand, in ascending order.

    Raises:
        ValueError: the elements do not stand one behind the other.
    """
    if not array.flags.c_contiguous:
        raise ValueError("an array's pages are those from its first to its last byte: give one that is contiguous")
    first = array.ctypes.data
    return np.arange(first // PAGE, (first + max(array.nbytes, 1) - 1) // PAGE + 1)


def private(pages: np.ndarray) -> np.ndarray:
    """Return for each page, by its number in ascending order, whether this process alone has it in memory.

    Raises:
        ValueError: this is not Linux, or the numbers do not ascend.
    """
    check_linux()
    if (np.diff(pages) <= 0).any():
        raise ValueError("the numbers of pages must ascend: give np.unique(pages)")
    entries = []
    file = os.open("/proc/self/pagemap", os.O_RDONLY)
    try:
        # Neighbours are read at once: an entry has eight bytes.
        for run in np.split(pages, np.flatnonzero(np.diff(pages) > 1) + 1):
            found = np.frombuffer(os.pread(file, 8 * len(run), 8 * int(run[0])), dtype=np.uint64) if len(run) else []
            entries.append(found)
    finally:
        os.close(file)
    every = np.concatenate(entries).astype(np.uint64)
    return ((every & PRESENT) != 0) & ((every & EXCLUSIVE) != 0)

"""What of a file is in memory: in a process that maps it, and in the page cache, which belongs to no process."""

import ctypes
import hashlib
import mmap
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from memory_study.memory import PAGE, check_linux, kinds_of


@dataclass(frozen=True)
class Moment:
    """Bytes since the beginning of an experiment: of the process, by kind, and of the file in the page cache.

    digest: SHA-256 of the data as they were read at this moment, or nothing if they were not read.
    """

    what: str
    anonymous: int
    file: int
    cached: int
    digest: str


def cached_bytes(path: Path) -> int:
    """Return how many bytes of a file are in the page cache, whoever read them.

    The file is mapped and asked about by `mincore`, which reads nothing.
    """
    check_linux()
    size = path.stat().st_size
    libc = ctypes.CDLL(None, use_errno=True)
    with path.open("r+b") as file, mmap.mmap(file.fileno(), size) as mapped:
        address = ctypes.addressof(held := ctypes.c_char.from_buffer(mapped))
        there = (ctypes.c_ubyte * ((size + PAGE - 1) // PAGE))()
        failed = libc.mincore(ctypes.c_void_p(address), ctypes.c_size_t(size), there)
        del held  # or the map could not be closed
    if failed:
        raise ValueError(f"mincore failed: {os.strerror(ctypes.get_errno())}")
    return PAGE * sum(entry & 1 for entry in there)


def forget(path: Path) -> None:
    """Ask the system to drop a file from the page cache; what is not on the disk yet is written first."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def file_backed(path: Path) -> list[Moment]:
    """Map a file, read it, give its pages back, read it again; look at every moment. For a process of its own."""
    forget(path)
    record = recorder(path)
    moments = [record("begin", "")]
    size = path.stat().st_size
    with path.open("rb") as file:
        mapped = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
        moments.append(record("mapped", ""))
        moments.append(record("read", digest_of(mapped)))
        mapped.madvise(mmap.MADV_DONTNEED)
        moments.append(record("given back", ""))
        moments.append(record("read again", digest_of(mapped)))
        mapped.close()
    forget(path)
    moments.append(record("dropped from the cache", ""))
    with path.open("rb", buffering=0) as file:
        digest = hashlib.sha256()
        while piece := file.read(1 << 20):
            digest.update(piece)
    moments.append(record("read piece by piece", digest.hexdigest()))
    return moments


def anonymous(path: Path) -> list[Moment]:
    """Load the same file into memory without a file behind it, and give its pages back. For a process of its own."""
    record = recorder(path)
    moments = [record("begin", "")]
    size = path.stat().st_size
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE)
    moments.append(record("asked for", ""))
    with path.open("rb", buffering=0) as file:
        file.readinto(memory)
    moments.append(record("loaded", digest_of(memory)))
    memory.madvise(mmap.MADV_DONTNEED)
    moments.append(record("given back", ""))
    moments.append(record("read again", digest_of(memory)))
    return moments


def recorder(path: Path) -> Callable[[str, str], Moment]:
    """Return a function that looks at this process and the page cache, and counts from now."""
    begin = kinds_of()

    def record(what: str, digest: str) -> Moment:
        now = kinds_of()
        return Moment(what, now.anonymous - begin.anonymous, now.file - begin.file, cached_bytes(path), digest)

    return record


def digest_of(memory: mmap.mmap) -> str:
    """Return the SHA-256 of what stands in mapped memory, read in pieces."""
    digest = hashlib.sha256()
    with memoryview(memory) as view:
        for start in range(0, len(view), 1 << 20):
            digest.update(view[start : start + (1 << 20)])
    return digest.hexdigest()


def write_noise(path: Path, size: int, seed: int) -> None:
    """Write a file of random bytes."""
    random = np.random.default_rng(seed)
    with path.open("wb") as file:
        for start in range(0, size, 1 << 22):
            file.write(random.bytes(min(1 << 22, size - start)))

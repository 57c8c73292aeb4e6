"""Small limits for a process of its own: few open files, little shared memory, and a mapped file that is cut off."""

import contextlib
import ctypes
import mmap
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

SHARED = Path("/dev/shm")
# From linux/sched.h and linux/mount.h.
NEW_MOUNTS, NEW_USER, RECURSIVE, PRIVATE = 0x00020000, 0x10000000, 0x4000, 0x40000
Strategy = Literal["file_descriptor", "file_system"]


def few_open_files(most: int | None) -> None:
    """Allow this process so many open files at once, or as many as its hard limit, which stays."""
    import resource  # not everywhere

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if most is None else most, hard))


def little_shared_memory(size: int) -> None:
    """Give this process and its children a /dev/shm of their own with so many bytes; nobody else sees it.

    It goes when they end. Only a process with one thread may do this, such as one that has just been forked.

    Raises:
        ValueError: the system does not allow it.
    """
    if not sys.platform.startswith("linux"):
        raise ValueError(f"only Linux has /dev/shm and lets a process mount another one; this is {sys.platform}")
    libc, user, group = ctypes.CDLL(None, use_errno=True), os.getuid(), os.getgid()

    def call(result: int) -> None:
        if result:
            reason = os.strerror(ctypes.get_errno())
            raise ValueError(f"this system lets no process mount a /dev/shm of its own ({reason}): run it elsewhere")

    call(libc.unshare(NEW_USER | NEW_MOUNTS))
    for file, words in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        Path("/proc/self", file).write_text(words, encoding="ascii")
    call(libc.mount(b"none", b"/", None, RECURSIVE | PRIVATE, None))
    call(libc.mount(b"tmpfs", bytes(SHARED), b"tmpfs", 0, f"size={size}".encode()))


class Blocks(Dataset[Tensor]):
    """Batches of so many bytes each, all of them the number of the batch."""

    def __init__(self, count: int, size: int) -> None:
        self.count, self.size = count, size

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Tensor:
        return torch.full((self.size,), index % 256, dtype=torch.uint8)


class CutOff(Blocks):
    """Batches out of a mapped file that somebody has made shorter: the memory is promised and not there."""

    def __getitem__(self, index: int) -> Tensor:
        with tempfile.TemporaryFile() as file:
            file.truncate(self.size)
            mapped = mmap.mmap(file.fileno(), self.size)
            file.truncate(0)
            return torch.frombuffer(mapped, dtype=torch.uint8) + 0


@dataclass(frozen=True)
class Kept:
    """How an epoch ended whose batches were all kept: how many there are, which files stand behind them, what was said.

    open_files: of the process.
    named_files: of /dev/shm that the process has in its memory and that have a name there.
    error: of the process.
    worker: the last error that a worker wrote to the terminal.
    """

    batches: int
    open_files: int
    named_files: int
    error: str
    worker: str


def keep_batches(
    data: Dataset[Tensor],
    strategy: Strategy = "file_descriptor",
    workers: int = 1,
    clone: bool = False,
    open_files: int | None = None,
    shared_bytes: int | None = None,
    timeout: float = 0,
) -> Kept:
    """Read an epoch by workers and keep every batch, under limits. To be called in a forked process.

    Args:
        data: batches, one for each index.
        strategy: how PyTorch sends a tensor's memory: an open file without a name, or the name of a file.
        workers: of the loader.
        clone: keep copies in ordinary memory in place of the batches.
        open_files: at most, if there is to be a limit.
        shared_bytes: of /dev/shm, if there is to be a limit.
        timeout: seconds after which a batch that does not come is an error; 0 waits for ever.

    Raises:
        ValueError: there can be no such limit here.
    """
    torch.set_num_threads(1)
    if shared_bytes is not None:
        little_shared_memory(shared_bytes)
    if open_files is not None:
        few_open_files(open_files)
    torch.multiprocessing.set_sharing_strategy(strategy)
    kept: list[Tensor] = []
    error = ""
    with tempfile.TemporaryFile() as said:
        # What workers write about their errors, which the loader does not pass on: themselves, and PyTorch in C++.
        os.dup2(said.fileno(), 2)
        try:
            with open(2, "w", buffering=1, closefd=False) as words, contextlib.redirect_stderr(words):
                for batch in DataLoader(data, batch_size=None, num_workers=workers, timeout=timeout):
                    kept.append(batch.clone() if clone else batch)
        except (RuntimeError, OSError) as fault:
            error = f"{type(fault).__name__}: {' '.join(str(fault).split())}"
            few_open_files(None)  # counting needs a file
        said.seek(0)
        lines = said.read().decode(errors="replace").replace("\0", "").splitlines()
    errors = [line.strip() for line in lines if re.match(r"\w*(Error|ERROR)\b", line)]
    mapped = [line for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines() if "shm/torch_" in line]
    named = [line for line in mapped if not line.endswith("(deleted)")]
    return Kept(len(kept), len(os.listdir("/proc/self/fd")), len(named), error, errors[-1] if errors else "")

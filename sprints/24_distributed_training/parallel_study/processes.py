"""Several processes on this machine that form one group, started in a moment and gone whatever happens."""

import multiprocessing
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.connection import Connection, wait
from pathlib import Path
from threading import Thread
from typing import Any

# A server that has imported these forks each process in a moment; a new interpreter takes seconds to import PyTorch.
IMPORTED = [
    "torch.distributed.fsdp", "torch.distributed.tensor.parallel", "torch.distributed.pipelining", "matplotlib.figure",
]  # fmt: skip
PATIENCE = 0.5  # seconds to wait for the last words of a process, when another has failed
LOOPBACK = "lo0" if sys.platform == "darwin" else "lo"


class ProcessFailed(RuntimeError):
    """A process of a group ended with an error; the others were stopped."""


def on_processes(size: int, function: Callable[..., Any], *arguments: Any, seconds: float = 300) -> list[Any]:
    """Call a function in `size` processes that form a gloo group, and return what each returned, by rank.

    Each process has one thread and draws random numbers from the same seed. They meet at a file, so no port is needed.

    Args:
        size: processes.
        function: of a module; it finds its rank by `torch.distributed.get_rank()`.
        arguments: what it is called with, the same in every process.
        seconds: how long to wait.

    Raises:
        ProcessFailed: one ended with an error, whose traceback is in the text.
        TimeoutError: they were not done in time: one may be waiting for the other.
    """
    context = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
    if sys.platform == "linux":
        context.set_forkserver_preload(IMPORTED)
    with tempfile.TemporaryDirectory() as folder:
        started, ends = [], {}
        for rank in range(size):
            here, there = context.Pipe(duplex=False)
            meeting = Path(folder) / "meeting"
            process = context.Process(target=_join, args=(there, meeting, rank, size, function, arguments))
            process.start()
            there.close()  # so that the end of a process is the end of its pipe
            started.append(process)
            ends[here] = rank
        try:
            return _collect(ends, time.monotonic() + seconds)
        finally:
            for process in started:
                process.kill()
                process.join()


def _collect(ends: dict[Connection, int], until: float) -> list[Any]:
    """Return what each process sends, by rank, or raise what the first one that failed says."""
    returned: dict[int, Any] = {}
    failed: list[tuple[float, int, str]] = []
    waiting = dict(ends)
    while waiting:
        # The end of one breaks the connections of the others: what they say of it may come before its own last words.
        patience = PATIENCE if failed else max(0.0, until - time.monotonic())
        ready = wait(list(waiting), timeout=patience)
        if not ready:
            break
        for end in [end for end in waiting if end in ready]:
            rank = waiting.pop(end)
            try:
                returned[rank], failure = end.recv()
            except EOFError:
                failure = (0.0, "it was killed")
            if failure is not None:
                failed.append((failure[0], rank, failure[1]))
    if failed:
        _, rank, error = min(failed)
        raise ProcessFailed(f"process {rank} of {len(ends)} failed: {error}")
    if waiting:
        raise TimeoutError(f"processes {sorted(waiting.values())} did not end in time: does one wait for another?")
    return [returned[rank] for rank in range(len(ends))]


def _join(end: Connection, meeting: Path, rank: int, size: int, function: Callable, arguments: tuple) -> None:
    """Join the group as one of its processes, call the function, and send what it returns or how it failed."""
    import torch
    from torch import distributed

    os.environ.setdefault("GLOO_SOCKET_IFNAME", LOOPBACK)
    Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    try:
        store = distributed.FileStore(str(meeting), size)
        distributed.init_process_group("gloo", store=store, rank=rank, world_size=size, timeout=timedelta(seconds=60))
        value = function(*arguments)
        distributed.barrier()  # who leaves early breaks the connections of those who still talk
    except BaseException:  # whatever it is, the caller is told
        end.send((None, (time.time(), traceback.format_exc())))
    else:
        end.send((value, None))


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, even by SIGKILL."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)

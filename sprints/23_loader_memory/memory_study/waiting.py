"""How many batches wait for a training step: counted, and weighed in /dev/shm; and a queue without an end."""

import contextlib
import os
import queue
import threading
import time
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from memory_study.memory import kinds_of


class SlowBatches(Dataset[Tensor]):
    """Batches of so many bytes that take a while to make; `made` counts them, in whichever process."""

    def __init__(self, seconds: list[float], size: int, made: "Synchronized[int]") -> None:
        self.seconds, self.size, self.made = seconds, size, made

    def __len__(self) -> int:
        return len(self.seconds)

    def __getitem__(self, index: int) -> Tensor:
        time.sleep(self.seconds[index])
        batch = torch.full((self.size,), index % 256, dtype=torch.uint8)
        with self.made.get_lock():
            self.made.value += 1
        return batch


@dataclass(frozen=True)
class Waiting:
    """An epoch: batches that were ready before each step, the bytes of these, and the time of a step."""

    ready: list[int]
    shared_bytes: list[int]
    resident_bytes: list[int]
    seconds_of_a_step: float


def shared_bytes(processes: list[int]) -> int:
    """Return the bytes of memory that processes hold by open files of /dev/shm, each counted once.

    A batch that has been sent and not fetched is such a file, without a name and in nobody's address space.
    """
    sizes: dict[int, int] = {}
    for process in processes:
        folder = Path(f"/proc/{process}/fd")
        for file in list(folder.iterdir()) if folder.exists() else []:
            with contextlib.suppress(FileNotFoundError):  # it was sent, or the worker ended, in this moment
                if os.readlink(file).startswith("/dev/shm/torch_"):
                    found = file.stat()
                    sizes[found.st_ino] = 512 * found.st_blocks
    return sum(sizes.values())


def epoch(seconds: list[float], size: int, made: "Synchronized[int]", workers: int, ahead: int, step: float) -> Waiting:
    """Read an epoch with steps that take a while, and look at what waits before each one.

    Args:
        seconds: to make each batch.
        size: bytes of a batch.
        made: a fresh counter, shared between processes.
        workers: of the loader.
        ahead: its prefetch_factor.
        step: seconds of a training step.
    """
    torch.set_num_threads(1)
    data = SlowBatches(seconds, size, made)
    loader = DataLoader(
        data, batch_size=None, num_workers=workers, prefetch_factor=ahead, multiprocessing_context="fork"
    )
    batches = iter(loader)
    pids = [worker.pid for worker in batches._workers]  # ty: ignore[missing-attribute]
    ready, weights, resident = [], [], []
    began = time.perf_counter()
    for taken in range(len(seconds)):
        if taken == 1:
            began = time.perf_counter()  # the start of the workers is not counted
        next(batches)
        time.sleep(step)
        ready.append(made.value - taken - 1)
        weights.append(shared_bytes(pids))
        resident.append(sum(kinds_of(pid).shared for pid in pids if Path(f"/proc/{pid}").exists()))
    per_step = (time.perf_counter() - began) / max(1, len(seconds) - 1)
    return Waiting(ready, weights, resident, per_step)


def without_an_end(count: int, load: float, step: float) -> list[int]:
    """Return what waits before each step if a thread puts batches into a queue that holds any number of them."""
    ready: queue.Queue[int] = queue.Queue()

    def work() -> None:
        for number in range(count):
            time.sleep(load)
            ready.put(number)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    waiting = []
    for _ in range(int(count * load / step)):
        ready.get()
        time.sleep(step)
        waiting.append(ready.qsize())
    thread.join()
    return waiting

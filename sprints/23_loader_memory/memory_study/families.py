"""What a process and its workers have together, after an epoch of texts from some storage."""

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from torch import Tensor
from torch.utils.data import BatchSampler, DataLoader, RandomSampler

from memory_study.memory import Memory, memory_of
from memory_study.processes import Method
from memory_study.texts import STORAGES


@dataclass(frozen=True)
class Family:
    """Bytes of a parent and its workers after an epoch.

    alone: the parent's proportional set when it has read everything and has no workers yet.
    together: the sum of the proportional sets of the parent and all its children.
    resident: the sum of their resident sets, in which what is shared counts once for each.
    unique: of the worker that has most of its own.
    data: bytes of the texts.
    batches: SHA-256 of all batches of the epoch, in order.
    """

    alone: int
    together: int
    resident: int
    unique: int
    data: int
    batches: str


def pad(texts: Sequence[Tensor]) -> Tensor:
    """Return texts as one tensor of bytes, filled up with zeros on the right: (batch, longest)."""
    return torch.nn.utils.rnn.pad_sequence([*texts], batch_first=True)


def touched(text: Any) -> int:
    """Return the length of a text in bytes, and read some of each of its pages: a memory map has nothing before."""
    values = np.frombuffer(text, dtype=np.uint8)
    return len(values) + 0 * int(values[::512].sum())


def family_of(
    storage: str, count: int, workers: int, method: Method, batch_size: int, folder: Path, seed: int
) -> Family:
    """Read an epoch of texts in random order by workers, and measure all processes before they end.

    It is to be called in a fresh process, whose memory holds nothing else.
    """
    torch.set_num_threads(1)
    texts = STORAGES[storage](count, seed, folder)
    data = sum(touched(texts.read(index)) for index in range(count))  # all of it is in memory now
    alone = memory_of().proportional
    order = BatchSampler(RandomSampler(texts, generator=torch.Generator().manual_seed(seed)), batch_size, False)
    seen = hashlib.sha256()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "This DataLoader will create")  # more workers than cores: they are counted
        loader = DataLoader(
            texts, batch_sampler=order, num_workers=workers, collate_fn=pad, multiprocessing_context=method,
            persistent_workers=True,  # they must be there still when they are measured
        )  # fmt: skip
        for batch in loader:
            seen.update(str(tuple(batch.shape)).encode())
            seen.update(batch.numpy().data)
    everyone: list[Memory] = [memory_of(child.pid) for child in psutil.Process().children(recursive=True)]
    unique = max(child.unique for child in everyone)
    everyone.append(memory_of())
    return Family(
        alone, sum(one.proportional for one in everyone), sum(one.resident for one in everyone), unique, data,
        seen.hexdigest(),
    )  # fmt: skip

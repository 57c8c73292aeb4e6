"""The same texts in five storages: a list, an array with offsets, an Arrow table, a memory map, shared memory.

Item i of each is a tensor of bytes, so that a batch is the same whichever storage it came from. Arrays are for reading:
a tensor that shares their memory must not be written to.
"""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor
from torch.utils.data import Dataset

SHORTEST, LONGEST = 600, 1400  # bytes of a text


def offsets_of(count: int, seed: int) -> np.ndarray:
    """Return where each text begins in one long row of bytes, and where the last one ends: (count + 1,)."""
    lengths = np.random.default_rng((seed, 0)).integers(SHORTEST, LONGEST + 1, count)
    return np.concatenate([[0], np.cumsum(lengths)])


def fill(values: np.ndarray, seed: int, piece: int = 1 << 22) -> None:
    """Write random letters into a row of bytes, in pieces, so that nothing else of its size is ever there."""
    random = np.random.default_rng((seed, 1))
    for start in range(0, len(values), piece):
        part = values[start : start + piece]
        part[:] = random.integers(97, 123, len(part), dtype=np.uint8)


class Texts(Dataset[Tensor]):
    """Texts in some storage; `read(i)` returns the bytes of number i."""

    def __init__(self, count: int, seed: int, folder: Path) -> None:
        self.count, self.seed, self.folder = count, seed, folder

    def __len__(self) -> int:
        return self.count

    def read(self, index: int) -> Any:
        raise NotImplementedError

    def __getitem__(self, index: int) -> Tensor:
        # Copied: what the worker sends away is its own, whatever the text lies in.
        return torch.tensor(np.frombuffer(self.read(index), dtype=np.uint8))


class ListOfTexts(Texts):
    """A Python list with an object for each text."""

    def __init__(self, count: int, seed: int, folder: Path) -> None:
        super().__init__(count, seed, folder)
        values, offsets = _row(count, seed), offsets_of(count, seed).tolist()
        self.items = [values[start:end].tobytes() for start, end in itertools.pairwise(offsets)]

    def read(self, index: int) -> bytes:
        return self.items[index]


class OneArray(Texts):
    """Two NumPy arrays: all bytes in one row, and where each text begins."""

    def __init__(self, count: int, seed: int, folder: Path) -> None:
        super().__init__(count, seed, folder)
        self.values, self.offsets = _row(count, seed), offsets_of(count, seed)

    def read(self, index: int) -> np.ndarray:
        return self.values[self.offsets[index] : self.offsets[index + 1]]


class ArrowTable(Texts):
    """A column of an Arrow table, which is the same two rows in the memory of Arrow."""

    def __init__(self, count: int, seed: int, folder: Path) -> None:
        super().__init__(count, seed, folder)
        buffers = [None, pa.py_buffer(offsets_of(count, seed)), pa.py_buffer(_row(count, seed))]
        column = pa.Array.from_buffers(pa.large_binary(), count, buffers)
        self.table = pa.table({"text": column})

    def read(self, index: int) -> pa.Buffer:
        return self.table["text"][index].as_buffer()


class MemoryMap(Texts):
    """A file that is mapped into memory, opened where it is first read."""

    def __init__(self, count: int, seed: int, folder: Path) -> None:
        super().__init__(count, seed, folder)
        self.path, self.offsets = folder / "texts.npy", offsets_of(count, seed)
        if not self.path.exists():
            row = np.lib.format.open_memmap(self.path, "w+", np.uint8, (int(self.offsets[-1]),))
            fill(row, seed)
            row.flush()
        self.values: np.ndarray | None = None

    def read(self, index: int) -> np.ndarray:
        if self.values is None:
            self.values = np.load(self.path, mmap_mode="r")
        return self.values[self.offsets[index] : self.offsets[index + 1]]

    def __getstate__(self) -> dict[str, Any]:
        # Pickled as it is, a mapped array would become an ordinary one: a copy of the whole file.
        return self.__dict__ | {"values": None}


class SharedMemory(Texts):
    """A tensor in shared memory, of which pickle sends a handle."""

    def __init__(self, count: int, seed: int, folder: Path) -> None:
        super().__init__(count, seed, folder)
        self.offsets = torch.from_numpy(offsets_of(count, seed)).share_memory_()
        self.values = torch.empty(int(self.offsets[-1]), dtype=torch.uint8).share_memory_()
        fill(self.values.numpy(), seed)

    def read(self, index: int) -> np.ndarray:
        start, end = self.offsets[index : index + 2].tolist()
        return self.values[start:end].numpy()


STORAGES: dict[str, type[Texts]] = {
    "list": ListOfTexts,
    "array": OneArray,
    "arrow": ArrowTable,
    "memory map": MemoryMap,
    "shared memory": SharedMemory,
}


def _row(count: int, seed: int) -> np.ndarray:
    """Return all texts in one row of bytes."""
    values = np.empty(int(offsets_of(count, seed)[-1]), dtype=np.uint8)
    fill(values, seed)
    return values

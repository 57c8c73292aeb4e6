"""What do worker processes do to a stream? Each gets a copy of the whole of it, unless it takes a share.

    uv run sprints/02_datasets_and_dataloaders/stream.py

Theory: notes/07_streams.md
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt, Processes
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    items: PositiveInt = 1000  # items of the stream
    batch_size: PositiveInt = 32  # items of a batch
    workers: Processes = 2  # worker processes


@dataclass(frozen=True)
class Arrivals:
    items: int
    missing: int
    repeated: int
    in_order: bool
    short_batches: int
    batches: int


@dataclass(frozen=True)
class Results:
    streams: dict[str, Arrivals]
    expected_batches: int


class Stream(IterableDataset[int]):
    """The numbers 0 to items - 1, read from the front; it stands for a socket, a pipe or a log that grows."""

    def __init__(self, items: int) -> None:
        self.items = items

    def __iter__(self) -> Iterator[int]:
        yield from range(self.items)


class ShardedStream(Stream):
    """The same numbers; of W workers, number w takes every W-th from the w-th on."""

    def __iter__(self) -> Iterator[int]:
        info = get_worker_info()  # None in the main process
        first, step = (info.id, info.num_workers) if info else (0, 1)
        yield from islice(super().__iter__(), first, None, step)


def read(stream: Stream, batch_size: int, workers: int) -> Arrivals:
    """Return what a loader makes of a stream."""
    batches = [batch.tolist() for batch in DataLoader(stream, batch_size=batch_size, num_workers=workers)]
    items = [item for batch in batches for item in batch]
    counts = Counter(items)
    return Arrivals(
        items=len(items),
        missing=stream.items - len(counts),
        repeated=sum(count > 1 for count in counts.values()),
        in_order=items == sorted(items),
        short_batches=sum(len(batch) < batch_size for batch in batches),
        batches=len(batches),
    )


def main(config: Config) -> Results:
    torch.manual_seed(config.seed)
    streams = {
        f"{name}, {workers} workers": read(stream, config.batch_size, workers)
        for name, stream in (("whole", Stream(config.items)), ("shares", ShardedStream(config.items)))
        for workers in (0, config.workers)
    }
    for name, arrived in streams.items():
        order = "in order" if arrived.in_order else "out of order"
        print(f"{name:<20}{arrived.items:>6} items, {arrived.repeated} of them twice or more, {order}; ", end="")
        print(f"{arrived.batches} batches, {arrived.short_batches} of them short")
    return Results(streams=streams, expected_batches=math.ceil(config.items / config.batch_size))


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT})

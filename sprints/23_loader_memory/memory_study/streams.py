"""A stream of lines in many files that goes on where it stopped, exactly, with any number of workers that fits.

The files are shared out among lanes, and a batch comes from each lane in turn. Which worker reads a lane does not
matter: the order of the batches depends on the number of lanes, not on that of the workers.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

Place = tuple[int, int]  # number of a file in its lane, and the byte at which a line begins


class Lane:
    """Lines of some files, one file after the other, through a shuffle buffer.

    Its state is small: where the next line begins, where those in the buffer begin, and the state of the generator.
    Whenever a line is handed out, the state is that of a lane that has handed it out.

    Args:
        files: text files, in the order in which they are read.
        size: lines that the buffer holds.
        seed: of the order.
    """

    def __init__(self, files: Sequence[Path], size: int, seed: Sequence[int]) -> None:
        self.files, self.size = list(files), size
        self.random = np.random.default_rng(seed)
        self.file = self.offset = 0
        self.buffer: list[tuple[Place, str]] = []

    def read(self) -> Iterator[tuple[Place, str]]:
        """Yield the lines that have not been read, each with its place."""
        while self.file < len(self.files):
            with self.files[self.file].open("rb") as lines:
                lines.seek(self.offset)
                while line := lines.readline():
                    place = (self.file, self.offset)
                    self.offset += len(line)
                    yield place, line.decode().rstrip("\n")
            self.file, self.offset = self.file + 1, 0

    def __iter__(self) -> Iterator[str]:
        """Yield the lines in shuffled order: a random one leaves the buffer, and the next takes its place."""
        for held in self.read():
            if len(self.buffer) < self.size:
                self.buffer.append(held)
                continue
            drawn = int(self.random.integers(self.size))
            # Exchanged before the line is handed out: a state that is taken meanwhile must not have it any more.
            (_, line), self.buffer[drawn] = self.buffer[drawn], held
            yield line
        while self.buffer:
            yield self.buffer.pop(int(self.random.integers(len(self.buffer))))[1]

    def state_dict(self) -> dict[str, Any]:
        """Return where the lane is; nothing in it but numbers and words, so it can be written as JSON."""
        places = [place for place, _ in self.buffer]
        return {"file": self.file, "offset": self.offset, "buffer": places, "random": self.random.bit_generator.state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken; the lines of the buffer are read again."""
        self.file, self.offset = state["file"], state["offset"]
        self.random.bit_generator.state = state["random"]
        self.buffer = [((file, offset), self.line_at(file, offset)) for file, offset in state["buffer"]]

    def line_at(self, file: int, offset: int) -> str:
        """Return the line that begins at a byte of a file."""
        with self.files[file].open("rb") as lines:
            lines.seek(offset)
            return lines.readline().decode().rstrip("\n")


class Lanes(IterableDataset):
    """Batches of some lanes in turn, each with the number of its lane and the lane's state behind it.

    Of W workers, worker w has every W-th lane from the w-th on. A lane at its end gives empty batches, so that the
    others keep their turn.

    Args:
        lanes: by number, in the order of their turns.
        batch_size: lines of a batch; the last one of a lane has what is left.
        made: counts the batches of each lane where all processes see it.
    """

    def __init__(self, lanes: dict[int, Lane], batch_size: int, made: Tensor) -> None:
        self.lanes, self.batch_size, self.made = lanes, batch_size, made

    def __iter__(self) -> Iterator[tuple[int, list[str], dict[str, Any]]]:
        """Yield number of the lane, batch, and state, until all lanes of this worker are at their end."""
        info = get_worker_info()  # None in the main process
        first, step = (info.id, info.num_workers) if info else (0, 1)
        lines = {number: iter(self.lanes[number]) for number in [*self.lanes][first::step]}
        while lines:
            found = 0
            for number, lane in lines.items():
                batch = list(islice(lane, self.batch_size))
                found += len(batch)
                self.made[number] += bool(batch)
                yield number, batch, self.lanes[number].state_dict()
            if not found:
                return


def as_it_is(item: Any) -> Any:
    """Return what a worker made, without making tensors of it."""
    return item


class StreamLoader:
    """Batches of lines of one epoch after another; a saved state goes on exactly.

    Each batch brings the state of its lane with it. What a worker has made and nobody has used is made again.

    Args:
        files: text files, a line an item.
        batch_size: lines of a batch.
        buffer: lines that the shuffle buffer of each lane holds.
        lanes: shares of the files.
        workers: worker processes; they must divide the lanes.
        seed: of the orders.

    Raises:
        ValueError: fewer files than lanes, or lanes that cannot be shared out evenly.
    """

    def __init__(
        self, files: Sequence[Path], batch_size: int, buffer: int, lanes: int = 4, workers: int = 0, seed: int = 0
    ) -> None:
        if len(files) < lanes or (workers and lanes % workers):
            raise ValueError(
                f"each lane needs a file, and the workers must divide the lanes; got {len(files)} files, {lanes} lanes "
                f"and {workers} workers"
            )
        self.files, self.workers = list(files), workers
        size = sum(path.stat().st_size for path in files)
        self.order = {"files": len(files), "bytes": size, "batch_size": batch_size, "buffer": buffer, "lanes": lanes}
        self.order["seed"] = seed
        self.begin(epoch=0)

    def begin(self, epoch: int) -> None:
        """Stand before the first batch of an epoch."""
        self.epoch, self.turn = epoch, 0
        self.states = [lane.state_dict() for lane in self.new_lanes()]
        self.made = torch.zeros(self.order["lanes"], dtype=torch.long).share_memory_()

    def new_lanes(self) -> list[Lane]:
        """Return the lanes of this epoch at their beginnings; files and lines come in an order of (seed, epoch)."""
        seed, count = self.order["seed"], self.order["lanes"]
        order = np.random.default_rng((seed, self.epoch)).permutation(len(self.files))
        shares = [[self.files[place] for place in order[number::count]] for number in range(count)]
        return [Lane(share, self.order["buffer"], (seed, self.epoch, number)) for number, share in enumerate(shares)]

    def __iter__(self) -> Iterator[list[str]]:
        """Yield the batches that are left of this epoch; then it is the next epoch's turn."""
        lanes = self.new_lanes()
        for lane, state in zip(lanes, self.states, strict=True):
            lane.load_state_dict(state)
        turns = [(self.turn + step) % len(lanes) for step in range(len(lanes))]
        data = Lanes({number: lanes[number] for number in turns}, self.order["batch_size"], self.made)
        loader = DataLoader(
            data, batch_size=None, num_workers=self.workers, collate_fn=as_it_is, generator=torch.Generator()
        )
        for number, batch, state in loader:
            if batch:
                # Before the batch is used: a state that is saved meanwhile says that it was.
                self.states[number], self.turn = state, (number + 1) % len(lanes)
                yield batch
        self.begin(self.epoch + 1)

    def state_dict(self) -> dict[str, Any]:
        """Return the state of every lane, whose turn it is, and what order that is a place in."""
        return {"epoch": self.epoch, "turn": self.turn, "lanes": list(self.states), "order": dict(self.order)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken, with any number of workers.

        Raises:
            ValueError: the state belongs to another order.
        """
        if different := [name for name, value in self.order.items() if state["order"].get(name) != value]:
            values = ", ".join(f"{name} is {self.order[name]}, was {state['order'].get(name)}" for name in different)
            raise ValueError(f"a state needs the order that it was saved in; {values}: give the same, or start anew")
        self.begin(state["epoch"])
        self.turn, self.states = state["turn"], list(state["lanes"])

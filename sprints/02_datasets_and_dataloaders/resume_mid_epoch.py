"""Can a loader go on in the middle of an epoch, as if nothing had happened? And what do the usual ways lose?

    uv run sprints/02_datasets_and_dataloaders/resume_mid_epoch.py

Softmax regression is trained on noisy digits, stopped in the second epoch and resumed in several ways.
Theory: notes/13_resuming.md
"""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.digits import load_flat_digits
from shared.lab.ranges import NonNegativeInt, PositiveInt, Processes
from shared.lab.run import run

Item = tuple[Tensor, int, int]
WAYS = ("exact position", "read and throw away", "start the epoch again", "where the sampler was")


@dataclass(frozen=True)
class Config(ScriptConfig):
    epochs: PositiveInt = 3  # passes over the digits
    batch_size: PositiveInt = 64  # items of a batch
    workers: Processes = 2  # worker processes
    stop_epoch: NonNegativeInt = 1  # the epoch in which the run stops, counted from 0
    stop_batch: PositiveInt = 10  # how many batches of it are done then

    def check(self) -> None:
        batches = math.ceil(1797 / self.batch_size)
        if self.stop_epoch >= self.epochs or self.stop_batch > batches:
            got = f"--stop-epoch {self.stop_epoch} --stop-batch {self.stop_batch}"
            raise ValueError(f"the run must stop within its {self.epochs} epochs of {batches} batches; got {got}")


@dataclass(frozen=True)
class Resumption:
    """What a way to resume makes of the epoch: items used twice, never used, read in vain, and whether all is equal."""

    used_twice: int
    never_used: int
    read_in_vain: int
    same_weights: bool


@dataclass(frozen=True)
class Results:
    ways: dict[str, Resumption]
    batches_of_an_epoch: int
    handed_out_ahead: int


class NoisyDigits(Dataset[Item]):
    """Digits with noise that belongs to (seed, epoch, index): pixels (64,), the label and the index.

    Keys are (epoch, index), so the noise is another one in every epoch and the same one in every process.
    """

    def __init__(self, seed: int) -> None:
        self.images, labels = load_flat_digits()
        self.labels, self.seed = labels.tolist(), seed

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: tuple[int, int]) -> Item:
        noise = np.random.default_rng((self.seed, *index)).normal(0, 0.1, 64).astype(np.float32)
        return self.images[index[1]] + torch.from_numpy(noise), self.labels[index[1]], index[1]


class ResumableLoader:
    """Batches of one epoch after another; a saved position goes on exactly, with any number of workers.

    The order of an epoch is drawn from (seed, epoch), so the position is two numbers: the epoch and how many of its
    batches were handed to the consumer. What workers have read ahead does not count: it was not used.

    Args:
        data: items by (epoch, index); randomness of an item must come from the two.
        batch_size: items of a batch; the last one of an epoch has what is left.
        seed: of the orders.
        workers: worker processes.
    """

    def __init__(self, data: Dataset, batch_size: int, seed: int, workers: int = 0) -> None:
        self.data, self.batch_size, self.seed, self.workers = data, batch_size, seed, workers
        self.epoch = self.batch = self.handed_out = 0

    def keys(self) -> Iterator[list[tuple[int, int]]]:
        """Yield the keys of the batches of this epoch that are left."""
        items = len(self.data)  # ty: ignore[invalid-argument-type]
        order = np.random.default_rng((self.seed, self.epoch)).permutation(items).tolist()
        for start in range(self.batch * self.batch_size, items, self.batch_size):
            self.handed_out += 1
            yield [(self.epoch, index) for index in order[start : start + self.batch_size]]

    def __iter__(self) -> Iterator[list[Tensor]]:
        """Yield the batches that are left of this epoch; then it is the next epoch's turn."""
        for batch in DataLoader(self.data, batch_sampler=self.keys(), num_workers=self.workers):
            # Counted before it is handed over: a position that is saved while the batch is used says that it was used.
            self.batch += 1
            yield batch
        self.epoch, self.batch = self.epoch + 1, 0

    def state_dict(self) -> dict[str, int]:
        """Return the position, and what it is a position in."""
        items = len(self.data)  # ty: ignore[invalid-argument-type]
        return {
            "epoch": self.epoch, "batch": self.batch, "seed": self.seed, "batch_size": self.batch_size, "items": items,
        }  # fmt: skip

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where `state_dict` was taken.

        Raises:
            ValueError: the position is one of another order: seed, batch size or number of items differ.
        """
        own = self.state_dict()
        if different := [name for name in ("seed", "batch_size", "items") if state[name] != own[name]]:
            values = ", ".join(f"{name} is {own[name]}, was {state[name]}" for name in different)
            raise ValueError(f"a position needs the order that it was saved in; {values}: give the same, or start anew")
        self.epoch, self.batch = state["epoch"], state["batch"]


class RecordedTraining:
    """A model in training, and the indices of the items that it was trained on in each epoch."""

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        self.model = nn.Linear(64, 10)
        nn.init.zeros_(self.model.weight)
        nn.init.zeros_(self.model.bias)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.1, momentum=0.9)
        self.used: list[list[int]] = [[] for _ in range(epochs)]

    def train(self, loader: ResumableLoader, stop: tuple[int, int] | None = None) -> None:
        """Train to the end, or until so many batches of an epoch are done: stop is (epoch, batches)."""
        while loader.epoch < self.epochs:
            for images, labels, indices in loader:
                loss = functional.cross_entropy(self.model(images), labels)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                self.used[loader.epoch].extend(indices.tolist())
                if (loader.epoch, loader.batch) == stop:
                    return


def move(loader: ResumableLoader, way: str, handed_out: int) -> int:
    """Take a loader from the exact position to where a way to resume begins; return the batches it read in vain."""
    if way == "exact position":
        return 0
    done, loader.batch = loader.batch, handed_out if way == "where the sampler was" else 0
    return len(list(islice(loader, done))) if way == "read and throw away" else 0


def main(config: Config) -> Results:
    data = NoisyDigits(config.seed)
    batches = math.ceil(len(data) / config.batch_size)

    def new_loader() -> ResumableLoader:
        return ResumableLoader(data, config.batch_size, config.seed, config.workers)

    ways: dict[str, Resumption] = {}
    uninterrupted, ahead = RecordedTraining(config.epochs), 0
    uninterrupted.train(new_loader())
    for way in tqdm(WAYS, unit="way"):
        training, before, after = RecordedTraining(config.epochs), new_loader(), new_loader()
        training.train(before, stop=(config.stop_epoch, config.stop_batch))
        after.load_state_dict(before.state_dict())
        ahead = before.handed_out - config.stop_epoch * batches - config.stop_batch
        batches_in_vain = move(after, way, handed_out=config.stop_batch + ahead)
        training.train(after)
        counts = Counter(training.used[config.stop_epoch])
        ways[way] = Resumption(
            used_twice=sum(count > 1 for count in counts.values()),
            never_used=len(data) - len(counts),
            read_in_vain=batches_in_vain * config.batch_size,
            same_weights=all(map(torch.equal, training.model.parameters(), uninterrupted.model.parameters())),
        )
    print(f"with {config.stop_batch} batches used, the sampler had handed out {ahead} more to {config.workers} workers")
    for way, resumed in ways.items():
        same = "the same weights" if resumed.same_weights else "other weights"
        print(f"{way:<24}{resumed.used_twice:>5} items used twice,{resumed.never_used:>5} never, {same}", end="")
        print(f", {resumed.read_in_vain} read in vain" if resumed.read_in_vain else "")
    return Results(ways, batches, ahead)


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT})

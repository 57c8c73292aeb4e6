"""Which random numbers do worker processes draw? Repeated ones, fresh ones, and the same with any number of workers.

    uv run sprints/02_datasets_and_dataloaders/worker_randomness.py

Every item is one random number, as an augmentation would draw it; only its source differs.
Theory: notes/11_random_numbers_in_workers.md
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler, get_worker_info
from tqdm import tqdm

from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt, Processes
from shared.lab.run import run
from shared.lab.runtime import seed_everything

Key = tuple[int, int]


@dataclass(frozen=True)
class Config(ScriptConfig):
    items: PositiveInt = 64  # items of an epoch
    batch_size: PositiveInt = 4  # items of a batch
    workers: Processes = 2  # worker processes, beside none and one


@dataclass(frozen=True)
class Randomness:
    """How the numbers of a source behave, as shares and as answers to two questions."""

    distinct: float
    repeated_in_next_epoch: float
    same_again: bool
    same_with_any_workers: bool


@dataclass(frozen=True)
class Results:
    sources: dict[str, Randomness]
    indices_same_with_any_workers: bool


class EpochSampler(Sampler[Key]):
    """A new order in every epoch, by (seed, epoch) alone; yields (epoch, index).

    The epoch travels with the index. A `set_epoch` on the data set would not reach workers that keep running: they have
    copies of the data set.
    """

    def __init__(self, items: int, seed: int) -> None:
        self.items, self.seed, self.epoch = items, seed, 0

    def __len__(self) -> int:
        return self.items

    def __iter__(self) -> Iterator[Key]:
        epoch, self.epoch = self.epoch, self.epoch + 1
        for index in np.random.default_rng((self.seed, epoch)).permutation(self.items).tolist():
            yield epoch, index


class Draws(Dataset[tuple[int, float]]):
    """The index of an item and a random number for it, drawn by `draw(data, key)`."""

    def __init__(self, items: int, seed: int, draw: Callable[["Draws", Key], float]) -> None:
        self.items, self.seed, self.draw = items, seed, draw
        self.own_generator = np.random.default_rng(seed)

    def __len__(self) -> int:
        return self.items

    def __getitem__(self, index: Key) -> tuple[int, float]:
        return index[1], self.draw(self, index)


def from_torch(data: Draws, key: Key) -> float:  # noqa: ARG001 (all sources have one signature)
    return torch.rand((), dtype=torch.float64).item()


def from_numpy(data: Draws, key: Key) -> float:  # noqa: ARG001
    return np.random.random()  # noqa: NPY002 (the global state is what is examined)


def from_python(data: Draws, key: Key) -> float:  # noqa: ARG001
    return random.random()


def from_own_generator(data: Draws, key: Key) -> float:  # noqa: ARG001
    return data.own_generator.random()


def from_key(data: Draws, key: Key) -> float:
    """Return a number that belongs to the item: to its seed, epoch and index, whoever draws it and when."""
    return np.random.default_rng((data.seed, *key)).random()


def reseed(worker: int) -> None:  # noqa: ARG001 (the information has the number too)
    """Give the copy of the data set in this worker a generator of its own."""
    info = get_worker_info()
    assert info is not None
    info.dataset.own_generator = np.random.default_rng(info.seed)  # ty: ignore[missing-attribute]


SOURCES: dict[str, tuple[Callable[[Draws, Key], float], Callable[[int], None] | None]] = {
    "torch, global": (from_torch, None),
    "NumPy, global": (from_numpy, None),
    "Python, global": (from_python, None),
    "generator in the data set": (from_own_generator, None),
    "the same, seeded by each worker": (from_own_generator, reseed),
    "seed, epoch and index": (from_key, None),
}


def two_epochs(config: Config, workers: int, draw: Any, init: Any) -> list[list[tuple[int, float]]]:
    """Return the items of two epochs, freshly seeded, in the order in which they arrive."""
    generator = seed_everything(config.seed)
    loader = DataLoader(
        Draws(config.items, config.seed, draw),
        batch_size=config.batch_size,
        sampler=EpochSampler(config.items, config.seed),
        num_workers=workers,
        worker_init_fn=init,
        generator=generator,
    )
    return [[item for i, x in loader for item in zip(i.tolist(), x.tolist(), strict=True)] for _ in range(2)]


def main(config: Config) -> Results:
    sources, same_indices = {}, True
    for name, (draw, init) in tqdm(SOURCES.items(), unit="source"):
        epochs = {workers: two_epochs(config, workers, draw, init) for workers in (0, 1, config.workers)}
        first, second = ([number for _, number in epoch] for epoch in epochs[config.workers])
        sources[name] = Randomness(
            distinct=len(set(first)) / len(first),
            repeated_in_next_epoch=len(set(first) & set(second)) / len(set(first)),
            same_again=epochs[config.workers] == two_epochs(config, config.workers, draw, init),
            same_with_any_workers=all(pair == epochs[0] for pair in epochs.values()),
        )
        orders = [[[index for index, _ in epoch] for epoch in pair] for pair in epochs.values()]
        same_indices &= all(order == orders[0] for order in orders)
    print(f"{config.workers} workers" + " " * 23 + "distinct  again next epoch  reproducible  same with any workers")
    for name, source in sources.items():
        print(
            f"{name:<32}{source.distinct:>8.0%}{source.repeated_in_next_epoch:>18.0%}"
            f"{'yes' if source.same_again else 'no':>14}{'yes' if source.same_with_any_workers else 'no':>23}"
        )
    return Results(sources, same_indices)


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT})

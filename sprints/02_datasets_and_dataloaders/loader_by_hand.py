"""What does a DataLoader do? Sampler, batches of indices, items, collate: written out, and equal to PyTorch's.

    uv run sprints/02_datasets_and_dataloaders/loader_by_hand.py

Theory: notes/06_batches.md
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, RandomSampler, TensorDataset

from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.digits import load_digits
from shared.lab.ranges import PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    epochs: PositiveInt = 3  # passes to compare
    batch_sizes: tuple[PositiveInt, ...] = (1, 10, 64, 2000)  # items of a batch


@dataclass(frozen=True)
class Results:
    batches: int
    equal: int
    equal_without_waste: int
    seen_without_replacement: float
    seen_with_replacement: float
    seen_with_replacement_expected: float


class Indexed(Protocol):
    """What a loader asks of a data set: a length, and items by index."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Any: ...


def collate(items: Sequence[Any]) -> Any:
    """Return items as one batch: tensors are stacked, numbers become a tensor, tuples and dictionaries go by part.

    Raises:
        ValueError: items of different shapes, or of a type that has no obvious batch.
    """
    first = items[0]
    if isinstance(first, Tensor):
        if len({item.shape for item in items}) > 1:
            shapes = ", ".join(str(tuple(item.shape)) for item in items[:4])
            raise ValueError(
                f"items of a batch must have one shape; got {shapes}: pad them in a collate_fn of your own"
            )
        return torch.stack(list(items))
    if isinstance(first, int | float):
        return torch.tensor(items, dtype=torch.float64 if isinstance(first, float) else None)
    if isinstance(first, str):
        return list(items)
    if isinstance(first, dict):
        return {key: collate([item[key] for item in items]) for key in first}
    if isinstance(first, tuple | list):
        return [collate(part) for part in zip(*items, strict=True)]
    raise ValueError(
        f"items must be tensors, numbers, text, or tuples or dictionaries of these; got {type(first).__name__}"
    )


class Loader:
    """Batches of a data set.

    Args:
        data: the items.
        batch_size: items of a batch; the last one has what is left.
        shuffle: a new order in every epoch, or the order of the data set.
        drop_last: leave out a last batch that is not full.
        collate_fn: makes a batch of a list of items.
        generator: draws the orders.
        waste: draw from the generator also what PyTorch draws and does not use: before an epoch a seed for worker
            processes, even if there are none, and at the end of a shuffled epoch one more order.
    """

    def __init__(
        self,
        data: Indexed,
        batch_size: int,
        shuffle: bool,
        generator: torch.Generator,
        drop_last: bool = False,
        collate_fn: Callable[[Sequence[Any]], Any] = collate,
        waste: bool = True,
    ) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1; got {batch_size}")
        self.data, self.batch_size, self.shuffle, self.drop_last = data, batch_size, shuffle, drop_last
        self.generator, self.collate_fn, self.waste = generator, collate_fn, waste

    def __len__(self) -> int:
        full, rest = divmod(len(self.data), self.batch_size)
        return full + (rest > 0 and not self.drop_last)

    def __iter__(self) -> Iterator[Any]:
        if self.waste:
            torch.empty((), dtype=torch.int64).random_(generator=self.generator)
        count = len(self.data)
        order = torch.randperm(count, generator=self.generator).tolist() if self.shuffle else range(count)
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            yield self.collate_fn([self.data[index] for index in order[start : start + self.batch_size]])
        if self.waste and self.shuffle:
            torch.randperm(count, generator=self.generator)


def count_equal(config: Config, data: TensorDataset, waste: bool) -> tuple[int, int]:
    """Return how many batches our loader and PyTorch's make in all variants, and how many of them are equal."""
    equal = total = 0
    for batch_size in config.batch_sizes:
        for shuffle, drop_last in ((False, False), (True, False), (True, True)):
            ours, theirs = (torch.Generator().manual_seed(config.seed) for _ in range(2))
            loader = Loader(data, batch_size, shuffle, ours, drop_last, waste=waste)
            library = DataLoader(data, batch_size, shuffle=shuffle, drop_last=drop_last, generator=theirs)
            for _ in range(config.epochs):
                pairs = list(zip(loader, library, strict=True))
                total += len(pairs)
                equal += sum(all(map(torch.equal, batch, library_batch)) for batch, library_batch in pairs)
    return total, equal


def share_seen(data: Dataset, replacement: bool, seed: int) -> float:
    """Return the share of the items that a sampler draws at least once in an epoch."""
    sampler = RandomSampler(data, replacement=replacement, generator=torch.Generator().manual_seed(seed))  # ty: ignore[invalid-argument-type]
    return len(set(sampler)) / len(sampler)


def main(config: Config) -> Results:
    data = TensorDataset(*load_digits())
    batches, equal = count_equal(config, data, waste=True)
    results = Results(
        batches=batches,
        equal=equal,
        equal_without_waste=count_equal(config, data, waste=False)[1],
        seen_without_replacement=share_seen(data, replacement=False, seed=config.seed),
        seen_with_replacement=share_seen(data, replacement=True, seed=config.seed),
        seen_with_replacement_expected=1 - (1 - 1 / len(data)) ** len(data),
    )
    print(f"{equal} of {batches} batches are PyTorch's, bit for bit")
    print(f"{results.equal_without_waste} if nothing is drawn that is not used")
    print(
        f"an epoch shows {results.seen_without_replacement:.1%} of the items, drawn with replacement "
        f"{results.seen_with_replacement:.1%} (expected {results.seen_with_replacement_expected:.1%})"
    )
    return results


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT})

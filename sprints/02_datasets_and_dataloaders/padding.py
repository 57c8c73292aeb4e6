"""How much of a batch is padding, and how little could it be?

    uv run sprints/02_datasets_and_dataloaders/padding.py

Lines of recipes have different lengths. Random batches are compared with their exact expectation, buckets of similar
lengths with the least that is possible: batches in order of length. Theory: notes/08_padding.md
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from matplotlib.figure import Figure
from torch.utils.data import DataLoader, Sampler

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run
from shared.text.batches import Batch, pad_rows
from shared.text.cookbook import Cookbook


@dataclass(frozen=True)
class Config(ScriptConfig):
    lines: AtLeastTwo = 8192  # lines of recipes
    batch_sizes: tuple[PositiveInt, ...] = (2, 4, 8, 16, 32, 64, 128)  # lines of a batch
    bucket: PositiveInt = 16  # batches that a bucket is cut into

    def check(self) -> None:
        if max(self.batch_sizes) > self.lines:
            raise ValueError(
                f"a batch has at most all lines; got --batch-sizes {max(self.batch_sizes)} of --lines {self.lines}: "
                "give smaller batches or more lines"
            )


@dataclass(frozen=True)
class Results:
    shortest: int
    longest: int
    mean_length: float
    batch_sizes: list[int]
    padding: dict[str, list[float]]
    refused: str


class BucketSampler(Sampler[list[int]]):
    """Batches of items of similar length, in random order.

    The items are shuffled and dealt into buckets of `bucket` batches; each bucket is sorted by length and cut; then the
    batches of all buckets are shuffled. So an item has other companions in every epoch, but of its own length.
    """

    def __init__(self, lengths: list[int], batch_size: int, bucket: int, generator: torch.Generator) -> None:
        self.lengths, self.batch_size, self.bucket, self.generator = lengths, batch_size, bucket, generator

    def __len__(self) -> int:
        return math.ceil(len(self.lengths) / self.batch_size)

    def __iter__(self) -> Iterator[list[int]]:
        order = torch.randperm(len(self.lengths), generator=self.generator).tolist()
        batches: list[list[int]] = []
        for start in range(0, len(order), self.batch_size * self.bucket):
            bucket = sorted(order[start : start + self.batch_size * self.bucket], key=self.lengths.__getitem__)
            batches += [bucket[first : first + self.batch_size] for first in range(0, len(bucket), self.batch_size)]
        yield from (batches[number] for number in torch.randperm(len(batches), generator=self.generator).tolist())


def expected_padding(lengths: list[int], batch_size: int) -> float:
    """Return the expected share of padding in random batches, 1 - E[length] / E[longest of a batch].

    The longest of B lines drawn from n without replacement is the k-th shortest of all with probability
    C(k - 1, B - 1) / C(n, B).
    """
    longest = sum(
        length * math.comb(k - 1, batch_size - 1) / math.comb(len(lengths), batch_size)
        for k, length in enumerate(sorted(lengths), start=1)
    )
    return 1 - sum(lengths) / len(lengths) / longest


def padding_of(loader: DataLoader[Batch]) -> float:
    """Return the share of the cells of all batches that no token fills."""
    real = cells = 0
    for tokens, mask in loader:  # (batch, longest), True where a token is real
        real, cells = real + int(mask.sum()), cells + tokens.numel()
    return 1 - real / cells


def recipe_rows(lines: int) -> list[list[int]]:
    """Return so many lines of recipes as lists of bytes."""
    texts = (recipe.text for recipe in Cookbook().recipes("train"))
    return [
        list(line.encode()) for line in islice((line for text in texts for line in text.splitlines() if line), lines)
    ]


def main(config: Config) -> Results:
    rows = recipe_rows(config.lines)
    lengths = [len(row) for row in rows]
    generator = torch.Generator().manual_seed(config.seed)
    by_length = sorted(rows, key=len)
    padding: dict[str, list[float]] = {}
    for size in config.batch_sizes:
        sampler = BucketSampler(lengths, size, config.bucket, generator)
        shuffled = DataLoader(rows, batch_size=size, shuffle=True, generator=generator, collate_fn=pad_rows)  # ty: ignore[invalid-argument-type]
        shares = {
            "to the longest of all": 1 - sum(lengths) / len(lengths) / max(lengths),
            "random, expected": expected_padding(lengths, size),
            "random": padding_of(shuffled),
            "buckets": padding_of(DataLoader(rows, batch_sampler=sampler, collate_fn=pad_rows)),  # ty: ignore[invalid-argument-type]
            "least possible": padding_of(DataLoader(by_length, batch_size=size, collate_fn=pad_rows)),  # ty: ignore[invalid-argument-type]
        }
        for name, share in shares.items():
            padding.setdefault(name, []).append(share)
    for name, shares in padding.items():
        print(f"{name:<24}" + "".join(f"{share:8.1%}" for share in shares))
    return Results(
        shortest=min(lengths),
        longest=max(lengths),
        mean_length=sum(lengths) / len(lengths),
        batch_sizes=list(config.batch_sizes),
        padding=padding,
        refused=refused(rows[:2]),
    )


def refused(rows: list[list[int]]) -> str:
    """Return what the loader says to rows of different lengths without a collate function for them."""
    try:
        next(iter(DataLoader([torch.tensor(row) for row in rows], batch_size=2)))  # ty: ignore[invalid-argument-type]
    except RuntimeError as error:
        return str(error)
    return "nothing"


def plot(results: Results) -> Figure:
    """Draw the share of padding by batch size."""
    figure, axes = new_figure()
    styles = {
        "to the longest of all": "k:",
        "random, expected": "k-",
        "random": "o",
        "buckets": "s-",
        "least possible": "k--",
    }
    for name, style in styles.items():
        axes.plot(results.batch_sizes, results.padding[name], style, label=name)
    axes.set_xscale("log", base=2)
    axes.set(xlabel="lines of a batch", ylabel="share of padding", ylim=(0, None), xticks=results.batch_sizes)
    axes.set_xticklabels([str(size) for size in results.batch_sizes])
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

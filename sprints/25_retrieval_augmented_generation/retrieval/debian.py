"""Descriptions of Debian's packages: the line that sums one up is the query, the long text the document it asks for.

This is known-item search: each query has one right answer, and nobody had to judge anything.
"""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from shared.text.debian import Package, read_packages

Split = Literal["train", "validation", "test"]
SHARES: dict[Split, float] = {"train": 0.6, "validation": 0.2, "test": 0.2}  # of the families


def without_doubles(packages: Sequence[Package]) -> list[Package]:
    """Return the packages that have a long text no earlier one has: two equal documents cannot be told apart."""
    first: dict[str, Package] = {}
    for package in packages:
        if package.long:
            first.setdefault(package.long, package)
    return list(first.values())


def split_of(packages: Sequence[Package], split: Split, seed: int = 0) -> list[Package]:
    """Return a part of the packages, whole families at a time: no test has a sibling of what was trained on.

    Raises:
        ValueError: an unknown split.
    """
    if split not in SHARES:
        raise ValueError(f"the split must be one of {', '.join(SHARES)}; got {split!r}")
    families = sorted({package.family for package in packages})
    random.Random(seed).shuffle(families)
    names = list(SHARES)
    start = round(len(families) * sum(SHARES[name] for name in names[: names.index(split)]))
    end = round(len(families) * sum(SHARES[name] for name in names[: names.index(split) + 1]))
    chosen = set(families[start:end])
    return [package for package in packages if package.family in chosen]


@dataclass(frozen=True)
class KnownItems:
    """Documents, and queries each of which asks for one of them."""

    documents: list[str]
    queries: list[str]
    right: list[int]  # for each query the number of its document
    summaries: list[str]  # of all documents
    names: list[str]  # of their packages

    @cached_property
    def relevant(self) -> dict[str, dict[str, int]]:
        """What is relevant, in trec_eval's form."""
        return {str(query): {str(number): 1} for query, number in enumerate(self.right)}

    @cached_property
    def unique(self) -> list[bool]:
        """Whether each query is the summary of one document only: another one's is as good an answer to the others."""
        counts = Counter(self.summaries)
        return [counts[query] == 1 for query in self.queries]


def known_items(split: Split, documents: int, queries: int) -> KnownItems:
    """Return documents of a split, drawn at random but always the same ones, and queries for some of them.

    Args:
        split: of the families of packages.
        documents: how many.
        queries: how many.

    Raises:
        ValueError: the split has fewer documents, or there would be more queries than documents.
        DataError: the data is not there.
    """
    packages = split_of(without_doubles(read_packages()), split)
    if not 1 <= queries <= documents <= len(packages):
        raise ValueError(
            f"the {split} split has {len(packages):,} documents; at most so many can be drawn, and at most as many "
            f"queries; got {documents:,} documents and {queries:,} queries"
        )
    generator = random.Random(0)
    drawn = generator.sample(packages, documents)
    right = generator.sample(range(documents), queries)
    return KnownItems(
        [package.long for package in drawn],
        [drawn[number].short for number in right],
        right,
        [package.short for package in drawn],
        [package.name for package in drawn],
    )

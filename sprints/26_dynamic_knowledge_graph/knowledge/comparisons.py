"""How two records are compared: a level for each property, from "differs" to "equal", or nothing if one is silent."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from jaxtyping import Float64, Int64
from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler
from torch import Tensor

MISSING = -1  # one of the records does not say it: no evidence, neither for nor against
CLOSE = 0.88  # Jaro-Winkler similarity from which on names are close


@dataclass(frozen=True)
class Comparison:
    """How a property is compared."""

    name: str  # of the property, an attribute of the records
    levels: tuple[str, ...]  # in words, from the least alike to the most
    level: Callable[[str, str], int]  # of two values that are there
    rarity: tuple[int, ...] = ()  # levels at which the rarer value is the stronger evidence
    initial: int = 0  # the level at which an initial fits, where there is one


def levels_of(
    first: Sequence[Any], second: Sequence[Any], pairs: Int64[Tensor, "pairs 2"], comparisons: Sequence[Comparison]
) -> Int64[Tensor, "pairs properties"]:
    """Return the level of each property of each pair; two values that meet often are compared once.

    Args:
        first: records, whose attributes are texts.
        second: records; the same list where pairs are within it.
        pairs: numbers of a record of the first list and of one of the second.
        comparisons: what is compared.
    """
    columns = []
    for comparison in comparisons:
        left, names = numbered([getattr(record, comparison.name) for record in first])
        right, others = numbered([getattr(record, comparison.name) for record in second])
        met, place = (left[pairs[:, 0]] * len(others) + right[pairs[:, 1]]).unique(return_inverse=True)
        found = [_level(comparison, names[code // len(others)], others[code % len(others)]) for code in met.tolist()]
        columns.append(torch.tensor(found, dtype=torch.long)[place])
    return torch.stack(columns, dim=1)


def _level(comparison: Comparison, first: str, second: str) -> int:
    return comparison.level(first, second) if first and second else MISSING


def numbered(texts: Sequence[str]) -> tuple[Int64[Tensor, " texts"], list[str]]:
    """Return texts as numbers of the distinct ones, and these in order."""
    distinct = sorted(set(texts))
    number = {text: place for place, text in enumerate(distinct)}
    return torch.tensor([number[text] for text in texts], dtype=torch.long), distinct


def frequencies(records: Sequence[Any], name: str) -> dict[str, float]:
    """Return which share of the records that say a property say each value of it."""
    counts = Counter(value for record in records if (value := getattr(record, name)))
    return {value: count / counts.total() for value, count in counts.items()}


def pair_frequencies(
    first: Sequence[Any], second: Sequence[Any], pairs: Int64[Tensor, "pairs 2"], name: str, table: dict[str, float]
) -> Float64[Tensor, " pairs"]:
    """Return the frequency of the more frequent one of the two values of each pair, and 1 where both are unknown."""
    left = torch.tensor([table.get(getattr(record, name), 0.0) for record in first], dtype=torch.float64)
    right = torch.tensor([table.get(getattr(record, name), 0.0) for record in second], dtype=torch.float64)
    most = torch.maximum(left[pairs[:, 0]], right[pairs[:, 1]])
    return torch.where(most > 0, most, 1.0)


def close_or_equal(first: str, second: str) -> int:
    """0: they differ. 1: close by Jaro-Winkler. 2: equal."""
    return 2 if first == second else int(JaroWinkler.similarity(first, second) >= CLOSE)


def slip_or_equal(first: str, second: str) -> int:
    """0: they differ. 1: one slip of the pen apart. 2: equal."""
    return 2 if first == second else int(DamerauLevenshtein.distance(first, second, score_cutoff=1) <= 1)


def name_or_slip(first: str, second: str, names: frozenset[str] = frozenset()) -> int:
    """0: they differ. 1: a slip apart, and both are names of their own. 2: a slip apart. 3: equal."""
    alike = slip_or_equal(first, second)
    return alike + 1 if alike == 2 or (alike == 1 and not {first, second} <= names) else alike


def equal(first: str, second: str) -> int:
    """0: they differ. 1: equal."""
    return int(first == second)


def given_name(
    first: str, second: str, nicknames: frozenset[tuple[str, str]], names: frozenset[str] = frozenset()
) -> int:
    """0: they differ. 1: both are names, a slip apart. 2: an initial that fits. 3: a nickname. 4: a slip. 5: equal."""
    if "." in first or "." in second:
        return 2 * (first[0] == second[0])
    if first != second and ((first, second) in nicknames or (second, first) in nicknames):
        return 3
    return (0, 1, 4, 5)[name_or_slip(first, second, names)]


def names_among(records: Sequence[Any], name: str, least: int = 3) -> frozenset[str]:
    """Return the values that so many records say: a slip of the pen is hardly made three times."""
    counts = Counter(getattr(record, name) for record in records)
    return frozenset(value for value, count in counts.items() if count >= least)


def year(first: str, second: str) -> int:
    """0: they differ. 1: two years apart. 2: one year apart. 3: equal."""
    return max(0, 3 - abs(int(first) - int(second)))


def shared_words(first: str, second: str, alone: frozenset[str] = frozenset()) -> int:
    """Return how many words both texts have, at most 2, but for those that say nothing."""
    return min(2, len((set(first.split()) & set(second.split())) - alone))


def person_comparisons(records: Sequence[Any] = ()) -> tuple[Comparison, ...]:
    """Return how records of the made-up persons are compared; what is a name of its own is counted in them."""
    from knowledge.persons import words  # TOML is read by who needs it

    table = words()["nicknames"]
    known = frozenset((name, short) for name, shorts in table.items() for short in shorts)
    called = partial(given_name, nicknames=known, names=names_among(records, "first"))
    named = partial(name_or_slip, names=names_among(records, "last"))
    neighbours = "two names a slip apart"
    return (
        Comparison("first", ("differs", neighbours, "initial fits", "nickname", "a slip", "equal"), called, (4, 5), 2),
        Comparison("last", ("differs", neighbours, "a slip", "equal"), named, (2, 3)),
        Comparison("born", ("differs", "two years apart", "a year apart", "equal"), year),
        Comparison("town", ("differs", "equal"), equal, (1,)),
        Comparison("about", ("no word in common", "a word in common", "two in common"), shared_words),
    )

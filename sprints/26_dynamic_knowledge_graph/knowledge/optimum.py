"""Persons drawn, their records written, and the best that can be done with these: the likelihood ratio of each pair."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cache

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from knowledge.persons import FIELDS, Channel, Sighting, first_names, last_names, towns, trades, years


@dataclass(frozen=True)
class World:
    """Records, and whose they are."""

    records: list[Sighting]
    owners: Int64[Tensor, " records"]
    persons: list[tuple[str, ...]]  # the true values of each person, by FIELDS


@cache
def channels() -> tuple[Channel, ...]:
    """Return the law of each property, in the order of FIELDS."""
    return first_names(), last_names(), years(), towns(), trades()


def draw_world(counts: Sequence[int], generator: torch.Generator) -> World:
    """Draw a person for each count, and so many records of it; records stand in the order of their persons.

    Raises:
        ValueError: a count is negative, or there is no person.
    """
    if not counts or min(counts) < 0:
        raise ValueError(f"each person needs a number of records, 0 or more; got {list(counts)[:10]}")
    laws = channels()
    drawn = [torch.multinomial(law.prior, len(counts), replacement=True, generator=generator).tolist() for law in laws]
    persons = list(zip(*drawn, strict=True))
    records = [
        Sighting(*(law.write(value, generator) for law, value in zip(laws, person, strict=True)))
        for person, count in zip(persons, counts, strict=True)
        for _ in range(count)
    ]
    owners = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    return World(records, owners, [tuple(law.values[v] for law, v in zip(laws, p, strict=True)) for p in persons])


def log_ratios(first: Sequence[Sighting], second: Sequence[Sighting]) -> Float64[Tensor, "first second"]:
    """Return log2 P(a, b | one person) / P(a) P(b) for each pair of records, in bits.

    A person is drawn anew for each property, so the ratio is a product over properties, of

        sum over v of P(v) P(a | v) P(b | v) / (P(a) P(b)).

    It is -inf where no person can have written both.
    """
    total = torch.zeros(len(first), len(second), dtype=torch.float64)
    for field, law in zip(fields(Sighting), channels(), strict=True):
        left = profiles(law, [getattr(record, field.name) for record in first])
        right = profiles(law, [getattr(record, field.name) for record in second])
        total += (left @ right.mT).log2()
    return total


def profiles(law: Channel, texts: Sequence[str]) -> Float64[Tensor, "texts values"]:
    """Return the profile of each text; equal texts are computed once."""
    known = {text: law.profile(text) for text in set(texts)}
    return torch.stack([known[text] for text in texts])


def by_field(first: Sighting, second: Sighting) -> dict[str, float]:
    """Return what each property adds to the log ratio of two records, in bits."""
    laws = dict(zip(FIELDS, channels(), strict=True))
    both = {name: (getattr(first, name), getattr(second, name)) for name in FIELDS}
    return {name: float((laws[name].profile(a) @ laws[name].profile(b)).log2()) for name, (a, b) in both.items()}


def best_assignment(weights: Float64[Tensor, "first second"]) -> Int64[Tensor, " first"]:
    """Return for each record of the first list its partner in the second: the one-to-one matching of the largest sum.

    If every person has one record in each list, the sum of log ratios is the log posterior of the whole matching but
    for a constant, so this is the most probable one.
    """
    # Imported late: most who import this module do not match lists.
    from scipy.optimize import linear_sum_assignment

    if len(weights) != weights.shape[1]:
        raise ValueError(f"both lists must be equally long; got {tuple(weights.shape)}")
    _, columns = linear_sum_assignment(weights.clamp(min=-1e6).numpy(), maximize=True)
    return torch.from_numpy(columns)

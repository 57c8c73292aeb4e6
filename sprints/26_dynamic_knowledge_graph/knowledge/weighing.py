"""Pairs of records weighed: their levels, what is learnt from these, and what rare values add."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from knowledge.comparisons import MISSING, Comparison, frequencies, levels_of, pair_frequencies
from knowledge.evidence import Evidence, learn, rarity_bits, start


class Weighed(NamedTuple):
    """Of each pair: the levels, the bits of each property, and what was learnt on the way."""

    levels: Int64[Tensor, "pairs properties"]
    bits: Float64[Tensor, "pairs properties"]
    evidence: Evidence

    def total(self) -> Float64[Tensor, " pairs"]:
        """Return the log2 odds that each pair is one person."""
        return self.bits.sum(dim=1) + self.evidence.prior()


def weigh(
    first: Sequence[Any],
    second: Sequence[Any] | None,
    pairs: Int64[Tensor, "pairs 2"],
    comparisons: Sequence[Comparison],
    share: float,
    *,
    fixed_u: bool = True,
) -> Weighed:
    """Return the weights of pairs, learnt from the pairs themselves, without labels.

    Args:
        first: records.
        second: those of another list; None: pairs are within the first.
        pairs: numbers of their records.
        comparisons: of their properties.
        share: of matches, as one may guess it before; EM moves it.
        fixed_u: u is counted over all pairs (right only where hardly any of them match).
    """
    others = first if second is None else second
    levels = levels_of(first, others, pairs, comparisons)
    evidence = learn(levels, start(comparisons, share), fixed_u=fixed_u)
    bits = evidence.weights(levels)
    tables = {
        kind.name: frequencies([*first, *(second or ())], kind.name)
        for kind in comparisons
        if kind.rarity or kind.initial
    }
    shared = {name: pair_frequencies(first, others, pairs, name, table) for name, table in tables.items()}
    bits = bits + rarity_bits(evidence, comparisons, levels, shared)
    for place, kind in enumerate(comparisons):
        if kind.initial:
            bits[:, place] += letter_bits(first, others, pairs, kind, tables[kind.name], levels[:, place])
    return Weighed(levels, bits, evidence)


def letter_bits(
    first: Sequence[Any],
    second: Sequence[Any],
    pairs: Int64[Tensor, "pairs 2"],
    comparison: Comparison,
    table: dict[str, float],
    levels: Int64[Tensor, " pairs"],
) -> Float64[Tensor, " pairs"]:
    """Return what a rare initial adds where initials fit: log2(chance that two first letters agree / its frequency)."""
    letters: dict[str, float] = {}
    for value, share in table.items():
        letters[value[0]] = letters.get(value[0], 0.0) + share
    shared = pair_frequencies(first, second, pairs, comparison.name, {value: letters[value[0]] for value in table})
    agree = math.fsum(share**2 for share in letters.values())
    return torch.where(levels == comparison.initial, math.log2(agree) - shared.log2(), 0.0)


class Reason(NamedTuple):
    """What one property says about two records being one person."""

    property: str
    first: str
    second: str
    level: str  # in words
    bits: float


def reasons(
    first: Any, second: Any, levels: Sequence[int], bits: Sequence[float], comparisons: Sequence[Comparison]
) -> list[Reason]:
    """Return why a pair has its weight, the strongest reason first, whichever way it speaks.

    Args:
        first: a record.
        second: another one.
        levels: of their properties.
        bits: of these.
        comparisons: what the levels mean.
    """
    found = [
        Reason(
            kind.name,
            getattr(first, kind.name),
            getattr(second, kind.name),
            kind.levels[level] if level != MISSING else "not said",
            value,
        )
        for kind, level, value in zip(comparisons, levels, bits, strict=True)
    ]
    return sorted(found, key=lambda reason: -abs(reason.bits))

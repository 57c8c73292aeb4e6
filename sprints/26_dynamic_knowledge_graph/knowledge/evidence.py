"""The model of Fellegi and Sunter: what each agreement and each difference is worth, learnt without labels.

Pairs of records are of two kinds, matches and others. Given the kind, the properties agree independently of each other:
m[level] is how often a match has a level, u[level] how often others have it, and log2(m / u) is the weight of the
evidence in bits (Fellegi & Sunter 1969). The kinds are unknown, so EM finds m, u and the share of matches (Winkler
1988).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float64, Int64
from torch import Tensor

from knowledge.comparisons import MISSING, Comparison

LEAST = 1e-12  # a probability of 0 would forbid for ever what was not seen yet


@dataclass(frozen=True)
class Evidence:
    """What was learnt of pairs: of each property how often matches have each level (m), and others (u)."""

    share: float  # of matches among all pairs
    m: tuple[Float64[Tensor, " _"], ...]
    u: tuple[Float64[Tensor, " _"], ...]

    def weights(self, levels: Int64[Tensor, "pairs properties"]) -> Float64[Tensor, "pairs properties"]:
        """Return log2(m / u) of each level; what is missing weighs nothing."""
        tables = [(m.clamp(min=LEAST) / u.clamp(min=LEAST)).log2() for m, u in zip(self.m, self.u, strict=True)]
        columns = [table[column.clamp(min=0)] for table, column in zip(tables, levels.T, strict=True)]
        return torch.stack(columns, dim=1).masked_fill(levels == MISSING, 0.0)

    def prior(self) -> float:
        """Return the weight of a pair of which nothing is known: log2 of the odds of a match."""
        return math.log2(self.share / (1 - self.share))

    def probability(self, levels: Int64[Tensor, "pairs properties"]) -> Float64[Tensor, " pairs"]:
        """Return how likely each pair is to be a match."""
        return ((self.weights(levels).sum(dim=1) + self.prior()) * math.log(2)).sigmoid()


def start(comparisons: Sequence[Comparison], share: float) -> Evidence:
    """Return what one may believe before any pair was seen: matches mostly agree, others mostly differ.

    Of n levels the highest has 9 of 10 matches, the lowest 9 of 10 others, and the rest is shared out evenly.
    """
    m = []
    for comparison in comparisons:
        row = torch.full((len(comparison.levels),), 0.1 / (len(comparison.levels) - 1), dtype=torch.float64)
        row[-1] = 0.9
        m.append(row)
    return Evidence(share, tuple(m), tuple(row.flip(0) for row in m))


def patterns_of(
    levels: Int64[Tensor, "pairs properties"],
) -> tuple[Int64[Tensor, "patterns properties"], Float64[Tensor, " patterns"]]:
    """Return the distinct rows of levels, and how many pairs have each."""
    patterns, counts = levels.unique(dim=0, return_counts=True)
    return patterns, counts.double()


def shares_of_levels(
    patterns: Int64[Tensor, "patterns properties"], counts: Float64[Tensor, " patterns"], sizes: Sequence[int]
) -> tuple[Float64[Tensor, " _"], ...]:
    """Return how often each level of each property occurs among the pairs of which it is known."""
    tables = []
    for column, size in zip(patterns.T, sizes, strict=True):
        known = column != MISSING
        sums = torch.zeros(size, dtype=torch.float64).index_add_(0, column[known], counts[known])
        tables.append(sums / sums.sum().clamp(min=LEAST))
    return tuple(tables)


def em_step(
    evidence: Evidence,
    patterns: Int64[Tensor, "patterns properties"],
    counts: Float64[Tensor, " patterns"],
    fixed_u: bool,
) -> Evidence:
    """Return the evidence after one step of EM.

    E: how likely is each pattern a match? M: count levels anew, each pair as much match as it is likely to be one.
    """
    match = evidence.probability(patterns)
    sizes = [len(m) for m in evidence.m]
    m = shares_of_levels(patterns, counts * match, sizes)
    u = evidence.u if fixed_u else shares_of_levels(patterns, counts * (1 - match), sizes)
    return Evidence(float((counts * match).sum() / counts.sum()), m, u)


def log_likelihood(
    evidence: Evidence, patterns: Int64[Tensor, "patterns properties"], counts: Float64[Tensor, " patterns"]
) -> float:
    """Return the log likelihood (nats) of the pairs' levels, which a step of EM never lowers."""
    kinds = []
    for share, tables in ((evidence.share, evidence.m), (1 - evidence.share, evidence.u)):
        total = torch.full((len(patterns),), math.log(share), dtype=torch.float64)
        for table, column in zip(tables, patterns.T, strict=True):
            total += table.clamp(min=LEAST).log()[column.clamp(min=0)].masked_fill(column == MISSING, 0.0)
        kinds.append(total)
    return float((counts * torch.logaddexp(*kinds)).sum())


def learn(
    levels: Int64[Tensor, "pairs properties"], begin: Evidence, *, fixed_u: bool = True, steps: int = 200
) -> Evidence:
    """Return what EM learns of pairs, until the share of matches and m move by less than 1e-9.

    Args:
        levels: of pairs.
        begin: what is believed before.
        fixed_u: u is counted over all pairs and stays: right where matches are rare among them, as they are in all
            pairs of two lists.
        steps: at most.

    Raises:
        ValueError: there is no pair, or no matches are left: the model has nothing to learn from.
    """
    if not len(levels):
        raise ValueError("evidence is learnt from pairs; got none")
    patterns, counts = patterns_of(levels)
    if fixed_u:
        begin = replace(begin, u=shares_of_levels(patterns, counts, [len(u) for u in begin.u]))
    for _ in range(steps):
        after = em_step(begin, patterns, counts, fixed_u)
        if not 0 < after.share < 1:
            raise ValueError(f"EM must keep both kinds of pairs; the share of matches became {after.share}")
        moved = max(float((a - b).abs().max()) for a, b in zip(after.m, begin.m, strict=True))
        moved, begin = max(moved, abs(after.share - begin.share)), after
        if moved < 1e-9:
            break
    return begin


def rarity_bits(
    evidence: Evidence,
    comparisons: Sequence[Comparison],
    levels: Int64[Tensor, "pairs properties"],
    shared: Mapping[str, Float64[Tensor, " pairs"]],
) -> Float64[Tensor, "pairs properties"]:
    """Return what rare values add to the weights, and frequent ones take off: log2(u of equality / frequency).

    m / u of "equal" holds for a value of average frequency. Two strangers share a rare one more seldom.

    Args:
        evidence: what was learnt.
        comparisons: each with the levels at which rarity counts.
        levels: of pairs.
        shared: frequencies of the values of each pair by property; a property without them gets nothing added.
    """
    added = torch.zeros(levels.shape, dtype=torch.float64)
    for place, comparison in enumerate(comparisons):
        if comparison.rarity and comparison.name in shared:
            counts = torch.isin(levels[:, place], torch.tensor(comparison.rarity))
            bits = float(evidence.u[place][-1].clamp(min=LEAST).log2()) - shared[comparison.name].log2()
            added[counts, place] = bits[counts]
    return added

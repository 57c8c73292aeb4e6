"""Where does the true answer stand among all? Raw and filtered ranks, on both sides of a fact, with ties shared.

A scorer sees (head, relation, ?) and gives a score to each entity, or (?, relation, tail). The rank of the true one is
1 + how many are above it; those level with it share the places they take (Sun et al. 2020; Berrendorf et al. 2020).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from downstream.facts import check_facts

Side = Literal["tail", "head"]
Ties = Literal["mean", "optimistic", "pessimistic"]
# Facts (queries, 3) and the side that is asked for to scores of all entities (queries, entities); the answer is hidden.
Scorer = Callable[[Tensor, Side], Tensor]
ASKED: dict[Side, int] = {"tail": 2, "head": 0}


@dataclass(frozen=True)
class Ranking:
    """Ranks of the true answers, and what is said of them; a mean over both sides."""

    ranks: Float[Tensor, " queries"]

    @property
    def mrr(self) -> float:
        """Mean reciprocal rank: 1 if each answer stands first."""
        return self.ranks.reciprocal().mean().item()

    def hits(self, k: int) -> float:
        """Return the share of answers whose rank is at most k."""
        return (self.ranks <= k).double().mean().item()


def ranks_of(
    scores: Float[Tensor, "queries entities"],
    answers: Int[Tensor, " queries"],
    removed: Bool[Tensor, "queries entities"] | None = None,
    ties: Ties = "mean",
) -> Float[Tensor, " queries"]:
    """Return the rank of each answer: 1 + those above it + half of those level with it.

    Args:
        scores: of all entities, higher is better.
        answers: the true entity of each query.
        removed: entities that take no part in a query; the answer itself always does.
        ties: mean (of the places that it shares with those level with it), or the best or worst of them.

    Raises:
        ValueError: a score is NaN: it is neither above nor below, so each such answer would come first.
    """
    if scores.isnan().any():
        raise ValueError(
            f"scores must be numbers; {int(scores.isnan().sum())} of {scores.numel()} are NaN (has the training "
            "diverged?)"
        )
    own = scores.gather(1, answers[:, None])
    others = torch.ones_like(scores, dtype=torch.bool) if removed is None else ~removed
    others = others.scatter(1, answers[:, None], False)
    above = ((scores > own) & others).sum(1)
    level = ((scores == own) & others).sum(1)
    share = {"optimistic": 0.0, "mean": 0.5, "pessimistic": 1.0}[ties]
    return 1.0 + above.double() + share * level.double()


def known_answers(
    queries: Int[Tensor, "queries 3"], known: Int[Tensor, "facts 3"], side: Side, num_entities: int
) -> Bool[Tensor, "queries entities"]:
    """Return which entities are answers to each query in facts that are known; a filtered ranking removes them.

    Raises:
        ValueError: facts are not what `check_facts` asks for.
    """
    num_relations = int(torch.cat([queries, known])[:, 1].max()) + 1
    check_facts(known, num_entities, num_relations)
    given = 2 - ASKED[side]  # the column of the entity that the query names
    table = torch.zeros(num_entities * num_relations, num_entities, dtype=torch.bool)
    table[known[:, given] * num_relations + known[:, 1], known[:, ASKED[side]]] = True
    return table[queries[:, given] * num_relations + queries[:, 1]]


def rank_facts(
    scorer: Scorer,
    facts: Int[Tensor, "facts 3"],
    num_entities: int,
    known: Int[Tensor, "known 3"] | None = None,
    ties: Ties = "mean",
) -> Ranking:
    """Return the ranks of facts on both sides, tails first.

    Args:
        scorer: gives each entity a score.
        facts: those that are asked for, at least one.
        num_entities: how many entities there are.
        known: all facts that are true, whose answers are removed (filtered); None removes none (raw).
        ties: see `ranks_of`.

    Raises:
        ValueError: there is no fact to rank (a mean over none is no number), or numbers are out of range.
    """
    check_facts(facts, num_entities, int(facts[:, 1].max()) + 1 if len(facts) else 1)
    ranks = []
    for side, column in ASKED.items():
        removed = None if known is None else known_answers(facts, known, side, num_entities)
        ranks.append(ranks_of(scorer(facts, side), facts[:, column], removed, ties))
    return Ranking(torch.cat(ranks))


def rank_relations(
    scorer: Scorer, facts: Int[Tensor, "facts 3"], num_entities: int, num_relations: int, known: Int[Tensor, "known 3"]
) -> dict[int, float | None]:
    """Return the filtered MRR of each relation by its number; None for one that has no fact here."""
    parts = {relation: facts[facts[:, 1] == relation] for relation in range(num_relations)}
    return {
        relation: rank_facts(scorer, part, num_entities, known).mrr if len(part) else None
        for relation, part in parts.items()
    }


def constant_mrr(candidates: int) -> dict[str, float]:
    """Return the mean reciprocal rank of a scorer that says the same of all candidates, by the treatment of ties.

    First place: 1; the mean of the places: 2 / (n + 1); places drawn at random: H_n / n; last place: 1 / n.
    """
    harmonic = sum(1 / place for place in range(1, candidates + 1))
    return {
        "optimistic": 1.0, "drawn": harmonic / candidates, "mean": 2 / (candidates + 1), "pessimistic": 1 / candidates
    }  # fmt: skip


class Frequency:
    """Scores an entity by how often it stood at that end of the relation in training; the given entity is not read."""

    def __init__(self, train: Int[Tensor, "facts 3"], num_entities: int, num_relations: int) -> None:
        check_facts(train, num_entities, num_relations)
        self.counts = {side: torch.zeros(num_relations, num_entities) for side in ASKED}
        for side, column in ASKED.items():
            ones = torch.ones(len(train))
            self.counts[side].index_put_((train[:, 1], train[:, column]), ones, accumulate=True)

    def __call__(self, facts: Tensor, side: Side) -> Tensor:
        return self.counts[side][facts[:, 1]]

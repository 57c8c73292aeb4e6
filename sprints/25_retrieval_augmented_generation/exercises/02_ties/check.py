"""Checks of the measures under ties: note 2's example, a scorer that knows nothing, no ties, several."""

import itertools
import statistics
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect

NOTE = {"scores": [3.0, 2.0, 2.0, 2.0, 1.0], "relevant": [False, True, False, False, True]}
SEVERAL = {"scores": [5.0, 4.0, 4.0, 4.0, 4.0, 0.0], "relevant": [False, True, True, False, False, True]}
EQUAL = {"scores": [0.0, 0.0, 0.0, 0.0], "relevant": [False, False, True, False]}
CLEAR = {"scores": [0.1, 0.4, 0.3, 0.2], "relevant": [True, False, True, False]}
LAST = {"scores": [1.0, 1.0, 3.0, 2.0, 1.0], "relevant": [True, True, False, False, True]}
CASES = (NOTE, SEVERAL, EQUAL, CLEAR, LAST)


def number(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.double)


def compare(function: Callable[..., Tensor], given: dict, right: float, mistakes: dict[str, float]) -> None:
    """Expect a number, within the tolerance of `expect`."""
    expect(function, given, number(right), {sentence: number(value) for sentence, value in mistakes.items()})


def orders_of(scores: list[float], relevant: list[bool]) -> list[list[bool]]:
    """Return which places hold relevant documents, for each order that the scores allow."""
    falling = sorted(scores, reverse=True)
    orders = itertools.permutations(range(len(scores)))
    return [
        [relevant[number] for number in order] for order in orders if [scores[number] for number in order] == falling
    ]


def places_of(scores: list[float], relevant: list[bool], lower: bool) -> list[int]:
    """Return the places of the relevant documents if ties go against them, or for them."""
    return [
        sum(other >= score for other in scores) if lower else 1 + sum(other > score for other in scores)
        for score, is_relevant in zip(scores, relevant, strict=True)
        if is_relevant
    ]


def expect_recall(learner: Any, case: dict, k: int) -> None:
    """Compare the recall with the mean over all orders, and with what is often taken for it."""
    count = sum(case["relevant"])
    right = statistics.fmean(sum(order[:k]) / count for order in orders_of(**case))
    stable = sorted(range(len(case["scores"])), key=lambda place: -case["scores"][place])[:k]
    levels = [
        (sum(other > score for other in case["scores"]), case["scores"].count(score))
        for score, is_relevant in zip(case["scores"], case["relevant"], strict=True)
        if is_relevant
    ]

    def expected_recall(scores: list[float], relevant: list[bool], k: int) -> Tensor:
        return number(learner.expected_recall(scores, relevant, k))

    compare(expected_recall, {**case, "k": k}, right, {
        "Ties go in favour of the relevant documents here: a constant scorer would be perfect.": (
            sum(place <= k for place in places_of(**case, lower=False)) / count
        ),
        "Ties go against the relevant documents here.": (
            sum(place <= k for place in places_of(**case, lower=True)) / count
        ),
        "Ties are broken by the number of the document here: the result depends on how they are stored.": (
            sum(case["relevant"][place] for place in stable) / count
        ),
        "A level that begins behind place k counts 0, not less: take the larger of 0 and (k - h) / n.": (
            sum(min(1.0, (k - higher) / size) for higher, size in levels) / count
        ),
        "A level that ends before place k counts 1, not more: take the smaller of 1 and (k - h) / n.": (
            sum(max(0.0, (k - higher) / size) for higher, size in levels) / count
        ),
        "This is not divided by the number of relevant documents.": right * count,
        "This is the precision: divide by the number of relevant documents, not by k.": right * count / k,
    })  # fmt: skip


def expect_reciprocal_rank(learner: Any, case: dict) -> None:
    """Compare the reciprocal rank with the mean over all orders, and with what is often taken for it."""
    right = statistics.fmean(1 / (1 + order.index(True)) for order in orders_of(**case))
    stable = sorted(range(len(case["scores"])), key=lambda place: -case["scores"][place])
    first, last = min(places_of(**case, lower=False)), min(places_of(**case, lower=True))

    def expected_reciprocal_rank(scores: list[float], relevant: list[bool]) -> Tensor:
        return number(learner.expected_reciprocal_rank(scores, relevant))

    compare(expected_reciprocal_rank, dict(case), right, {
        "Ties go in favour of the relevant documents here: a constant scorer would be perfect.": 1 / first,
        "Ties go against the relevant documents here.": 1 / last,
        "This is 1 / the mean place: average 1 / place instead.": 2 / (first + last),
        "This is the mean of 1 / place over the level; the first of several relevant ones lies nearer to the front.": (
            statistics.fmean(1 / place for place in range(first, last + 1))
        ),
        "Ties are broken by the number of the document here: the result depends on how they are stored.": (
            1 / (1 + [case["relevant"][place] for place in stable].index(True))
        ),
    })  # fmt: skip


def check_recall_of_the_note(learner: Any) -> None:
    """Scores 3, 2, 2, 2, 1."""
    for k in (1, 2, 3, 5):
        expect_recall(learner, NOTE, k)


def check_recall(learner: Any) -> None:
    """A scorer that knows nothing, no ties, and several relevant documents."""
    for case in CASES:
        for k in (1, 2, 4):
            expect_recall(learner, case, k)


def check_reciprocal_rank_of_the_note(learner: Any) -> None:
    """Scores 3, 2, 2, 2, 1."""
    expect_reciprocal_rank(learner, NOTE)


def check_reciprocal_rank(learner: Any) -> None:
    """A scorer that knows nothing, no ties, and several relevant documents with one score."""
    for case in CASES:
        expect_reciprocal_rank(learner, case)

"""Checks of `rerank` and `ceiling`: the list of the note, depth, the prior, ties, and what cannot be reached."""

import math
from typing import Any

from shared.lab.checking import expect

FOUND = [(3, 9.0), (1, 8.0), (0, 7.0), (2, 6.0)]  # D, B, A, C
SCORES = {0: 3.0, 1: 1.0, 2: 0.0, 3: 2.0}


def reread(learner: Any, found: list[tuple[int, float]], depth: int, log_prior: list[float] | None = None) -> Any:
    """Return what the learner makes of it with the scores of the note, and complain if too many are asked for."""
    asked: list[int] = []

    def score(number: int) -> float:
        asked.append(number)
        return SCORES[number]

    got = learner.rerank(found, score, depth) if log_prior is None else learner.rerank(found, score, depth, log_prior)
    made = [(number, round(value, 6)) for number, value in got]
    return made if len(asked) <= depth else ["so many passages were scored:", len(asked)]


def compare(
    learner: Any, found: list[tuple[int, float]], depth: int, expected: list[tuple[int, float]], mistakes: Any,
    log_prior: list[float] | None = None,
) -> None:  # fmt: skip
    """Compare the new order, numbers and scores."""

    def rerank(found: list[tuple[int, float]], depth: int, log_prior: list[float] | None) -> Any:
        return reread(learner, found, depth, log_prior)

    expect(rerank, {"found": found, "depth": depth, "log_prior": log_prior}, expected, mistakes)


def check_the_list_of_the_note(learner: Any) -> None:
    """D, B, A, C become A, D, B, C."""
    compare(learner, FOUND, 4, [(0, 3.0), (3, 2.0), (1, 1.0), (2, 0.0)], {
        "The lowest one is first.": [(2, 0.0), (1, 1.0), (3, 2.0), (0, 3.0)],
        "The order is new, the scores are still those of the first search.": [(0, 7.0), (3, 9.0), (1, 8.0), (2, 6.0)],
        "The old scores are added: the new ones alone decide.": [(3, 11.0), (0, 10.0), (1, 9.0), (2, 6.0)],
        "Passages are scored twice: ask once for each, and keep what `score` returns.": [
            "so many passages were scored:", 8
        ],
    })  # fmt: skip


def check_depth(learner: Any) -> None:
    """What stands behind the depth is not read, and not returned."""
    compare(learner, FOUND, 2, [(3, 2.0), (1, 1.0)], {
        "All are read: only the first two may be scored.": ["so many passages were scored:", 4],
    })  # fmt: skip
    compare(learner, FOUND[:1], 5, [(3, 2.0)], {})


def check_the_prior(learner: Any) -> None:
    """With the prior of the note, D comes before A."""
    shares = [0.1, 0.2, 0.1, 0.6]  # of A, B, C, D
    log_prior = [round(math.log(share), 6) for share in shares]
    expected = sorted(((n, round(SCORES[n] + log_prior[n], 6)) for n, _ in FOUND), key=lambda pair: -pair[1])
    by_place = [(n, round(SCORES[n] + log_prior[place], 6)) for place, (n, _) in enumerate(FOUND)]
    compare(learner, FOUND, 4, expected, {
        "The prior is forgotten.": [(0, 3.0), (3, 2.0), (1, 1.0), (2, 0.0)],
        "The prior is taken by place: it is a passage's, so look it up by its number.": (
            sorted(by_place, key=lambda pair: -pair[1])
        ),
    }, log_prior)  # fmt: skip


def check_ties(learner: Any) -> None:
    """Equal new scores keep the first search's order."""

    def rerank(found: list[tuple[int, float]], depth: int) -> Any:
        return learner.rerank(found, dict.fromkeys(range(4), 1.0).__getitem__, depth)

    by_number = "Equal scores are sorted by number: the first search knew better."
    expect(rerank, {"found": FOUND, "depth": 4}, [(3, 1.0), (1, 1.0), (0, 1.0), (2, 1.0)], {
        by_number: [(0, 1.0), (1, 1.0), (2, 1.0), (3, 1.0)],
        f"{by_number} (`reverse=True` on pairs compares the numbers too.)": [(3, 1.0), (2, 1.0), (1, 1.0), (0, 1.0)],
    })  # fmt: skip


def check_the_ceiling(learner: Any) -> None:
    """Four questions: found first, found third, found fourth, not found."""
    rankings = [FOUND] * 4
    given = {"rankings": rankings, "right": [3, 0, 2, 7], "depth": 3}
    expect(learner.ceiling, given, 0.5, {
        "This is the recall@1 of the first search: a reranker may bring all that it reads to the front.": 0.25,
        "A question whose passage was not found is lost, and counts.": 2 / 3,
        "What stands behind the depth is not read.": 0.75,
    })  # fmt: skip

"""Checks of periods: the example of note 9, contradictions, ends, and any order; the usual mistakes by name."""

import math
import random
from collections import defaultdict
from typing import Any

from shared.lab.checking import expect

WEIGHTS = {"herald": 2.0, "gossip": 0.5, "rumour": 0.5}
NOTE = [
    (3, "Luna", True, "herald"), (9, "Sol", True, "herald"), (6, "Mira", True, "gossip"), (9, "Luna", True, "gossip"),
]  # fmt: skip


def find(
    said: list, weights: dict, *, unsorted: bool = False, votes: bool = False, twice: bool = False,
    deaf: bool = False, ties: bool = False, sticky: bool = False, alone: bool = False, inclusive: int = 0,
) -> list:  # fmt: skip
    """Return the periods by the rule, or by a mistake."""
    days: list[Any] = [[one] for one in said] if unsorted else []
    if not unsorted:
        days = [[one for one in said if one[0] == day] for day in sorted({one[0] for one in said})]
    found: list = []
    current = None
    for claims in days:
        parts = defaultdict(list)
        for _, object, holds, source in claims if twice else set(claims):
            if not (deaf and not holds):
                weight = 1.0 if votes else weights[source]
                parts[object].append(weight if holds else -weight)
        sums = {object: math.fsum(numbers) for object, numbers in parts.items()}
        if not sums:
            continue
        most = max(sums.values())
        leaders = sorted(object for object, total in sums.items() if total == most)
        after = current
        if most > 0 and (len(leaders) == 1 or ties):
            after = leaders[0]
        elif most <= 0 and sums.get(current, 0) < 0 and not sticky:
            after = None
        if alone and current is not None and most <= 0 and any(total < 0 for total in sums.values()):
            after = None
        if after == current:
            continue
        if current is not None:
            found[-1] = (*found[-1][:2], claims[0][0] - inclusive)
        if after is not None:
            found.append((after, claims[0][0], None))
        current = after
    return found


def mistakes(said: list, weights: dict) -> dict[str, list]:
    """Return what comes out by the usual mistakes."""
    ways: dict[str, dict[str, Any]] = {
        "The claims are taken in the order in which they are given: go through the days in order.": {"unsorted": True},
        "Each source has one vote: use its weight.": {"votes": True},
        "A source that repeats itself on a day counts more than once.": {"twice": True},
        "Claims that something does not hold are left out: subtract their weights.": {"deaf": True},
        "Of two equal sums one is taken: then nothing changes.": {"ties": True},
        "Nothing ever ends without a successor: a sum below 0 ends what holds.": {"sticky": True},
        "What holds is ended by a claim against another object.": {"alone": True},
        "The end is the last day on which it holds: it is the first one on which it no longer does.": {"inclusive": 1},
    }
    return {sentence: find(said, weights, **way) for sentence, way in ways.items()}


def compare(learner: Any, rows: list) -> None:
    """Compare for these claims, which the learner gets as `Said`."""

    def periods(said: list, weights: dict) -> list:
        return [tuple(one) for one in learner.periods([learner.Said(*one) for one in said], weights)]

    expect(periods, {"said": rows, "weights": WEIGHTS}, find(rows, WEIGHTS), mistakes(rows, WEIGHTS))


def check_the_example_of_note_9(learner: Any) -> None:
    """Four arrivals about Ava: one is late, and one contradicts another."""
    compare(learner, NOTE)


def check_a_source_that_repeats_itself(learner: Any) -> None:
    """Gossip says it five times, the herald once."""
    compare(learner, [(1, "Luna", True, "herald")] + [(1, "Sol", True, "gossip")] * 5)


def check_equal_sums_change_nothing(learner: Any) -> None:
    """Gossip and rumour say different things on a day, both about what does not hold."""
    compare(learner, [(1, "Sol", True, "herald"), (4, "Luna", True, "gossip"), (4, "Mira", True, "rumour")])


def check_an_end_without_a_successor(learner: Any) -> None:
    """It is said that Ava has left, and later that she is back; and that she is not where she was not."""
    rows = [
        (2, "Sol", True, "gossip"),
        (5, "Luna", False, "herald"),
        (7, "Sol", False, "rumour"),
        (9, "Sol", True, "gossip"),
    ]
    compare(learner, rows)


def check_any_order(learner: Any) -> None:
    """Thirty lists of claims, drawn at random."""
    rng = random.Random(3)
    for _ in range(30):
        rows = [
            (rng.randrange(6), rng.choice(["Luna", "Mira", "Sol"]), rng.random() < 0.7, rng.choice(list(WEIGHTS)))
            for _ in range(rng.randint(1, 9))
        ]
        compare(learner, rows)

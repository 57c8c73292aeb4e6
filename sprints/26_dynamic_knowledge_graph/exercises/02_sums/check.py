"""Checks of `clusters`: the example of the note, an undo, sums against single links, and ties."""

import random
from itertools import combinations
from typing import Any

from shared.lab.checking import expect

Pair = tuple[int, int]
NOTE = {(0, 1): 4.0, (1, 2): 3.0, (0, 2): -8.0, (2, 3): -6.0, (3, 4): 2.0}


def clusters(
    count: int, links: dict[Pair, float], apart: set[Pair], score: str = "sum", least: float = 1.0
) -> list[int]:
    """Return the clusters. Other measures and another least sum (of whole numbers) are the usual mistakes."""
    labels = list(range(count))
    while True:
        between: dict[Pair, list[float]] = {}
        for pair in combinations(range(count), 2):
            first, second = sorted((labels[pair[0]], labels[pair[1]]))
            if first != second:
                weight = -float("inf") if pair in apart else links.get(pair, 0.0)
                between.setdefault((first, second), []).append(weight)
        measures = {"sum": sum, "largest": max, "smallest": min}
        values = {pair: measures[score](weights) for pair, weights in between.items()}
        best = min(values, key=lambda pair: (-values[pair], pair), default=None)
        if best is None or values[best] < least:
            return labels
        labels = [best[0] if label == best[1] else label for label in labels]


def compare(learner: Any, count: int, links: dict[Pair, float], apart: set[Pair]) -> None:
    """Compare the labels, and know the usual mistakes by what they give."""
    expect(learner.clusters, {"count": count, "links": links, "apart": apart}, clusters(count, links, apart), {
        "What is apart shares a cluster: no sum may outweigh it.": clusters(count, links, set()),
        "A sum of 0 is enough here; it must be above 0.": clusters(count, links, apart, least=0.0),
        "One link is enough here; add all weights between the two clusters, negative ones, too.": (
            clusters(count, links, apart, "largest")
        ),
        "The weakest pair decides here; it is the sum of all pairs.": clusters(count, links, apart, "smallest"),
    })  # fmt: skip


def check_the_example_of_the_note(learner: Any) -> None:
    """Anna, A. and Ada; Ben and B."""
    compare(learner, 5, NOTE, set())


def check_an_undo(learner: Any) -> None:
    """Somebody says that 0 and 1 are two persons, and then that 1 and 2 are, too."""
    compare(learner, 5, NOTE, {(0, 1)})
    compare(learner, 5, NOTE, {(0, 1), (1, 2)})


def check_sums_outweigh(learner: Any) -> None:
    """A pair speaks against, two speak for: the sum is above 0."""
    compare(learner, 3, {(0, 1): 5.0, (0, 2): 4.0, (1, 2): -3.0}, set())
    compare(learner, 4, {(0, 1): 9.0, (2, 3): 8.0, (0, 2): 3.0, (1, 3): 3.0, (0, 3): -5.0}, set())


def check_apart_is_for_ever(learner: Any) -> None:
    """Nothing outweighs what somebody knows, over a third record neither."""
    compare(learner, 3, {(0, 1): 100.0, (1, 2): 90.0, (0, 2): 80.0}, {(0, 2)})


def check_a_sum_of_zero(learner: Any) -> None:
    """Nothing speaks for a merge: none."""
    compare(learner, 3, {(0, 1): 0.0, (1, 2): -1.0}, set())
    compare(learner, 1, {}, set())


def check_random_weights(learner: Any) -> None:
    """Eight records, ties among them."""
    draw = random.Random(0)
    for _ in range(4):
        links = {pair: float(draw.randint(-6, 5)) for pair in combinations(range(8), 2) if draw.random() < 0.8}
        compare(learner, 8, links, {pair for pair in links if draw.random() < 0.1})

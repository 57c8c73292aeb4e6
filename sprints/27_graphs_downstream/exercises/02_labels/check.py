"""Checks of `around` and `labels`: the rings of note 4, a node behind an end, an edge that leaks, a larger graph."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch

from shared.lab.checking import expect

Edges = list[tuple[int, int]]
RING = [(node, (node + 1) % 8) for node in range(8)]
# The pair is 0 and 1, which are joined; 3 reaches 0 through 1 alone, 4 is in another piece with 5.
BEHIND = [(1, 0), (0, 2), (2, 1), (1, 3), (4, 5)]


def steps(edges: Edges, start: int, without: int | None = None) -> dict[int, int]:
    """Return distances by asking again and again whom one more step reaches."""
    found, both = {start: 0}, [*edges, *((other, one) for one, other in edges)]
    for distance in range(1, 2 * len(edges) + 1):
        found |= {
            other: distance
            for one, other in both
            if found.get(one) == distance - 1 and other not in found and other != without
        }
    return found


def by_formula(
    count: int,
    edges: Edges,
    pair: tuple[int, int],
    label: Callable[[int, int], int],
    *,
    past: bool = False,
    ends: bool = True,
    lost: int | None = None,
) -> list[int]:
    """Return the labels of all nodes.

    Args:
        count: of nodes.
        edges: of the graph.
        pair: both ends.
        label: of a node by both of its distances.
        past: whether paths may pass the other end.
        ends: whether both ends have the label 1 whatever their distances.
        lost: the distance of who is not reached (None: they have the label 0).
    """
    both = [steps(edges, start, None if past else other) for start, other in (pair, pair[::-1])]
    rows = [[found.get(node, lost) for found in both] for node in range(count)]
    values = [0 if x is None or y is None else label(x, y) for x, y in rows]
    return [1 if ends and node in pair else value for node, value in enumerate(values)]


def double_radius(x: int, y: int) -> int:
    """Return the label of a node at both distances."""
    half, odd = divmod(x + y, 2)
    return 1 + min(x, y) + half * (half + odd - 1)


def compare(learner: Any, count: int, edges: Edges, pair: tuple[int, int]) -> None:
    """Compare the labels, and name the usual mistakes."""

    def made(label: Callable[[int, int], int], **changes: Any) -> list[int]:
        return by_formula(count, edges, pair, label, **changes)

    given = {"num_nodes": count, "edges": edges, "first": pair[0], "second": pair[1]}
    expect(learner.labels, given, made(double_radius), {
        "Distances from one end run through the other: take it away before you search.": made(double_radius, past=True),
        "Both ends of the pair have the label 1.": made(double_radius, ends=False),
        "Who cannot reach one of the ends has the label 0, not that of a node at distance 0.": made(
            double_radius, lost=0
        ),
        "This is 1 + the smaller distance: nodes that differ in the larger one must have different labels.": made(
            lambda x, y: 1 + min(x, y)
        ),
        "The larger distance stands where the smaller one belongs.": made(
            lambda x, y: double_radius(x, y) - min(x, y) + max(x, y)
        ),
        "d % 2 is missing: an odd sum and the even one below it get the same label.": made(
            lambda x, y: 1 + min(x, y) + (x + y) // 2 * ((x + y) // 2 - 1)
        ),
    })  # fmt: skip


def check_the_rings_of_the_note(learner: Any) -> None:
    """A ring of eight: three steps apart, and four."""
    compare(learner, 8, RING, (0, 3))
    compare(learner, 8, RING, (4, 0))


def check_behind_an_end(learner: Any) -> None:
    """A node that reaches one end through the other alone, and another piece of the graph."""
    compare(learner, 6, BEHIND, (0, 1))


def check_a_larger_graph(learner: Any) -> None:
    """A path of eighteen nodes and twelve edges that are drawn."""
    drawn = torch.randint(18, (12, 2), generator=torch.Generator().manual_seed(3)).tolist()
    edges = [*pairwise(range(18)), *((one, other) for one, other in drawn if one != other)]
    compare(learner, 18, edges, (2, 9))
    compare(learner, 18, edges, (17, 0))


def cut(learner: Any, edges: Edges, pair: tuple[int, int], hops: int) -> None:
    """Compare the edges around a pair, and name the usual mistakes."""
    near = [{node for node, distance in steps(edges, end).items() if distance <= hops} for end in pair]
    union = near[0] | near[1]
    expected = [edge for edge in edges if union.issuperset(edge) and set(edge) != set(pair)]
    expect(learner.around, {"edges": edges, "first": pair[0], "second": pair[1], "hops": hops}, expected, {
        "The edge of the pair is still there, perhaps written the other way round: it is the answer.": [
            edge for edge in edges if union.issuperset(edge)
        ],
        "Near is who is near one of the ends, not only who is near both.": [
            edge for edge in edges if (near[0] & near[1]).issuperset(edge) and set(edge) != set(pair)
        ],
        "Nodes near the second end are missing.": [
            edge for edge in edges if near[0].issuperset(edge) and set(edge) != set(pair)
        ],
        "An edge belongs to it if both of its nodes are near, not one of them.": [
            edge for edge in edges if union & set(edge) and set(edge) != set(pair)
        ],
    })  # fmt: skip


def check_the_graph_around(learner: Any) -> None:
    """One step and two steps on a ring; a pair that is joined."""
    cut(learner, RING, (0, 3), 1)
    cut(learner, [(node, (node + 1) % 12) for node in range(12)], (11, 2), 2)
    cut(learner, BEHIND, (0, 1), 1)
    cut(learner, BEHIND, (2, 1), 1)

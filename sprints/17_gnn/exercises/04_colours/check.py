"""Checks of `refine` and `told_apart`: beside descriptions that are never numbered, and the usual mistakes by name."""

from collections import Counter
from typing import Any

from shared.lab.checking import expect

Neighbours = list[list[int]]


def joined(num_nodes: int, *pairs: tuple[int, int]) -> Neighbours:
    """Return the neighbours of each node."""
    return [[other for pair in pairs if node in pair for other in pair if other != node] for node in range(num_nodes)]


def ring(size: int, first: int = 0) -> list[tuple[int, int]]:
    return [(first + node, first + (node + 1) % size) for node in range(size)]


PATH, STAR = joined(3, (0, 1), (1, 2)), joined(4, (0, 1), (0, 2), (0, 3))
HEXAGON, TRIANGLES = joined(6, *ring(6)), joined(6, *ring(3), *ring(3, 3))
HEXAGON_WITH_TAIL = joined(7, *ring(6), (0, 6))
TRIANGLES_WITH_TAIL = joined(7, *ring(3), *ring(3, 3), (0, 6))


def numbered(descriptions: list[Any]) -> list[int]:
    different = sorted({repr(description): description for description in descriptions}.values())
    return [different.index(description) for description in descriptions]


def compare_refine(learner: Any, neighbours: Neighbours, colours: list[int]) -> None:
    heard = [[colours[other] for other in near] for near in neighbours]
    pairs = list(zip(colours, heard, strict=True))
    mistakes = {
        "It forgets how often a colour occurs among the neighbours: a set for a list.": numbered(
            [(own, sorted(set(others))) for own, others in pairs]
        ),
        "It forgets the node's own colour.": numbered([sorted(others) for _, others in pairs]),
        "The order of the neighbours counts; sort their colours.": numbered(pairs),
        "It only counts neighbours; their colours matter.": numbered([(own, len(others)) for own, others in pairs]),
        "It returns the colours that it got.": list(colours),
    }
    expected = numbered([(own, sorted(others)) for own, others in pairs])
    expect(learner.refine, {"neighbours": neighbours, "colours": colours}, expected, mistakes)


def unfolded(neighbours: Neighbours, rounds: int) -> Counter[str]:
    """Return how often each description occurs, written out in full: it means the same in every graph."""
    words = [""] * len(neighbours)
    for _ in range(rounds):
        words = [f"({words[node]}|{','.join(sorted(words[other] for other in near))})"
                 for node, near in enumerate(neighbours)]  # fmt: skip
    return Counter(words)


def compare_graphs(learner: Any, first: Neighbours, second: Neighbours, rounds: int) -> None:
    expected = unfolded(first, rounds) != unfolded(second, rounds)
    expect(learner.told_apart, {"first": first, "second": second, "rounds": rounds}, expected)


def check_path(learner: Any) -> None:
    """A path of three nodes: ends and middle."""
    compare_refine(learner, PATH, [0, 0, 0])


def check_own_colour(learner: Any) -> None:
    """Two nodes that hear the same and were different before stay different."""
    compare_refine(learner, joined(4, (0, 1), (2, 3)), [0, 2, 1, 2])


def check_order_of_neighbours(learner: Any) -> None:
    """Nodes 0 and 3 hear a 1 and a 2, in another order."""
    compare_refine(learner, [[1, 2], [0], [0], [5, 4], [3], [3]], [0, 1, 2, 0, 1, 2])


def check_colours_of_neighbours(learner: Any) -> None:
    """Two ends of a star's kind: as many neighbours, of other colours."""
    compare_refine(learner, joined(4, (0, 1), (2, 3)), [0, 1, 0, 2])


def check_graphs_that_differ_at_once(learner: Any) -> None:
    """A path and a star of four nodes, one round."""
    compare_graphs(learner, joined(4, (0, 1), (1, 2), (2, 3)), STAR, 1)


def check_two_rounds_are_not_enough(learner: Any) -> None:
    """The graphs of note 8 after two rounds."""
    compare_graphs(learner, HEXAGON_WITH_TAIL, TRIANGLES_WITH_TAIL, 2)


def check_three_rounds_are_enough(learner: Any) -> None:
    """The graphs of note 8 after three rounds."""
    compare_graphs(learner, HEXAGON_WITH_TAIL, TRIANGLES_WITH_TAIL, 3)


def check_twins(learner: Any) -> None:
    """A hexagon and two triangles: never told apart."""
    compare_graphs(learner, HEXAGON, TRIANGLES, 6)


def check_colours_mean_the_same_in_both_graphs(learner: Any) -> None:
    """A triangle and three nodes without an edge: one colour each, and not the same one."""
    compare_graphs(learner, joined(3, *ring(3)), [[], [], []], 1)

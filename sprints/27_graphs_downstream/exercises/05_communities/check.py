"""Checks of `modularity`, `cut` and `gain_of_a_cut`: two triangles, the example of the note, and long chains."""

from collections.abc import Callable
from typing import Any

from shared.lab.checking import expect

TRIANGLES = [(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)]
WEIGHTS = {
    (0, 1): 3,
    (1, 2): 2,
    (1, 3): 2,
    (0, 4): 3,
    (4, 5): 2,
    (4, 6): 2,
    (0, 8): 2,
    (0, 9): 2,
    (0, 10): 2,
    (0, 11): 2,
    (7, 8): 3,
    (7, 9): 3,
    (7, 10): 3,
    (7, 11): 3,
    (12, 13): 48,
}
FOURTEEN = [pair for pair, weight in WEIGHTS.items() for _ in range(weight)]
LEFT = [0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 2, 2]  # node 0 has left


def rounded(function: Callable[..., float]) -> Callable[..., float]:
    """Return the function with its result rounded, so that another order of the same sums is no fault."""

    def call(*arguments: Any) -> float:
        return round(function(*arguments), 9)

    return call


def check_two_triangles(learner: Any) -> None:
    """Seven edges; each triangle has three of them and half of all ends."""
    expect(rounded(learner.modularity), {"pairs": TRIANGLES, "partition": [0, 0, 0, 1, 1, 1]}, round(6 / 7 - 0.5, 9), {
        "These are the edges inside alone: what chance would give is missing.": round(6 / 7, 9),
        "The share of the ends is squared: by chance both ends of an edge must fall into the community.": round(
            6 / 7 - 1, 9
        ),
        "Nodes were counted in place of the ends of edges, or d was divided by m and not by 2m.": round(6 / 7 - 2, 9),
        "An edge inside has two ends in its community, and the one between has one in each.": round(
            6 / 7 - 2 * (4 / 14) ** 2, 9
        ),
    })  # fmt: skip


def check_one_community_of_all(learner: Any) -> None:
    """Whoever puts everybody together gains nothing, whatever the community is called."""
    expect(rounded(learner.modularity), {"pairs": TRIANGLES, "partition": [7] * 6}, 0.0)


def check_the_example_of_the_note(learner: Any) -> None:
    """Fourteen nodes, 82 edges."""
    expect(rounded(learner.modularity), {"pairs": FOURTEEN, "partition": LEFT}, 0.487507436)


def check_a_community_in_two_pieces(learner: Any) -> None:
    """Nodes 1 to 3 and nodes 4 to 6 have no edge between them once node 0 has left."""
    expect(learner.cut, {"pairs": FOURTEEN, "partition": LEFT}, [0, 1, 1, 1, 2, 2, 2, 0, 0, 0, 0, 0, 3, 3], {
        "The parts of the whole graph were taken: an edge to another community holds nothing together.": [
            *[0] * 12, 1, 1
        ],
        "Nothing was cut: nodes 1 to 3 and 4 to 6 are in two pieces.": LEFT,
    })  # fmt: skip


def check_chains_and_nodes_alone(learner: Any) -> None:
    """A chain whose nodes are not in order is one part; a node without an edge inside is a part by itself."""
    chain = [(0, 7), (7, 3), (3, 6), (6, 1), (1, 5), (5, 2)]
    expect(learner.cut, {"pairs": chain, "partition": [4] * 9}, [0, 0, 0, 0, 1, 0, 0, 0, 2])
    backwards = [(5, 2), (1, 5), (6, 1), (3, 6), (7, 3), (0, 7)]
    expect(learner.cut, {"pairs": backwards, "partition": [4] * 9}, [0, 0, 0, 0, 1, 0, 0, 0, 2], {
        "Each edge was looked at once: a small number has not travelled all along the chain yet.": [
            0, 1, 2, 1, 3, 1, 1, 0, 4
        ],
    })  # fmt: skip


def check_what_a_cut_brings(learner: Any) -> None:
    """Two pieces with degrees of 11 each, among 82 edges."""
    expect(rounded(learner.gain_of_a_cut), {"degrees_one": 11, "degrees_other": 11, "edges": 82}, 0.00899762, {
        "The product stands twice in the square of a sum.": round(121 / 164**2, 9),
        "The degrees of a whole graph add up to 2m, not to m.": round(2 * 121 / 82**2, 9),
        "A cut without an edge in between loses nothing: Q must grow.": -0.00899762,
    })  # fmt: skip

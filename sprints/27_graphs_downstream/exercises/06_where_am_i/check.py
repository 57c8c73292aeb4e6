"""Checks of `back`, `rows` and `weights`: four nodes by hand, graphs in order, and a path that ends."""

from typing import Any

import torch

from shared.lab.checking import expect

RING, STAR = [(0, 1), (1, 2), (2, 3), (0, 3)], [(0, 1), (0, 2), (0, 3)]
COMPLETE = torch.tensor([[0.0, 1 / 3, 2 / 9, 7 / 27]]).repeat(4, 1)


def refuses(function: Any) -> Any:
    """Return a function that says whether the learner's one refuses its argument with a ValueError."""

    def call(argument: Any) -> bool:
        try:
            function(argument)
        except ValueError:
            return True
        return False

    return call


def check_a_ring_of_four(learner: Any) -> None:
    """After two steps half of all walks are back, after an odd number none is."""
    expected = torch.tensor([[0, 0.5, 0, 0.5]]).repeat(4, 1)
    expect(learner.back, {"pairs": RING, "num_nodes": 4, "steps": 4}, expected, {
        "This is the complete graph, which attention looks at: walk along the edges.": COMPLETE,
        "The first column is that of step 1; after no step every walk is where it was.": torch.tensor(
            [[1, 0, 0.5, 0]]
        ).repeat(4, 1),
        "Walks were counted: divide by the number of neighbours at each step.": torch.tensor([[0.0, 2, 0, 8]]).repeat(
            4, 1
        ),
    })  # fmt: skip


def check_a_star_and_a_node_alone(learner: Any) -> None:
    """From the middle every walk is back after two steps, from an end every third one."""
    end = [0, 1 / 3, 0]
    expect(
        learner.back, {"pairs": STAR, "num_nodes": 5, "steps": 3}, torch.tensor([[0, 1.0, 0], end, end, end, [0, 0, 0]])
    )


def check_a_triangle_with_a_tail(learner: Any) -> None:
    """Here the nodes differ, and a walk may be back after three steps."""
    pairs = [(0, 1), (1, 2), (0, 2), (2, 3)]
    expected = torch.tensor([[0, 5 / 12, 1 / 6], [0, 5 / 12, 1 / 6], [0, 2 / 3, 1 / 6], [0, 1 / 3, 0]])
    expect(learner.back, {"pairs": pairs, "num_nodes": 4, "steps": 3}, expected)


def check_rows(learner: Any) -> None:
    """Three graphs, the second with a single node."""
    expect(learner.rows, {"batch": [0, 0, 0, 1, 2, 2]}, [[0, 1, 2], [3], [4, 5]])


def check_an_unsorted_batch_is_refused(learner: Any) -> None:
    """Nodes 1 and 3 are in graph 1, nodes 0 and 2 in graph 0."""
    expect(refuses(learner.rows), {"batch": [0, 1, 0, 1]}, True, {
        "It must end with a ValueError: a program that cuts such a batch into pieces mixes graphs.": False,
    })  # fmt: skip
    expect(refuses(learner.rows), {"batch": [0, 0, 1, 1]}, False, {"A sorted batch is refused.": True})


def check_a_path_that_ends(learner: Any) -> None:
    """Five nodes: 0 to 3 are a path, 4 is apart. Distances 3 count as 2."""
    distances = torch.tensor([
        [0, 1, 2, 3, -1], [1, 0, 1, 2, -1], [2, 1, 0, 1, -1], [3, 2, 1, 0, -1], [-1, -1, -1, -1, 0]
    ])  # fmt: skip
    bias = torch.tensor([0.0, 1.0, 2.0, -3.0])  # of 0, 1, 2 and more, and of no path
    scores = torch.arange(25.0).reshape(5, 5) % 4
    place = torch.tensor([[0, 1, 2, 2, 3], [1, 0, 1, 2, 3], [2, 1, 0, 1, 3], [2, 2, 1, 0, 3], [3, 3, 3, 3, 0]])
    expect(
        learner.weights,
        {"scores": scores, "distances": distances, "bias": bias},
        (scores + bias[place]).softmax(dim=1),
        {
            "The numbers were added after the softmax: rows must add up to 1.": scores.softmax(dim=1) + bias[place],
            "-1 was cut off to 0, as if nodes without a path were one node.": (
                scores + bias[distances.clamp(0, 2)]
            ).softmax(dim=1),
            "A distance of 3 got the number of no path: what is too far counts as the greatest distance.": (
                scores + bias[distances]
            ).softmax(dim=1),
            "The softmax is over the keys of each query, which are in a row.": (scores + bias[place]).softmax(dim=0),
            "The bias is missing.": scores.softmax(dim=1),
        },
    )

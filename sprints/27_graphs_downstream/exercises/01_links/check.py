"""Checks of `without` and `auc`: the example of note 1, a larger graph, ties, and nothing to compare."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def both_ways(pairs: list[tuple[int, int]]) -> Tensor:
    """Return edges in both directions, one after the other."""
    return torch.tensor([edge for one, other in pairs for edge in ((one, other), (other, one))]).T


def left(edges: Tensor, gone: set[tuple[int, int]]) -> Tensor:
    """Return the edges that are not gone."""
    return edges[:, torch.tensor([tuple(edge) not in gone for edge in edges.T.tolist()])]


def hide(learner: Any, edges: Tensor, hidden: Tensor) -> None:
    """Compare what is left, and name the usual mistakes."""
    forth = {tuple(pair) for pair in hidden.tolist()}
    back = {(other, one) for one, other in forth}
    ends = set(hidden.flatten().tolist())
    expect(learner.without, {"edge_index": edges, "hidden": hidden}, left(edges, forth | back), {
        "The reverse of a hidden edge is still there, and carries the answer.": left(edges, forth),
        "Only the pair is hidden; other edges of its nodes stay.": edges[
            :, torch.tensor([not ends & set(edge) for edge in edges.T.tolist()])
        ],
        "What is returned are the hidden edges, not those that are left.": torch.cat([hidden, hidden.flip(1)]).T,
    })  # fmt: skip


def check_the_example_of_the_note(learner: Any) -> None:
    """Two triangles and a bridge, without the edge between 0 and 1."""
    edges = both_ways([(0, 1), (0, 2), (1, 2), (2, 3), (3, 4), (3, 5), (4, 5)])
    hide(learner, edges, torch.tensor([[0, 1]]))
    hide(learner, edges, torch.tensor([[5, 3], [2, 0]]))


def check_a_larger_graph(learner: Any) -> None:
    """Forty pairs of twelve nodes, seven of them hidden."""
    generator = torch.Generator().manual_seed(1)
    pairs = torch.combinations(torch.arange(12))[torch.randperm(66, generator=generator)[:40]]
    hide(learner, both_ways([(one, other) for one, other in pairs.tolist()]), pairs[:7].flip(1))


def compare(learner: Any, right: Tensor, wrong: Tensor) -> None:
    """Compare the AUC with a count of all couples, and name the usual mistakes."""
    couples = [(one, other) for one in right.tolist() for other in wrong.tolist()]
    above = sum(one > other for one, other in couples) / len(couples)
    level = sum(one == other for one, other in couples) / len(couples)

    def rounded(right: Tensor, wrong: Tensor) -> float:
        return round(learner.auc(right, wrong), 6)

    in_step = [float(one > other) + 0.5 * float(one == other) for one, other in zip(right, wrong, strict=False)]
    expect(rounded, {"right": right, "wrong": wrong}, round(above + level / 2, 6), {
        "A tie counts one half, not as won: a scorer that says the same of all pairs knows nothing.": round(
            above + level, 6
        ),
        "A tie counts one half, not as lost.": round(above, 6),
        "Low scores come first here; higher is better.": round(1 - above - level / 2, 6),
        "Each right score is compared with one wrong score; compare it with all of them.": round(
            sum(in_step) / len(in_step), 6
        ),
    })  # fmt: skip


def check_the_couples(learner: Any) -> None:
    """Scores without ties; a right pair against eight wrong ones, four of them level (note 1); its last question."""
    compare(learner, torch.tensor([3.0, 2.5]), torch.tensor([2.0, 0, 4]))
    compare(learner, torch.tensor([1.0]), torch.tensor([1.0, 0, 0, 1, 0, 0, 1, 1]))
    compare(learner, torch.tensor([4.0, 2.0]), torch.tensor([3.0, 2.0]))


def check_many_ties(learner: Any) -> None:
    """Scores from few values, more wrong pairs than right ones."""
    generator = torch.Generator().manual_seed(2)
    compare(
        learner,
        torch.randint(5, (9,), generator=generator).float(),
        torch.randint(4, (31,), generator=generator).float(),
    )


def check_nothing_to_compare(learner: Any) -> None:
    """Without right or wrong pairs there is no share."""

    def ends(right: Tensor, wrong: Tensor) -> str:
        try:
            return str(learner.auc(right, wrong))
        except ValueError:
            return "ValueError"

    reasons = {"The mean over nothing is nan, and spreads into every mean over graphs.": "nan"}
    expect(ends, {"right": torch.empty(0), "wrong": torch.ones(2)}, "ValueError", reasons)
    expect(ends, {"right": torch.ones(2), "wrong": torch.empty(0)}, "ValueError", reasons)

"""The examination: a package is new, one of its needs is hidden, and the hidden one is to be found among wrong ones.

The wrong ones are drawn from what old packages need, each as often as it is needed. So a package that many need stands
among the wrong ones as often as among the right ones, and being popular is worth nothing.
"""

from dataclasses import dataclass

import scipy.sparse
import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from knowledge.sage import Links
from shared.graph.graphs import Graph

Scores = Float[Tensor, "questions candidates"]


@dataclass(frozen=True, eq=False)
class Questions:
    """For each question who asks, what it is known to need, and the candidates: the hidden one first.

    Args:
        askers: (questions), new packages.
        known: (2, links), the number of a question above a package that its asker is known to need.
        candidates: (questions, candidates).
    """

    askers: Int[Tensor, " questions"]
    known: Links
    candidates: Int[Tensor, "questions candidates"]


@dataclass(frozen=True, eq=False)
class LinkTask:
    """Nodes of which some are new, what old ones need, and questions on the new ones.

    Args:
        features: (nodes, features).
        needs: links among old nodes.
        validation: questions for choices.
        test: questions for figures.
    """

    features: Float[Tensor, "nodes features"]
    needs: Links
    validation: Questions
    test: Questions

    @property
    def popularity(self) -> Int[Tensor, " nodes"]:
        """By how many old nodes each is needed."""
        return torch.bincount(self.needs[1], minlength=len(self.features))

    def seen(self, questions: Questions) -> Links:
        """Return the links that are known when some questions are asked."""
        rows, known = questions.known
        return torch.cat([self.needs, torch.stack([questions.askers[rows], known])], dim=1)


def make_task(
    features: Float[Tensor, "nodes features"],
    needs: Links,
    validation: Int[Tensor, " validation"],
    test: Int[Tensor, " test"],
    generator: torch.Generator,
    wrong: int = 99,
) -> LinkTask:
    """Hide one need of each new node that has two or more, and draw wrong candidates.

    Args:
        features: of all nodes.
        needs: all links; only those that end at old nodes are used.
        validation: new nodes for choices.
        test: new nodes for figures.
        generator: draws what is hidden and what is wrong.
        wrong: wrong candidates of a question.

    Raises:
        ValueError: none of the new nodes has two needs.
    """
    new = torch.zeros(len(features), dtype=torch.bool)
    new[validation] = new[test] = True
    needs = needs[:, ~new[needs[1]]]
    old = needs[:, ~new[needs[0]]]
    needed_by: dict[int, list[int]] = {}
    for asker, target in needs[:, new[needs[0]]].T.tolist():
        needed_by.setdefault(asker, []).append(target)
    parts = []
    for nodes in (validation, test):
        askers, known, candidates = [], [], []
        for node in nodes.tolist():
            all_needs = needed_by.get(node, [])
            if len(all_needs) < 2:
                continue
            hidden = all_needs[int(torch.randint(len(all_needs), (), generator=generator))]
            known += [[len(askers), target] for target in all_needs if target != hidden]
            others: list[int] = []
            while len(others) < wrong:
                drawn = old[1, torch.randint(old.shape[1], (2 * wrong,), generator=generator)].tolist()
                others += [target for target in drawn if target not in all_needs]
            askers.append(node)
            candidates.append([hidden, *others[:wrong]])
        if not askers:
            raise ValueError("a question needs a new node with two needs or more: give more nodes")
        parts.append(Questions(torch.tensor(askers), torch.tensor(known).T, torch.tensor(candidates)))
    return LinkTask(features, old, *parts)


def reciprocal_ranks(scores: Scores) -> Float[Tensor, " questions"]:
    """Return one over the rank of candidate 0, on average over all orders of those that score the same."""
    better = (scores[:, 1:] > scores[:, :1]).sum(dim=1)
    equal = (scores[:, 1:] == scores[:, :1]).sum(dim=1)
    harmonic = torch.cat([torch.zeros(1), (1 / torch.arange(1.0, scores.shape[1] + 1)).cumsum(0)])
    return (harmonic[better + equal + 1] - harmonic[better]) / (equal + 1)


def cosines(vectors: Float[Tensor, "nodes features"], questions: Questions) -> Scores:
    """Return how alike the vectors of askers and candidates are."""
    rows = functional.normalize(vectors, dim=1)
    return (rows[questions.askers][:, None] * rows[questions.candidates]).sum(dim=2)


def averaged(features: Float[Tensor, "nodes features"], graph: Graph) -> Float[Tensor, "nodes features"]:
    """Return each node's features plus the mean of what it hears: a layer that nobody has trained."""
    from shared.graph.message_passing import scatter_mean

    source, target = graph.edge_index
    return features + scatter_mean(features[source], target, graph.num_nodes)


def needed_together(task: LinkTask, questions: Questions, rows_at_once: int = 200) -> Scores:
    """Return the sum over known needs of the cosine between who needs them and who needs the candidate.

    Two columns of the matrix of who needs what are alike if the same packages need both: "who needs this needs that".
    """
    nodes = len(task.features)
    ones = torch.ones(task.needs.shape[1]).numpy()
    matrix = scipy.sparse.csr_array((ones, task.needs.numpy()), shape=(nodes, nodes))
    scale = 1 / task.popularity.clamp(min=1).float().sqrt()
    matrix = (matrix @ scipy.sparse.diags_array(scale.numpy())).tocsr()
    rows, known = questions.known.numpy()
    asked = scipy.sparse.csr_array((torch.ones(len(rows)).numpy(), (rows, known)), shape=(len(questions.askers), nodes))
    found = []
    for first in range(0, len(questions.askers), rows_at_once):
        part = (asked[first : first + rows_at_once] @ matrix.T @ matrix).toarray()
        found.append(torch.from_numpy(part).gather(1, questions.candidates[first : first + rows_at_once]))
    return torch.cat(found)

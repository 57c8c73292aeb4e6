"""SEAL: a pair is scored by the graph around it, in which each node is told where it stands to the pair.

The label of a node at distances x and y from both ends (Zhang & Chen 2018, section 3.1; PyTorch Geometric's example):

    1 + min(x, y) + (d // 2) (d // 2 + d % 2 - 1),  d = x + y

Each distance is counted with the other end taken away. The ends are 1, and who is cut off from one of them is 0.
Theory: notes/04_encoders_and_decoders.md
"""

import copy
from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from downstream.link_scores import Pairs, auc
from shared.graph.graphs import Graph, batch_graphs
from shared.graph.layers import GINLayer
from shared.graph.message_passing import scatter_mean

Neighbours = Sequence[Sequence[int]]  # of each node


class CutOut(NamedTuple):
    """The graph around a pair."""

    graph: Graph  # node 0 and node 1 are the pair; the edge between them is left out
    nodes: Int[Tensor, "nodes"]  # which nodes of the whole graph these are
    labels: Int[Tensor, "nodes"]


def neighbours_of(graph: Graph) -> list[list[int]]:
    """Return whom each node hears."""
    near: list[list[int]] = [[] for _ in range(graph.num_nodes)]
    for source, target in graph.edge_index.T.tolist():
        near[target].append(source)
    return near


def distances(near: Neighbours, start: int, without: int | None = None, most: int | None = None) -> dict[int, int]:
    """Return how many steps each node is away that can be reached, by breadth-first search.

    Args:
        near: neighbours of each node.
        start: has distance 0.
        without: a node that no path may use (default: none is forbidden).
        most: steps (default: as many as it takes).
    """
    found, edge, steps = {start: 0}, [start], 0
    while edge and (most is None or steps < most):
        steps += 1
        edge = [node for node in dict.fromkeys(one for at in edge for one in near[at])
                if node not in found and node != without]  # fmt: skip
        found |= dict.fromkeys(edge, steps)
    return found


def double_radius_labels(near: Neighbours, first: int, second: int) -> Int[Tensor, "nodes"]:
    """Return the label of each node, by its distances from both ends of a pair.

    Raises:
        ValueError: both ends are the same node.
    """
    if first == second:
        raise ValueError(f"a pair needs two different nodes, got {first} twice")
    from_first, from_second = distances(near, first, without=second), distances(near, second, without=first)
    labels = torch.zeros(len(near), dtype=torch.long)
    for node in from_first.keys() & from_second.keys():
        x, y = from_first[node], from_second[node]
        half, odd = divmod(x + y, 2)
        labels[node] = 1 + min(x, y) + half * (half + odd - 1)
    labels[[first, second]] = 1
    return labels


def cut_out(near: Neighbours, pair: tuple[int, int], hops: int) -> CutOut:
    """Return the nodes at most some steps away from either end of a pair, their edges, and their labels.

    The edge between both ends, if there is one, is left out: it is the answer.

    Args:
        near: neighbours of each node of the whole graph.
        pair: both ends.
        hops: steps.
    """
    first, second = pair
    others = (distances(near, first, most=hops).keys() | distances(near, second, most=hops).keys()) - {first, second}
    nodes = [first, second, *sorted(others)]
    place = {node: number for number, node in enumerate(nodes)}
    inside = [[place[one] for one in near[node] if one in place] for node in nodes]
    inside[0], inside[1] = ([one for one in inside[end] if one > 1] for end in (0, 1))
    edges = [(source, target) for target, sources in enumerate(inside) for source in sources]
    graph = Graph(torch.tensor(edges, dtype=torch.long).reshape(-1, 2).T, len(nodes))
    return CutOut(graph, torch.tensor(nodes), double_radius_labels(inside, 0, 1))


def cut_outs(graph: Graph, pairs: Pairs, hops: int) -> list[CutOut]:
    """Return the graph around each pair."""
    near = neighbours_of(graph)
    return [cut_out(near, (first, second), hops) for first, second in pairs.tolist()]


class SealNetwork(nn.Module):
    """Layers of GIN on cut-out graphs; read out are the mean over the nodes and the product of both ends.

    The original sorts the nodes and reads them in that order; a mean is shorter, and the labels are the idea.

    Args:
        width: numbers of a node.
        labels: the largest label that is told apart; larger ones count as this one.
        layers: of GIN.
        labelled: whether nodes are told their label: False is the control, which sees the cut-out graph alone.
    """

    def __init__(self, width: int, labels: int = 30, layers: int = 2, *, labelled: bool = True) -> None:
        super().__init__()
        self.embedding = nn.Embedding(labels + 1, width)
        self.layers = nn.ModuleList(GINLayer(width, width) for _ in range(layers))
        self.first, self.last = nn.Linear(2 * width, width), nn.Linear(width, 1)
        self.labelled = labelled

    def forward(self, cut: Sequence[CutOut]) -> Float[Tensor, "pairs"]:
        """Return a logit of each pair."""
        graph, labels = batch_graphs([one.graph for one in cut]), torch.cat([one.labels for one in cut])
        labels = labels.clamp(max=self.embedding.num_embeddings - 1) if self.labelled else torch.zeros_like(labels)
        features = self.embedding(labels)
        for layer in self.layers:
            features = layer(features, graph).relu()
        ends = torch.tensor([0, *(one.graph.num_nodes for one in cut[:-1])]).cumsum(0)  # where each graph begins
        both = features[ends] * features[ends + 1]
        whole = scatter_mean(features, graph.batch, graph.num_graphs)
        return self.last(self.first(torch.cat([both, whole], dim=1)).relu())[:, 0]


class ScoredCutOuts(NamedTuple):
    """Cut-out graphs of right and of wrong pairs."""

    right: list[CutOut]
    wrong: list[CutOut]


@torch.no_grad()
def seal_scores(model: SealNetwork, cut: ScoredCutOuts, size: int = 128) -> tuple[Tensor, Tensor]:
    """Return the logits of right and of wrong pairs, in double precision, rounded so that equal ones are ties."""
    model.eval()
    both = [*cut.right, *cut.wrong]
    scores = torch.cat([model(both[start : start + size]) for start in range(0, len(both), size)])
    scores = scores.double().round(decimals=6)
    return scores[: len(cut.right)], scores[len(cut.right) :]


def fit_seal(
    model: SealNetwork, train: ScoredCutOuts, val: ScoredCutOuts, *, epochs: int, rate: float, size: int = 32,
    generator: torch.Generator,
) -> float:  # fmt: skip
    """Train with Adam; keep the weights best on validation, and return the AUC there.

    Args:
        model: the network.
        train, val: cut-out graphs.
        epochs: times that all training pairs are seen.
        rate: learning rate.
        size: pairs of a batch.
        generator: draws their order.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    both = [*train.right, *train.wrong]
    targets = torch.tensor([1.0] * len(train.right) + [0.0] * len(train.wrong))
    best, kept = -1.0, copy.deepcopy(model.state_dict())
    for _ in range(epochs):
        model.train()
        for rows in torch.randperm(len(both), generator=generator).split(size):
            optimizer.zero_grad()
            logits = model([both[row] for row in rows.tolist()])
            functional.binary_cross_entropy_with_logits(logits, targets[rows]).backward()
            optimizer.step()
        value = auc(*seal_scores(model, val))
        if value >= best:  # of equals the last, whose logits are surer
            best, kept = value, copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)
    model.eval()
    return best

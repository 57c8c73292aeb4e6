"""Small graphs whose nodes have names and sides, and the best that anyone can say of them.

A graph holds 14 ingredients, seven on the warm side and seven on the cold one. Those on the same side often go
together, those on different sides seldom; about half wear a badge that tells their side. The side of a node without a
badge has to be inferred from its friends, theirs, and so on; with 2^7 or so possible answers, the exact posterior is a
sum.
"""

from itertools import combinations
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from shared.graph.graphs import Graph, adjacency_matrix, batch_graphs

SIDES = ("warm", "cold")
NAMES = (
    "butter", "leeks", "okra", "carrots", "lentils", "tofu", "chicken", "cod", "salmon", "beef", "lamb", "grapes",
    "mango", "olives", "cumin", "thyme", "sage", "nutmeg", "cocoa", "vanilla", "parsley", "basil", "spinach", "barley",
    "penne", "feta", "walnuts", "honey",
)  # fmt: skip
SIZE, MOST_FRIENDS = 14, 5
# Probabilities: of an edge inside a side and between the two, and of a badge.
INSIDE, BETWEEN, BADGE = 0.42, 0.08, 0.5


class IngredientGraph(NamedTuple):
    """A graph, and what is true of its nodes."""

    graph: Graph
    names: list[int]  # of each node, in NAMES
    sides: list[int]  # in SIDES
    badges: list[bool]

    def features(self) -> Tensor:
        """Return what a node knows of itself: its name, and its side if it has a badge: (num_nodes, names + 2)."""
        badge = functional.one_hot(torch.tensor(self.sides), 2) * torch.tensor(self.badges)[:, None]
        return torch.cat([functional.one_hot(torch.tensor(self.names), len(NAMES)), badge], dim=1).float()

    def friends(self, node: int) -> list[int]:
        """Return the nodes that a node is joined with."""
        source, target = self.graph.edge_index
        return target[source == node].tolist()


def draw_ingredients(generator: torch.Generator) -> IngredientGraph:
    """Return a graph of which every node has one to five friends.

    Graphs that break this rule are drawn again; the rule does not look at sides, so their posterior stays what it was.
    """
    while True:
        sides = (torch.arange(SIZE) % 2)[torch.randperm(SIZE, generator=generator)]
        same = sides[:, None] == sides
        drawn = torch.rand(SIZE, SIZE, generator=generator) < torch.where(same, INSIDE, BETWEEN)
        pairs = drawn.triu(1).nonzero()
        degrees = torch.bincount(pairs.flatten(), minlength=SIZE)
        if degrees.min() >= 1 and degrees.max() <= MOST_FRIENDS:
            break
    names = torch.randperm(len(NAMES), generator=generator)[:SIZE]
    badges = torch.rand(SIZE, generator=generator) < BADGE
    return IngredientGraph(Graph.undirected(pairs, SIZE), names.tolist(), sides.tolist(), badges.tolist())


def batch_ingredients(ingredients: list[IngredientGraph]) -> tuple[Tensor, Graph]:
    """Return the features of several graphs, (num_nodes, names + 2), and the graphs as one."""
    features = torch.cat([single.features() for single in ingredients])
    return features, batch_graphs([single.graph for single in ingredients])


def posterior(ingredients: IngredientGraph) -> tuple[list[float], list[float]]:
    """Return for each node the probability that it is on the first side, and that it is a bridge, given what is known.

    Known are the edges, the badges, and how graphs are drawn. Exact, by going through all ways to fill the sides.
    """
    halves = combinations(range(SIZE), SIZE // 2)
    ways = torch.tensor([[node in half for node in range(SIZE)] for half in halves])
    truth, badges = torch.tensor(ingredients.sides) == 0, torch.tensor(ingredients.badges)
    first = ways[(ways[:, badges] == truth[badges]).all(dim=1)]  # (ways, num_nodes)
    joined = adjacency_matrix(ingredients.graph) > 0
    same = first[:, :, None] == first[:, None, :]  # (ways, num_nodes, num_nodes)
    probability = torch.where(same, INSIDE, BETWEEN).double()
    likelihood = torch.where(joined, probability, 1 - probability).log().triu(1).sum(dim=(1, 2))
    weights = likelihood.softmax(dim=0)
    bridges = (joined & ~same).any(dim=2)
    return (weights @ first.double()).tolist(), (weights @ bridges.double()).tolist()


def optimum(drawn: list[IngredientGraph]) -> dict[str, float]:
    """Return the largest share of facts that anything can get right, as an average over nodes.

    Names and friends can be read off. For side and bridge the best answer is the more probable one.
    """
    sides, bridges = zip(*(posterior(ingredients) for ingredients in drawn), strict=True)
    return {"name": 1.0, "side": _certainty(sides), "friends": 1.0, "bridge": _certainty(bridges)}


def _certainty(probabilities: tuple[list[float], ...]) -> float:
    values = torch.tensor(probabilities)
    return torch.maximum(values, 1 - values).mean().item()

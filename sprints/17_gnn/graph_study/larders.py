"""Small graphs with names, what can be said of their nodes, and the best that anyone can say.

A larder holds 14 ingredients, seven on the warm side and seven on the cold one. Those on the same side often go
together, those on different sides seldom; about half wear a badge that tells their side. A description says four
facts, the name, the side, the friends and whether it is joined with the other side:

    okra is warm, with ghee, leeks and salmon: a bridge.

The friends can be read off the edges. The side of a node without a badge has to be inferred from its friends, theirs,
and so on; with 2^7 or so possible answers, the exact posterior is a sum.
"""

import re
from itertools import combinations
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from shared.graph.graphs import Graph, batch_graphs

SIDES = ("warm", "cold")
NAMES = (
    "butter", "leeks", "okra", "carrots", "lentils", "tofu", "chicken", "cod", "salmon", "beef", "lamb", "grapes",
    "mango", "olives", "cumin", "thyme", "sage", "nutmeg", "cocoa", "vanilla", "parsley", "basil", "spinach", "barley",
    "penne", "feta", "walnuts", "honey",
)  # fmt: skip
SIZE, INSIDE, BETWEEN, BADGE, MOST = 14, 0.42, 0.08, 0.5, 5

LIST = r"[a-z]+(?:, [a-z]+)*(?: and [a-z]+)?"
SENTENCE = re.compile(rf"([a-z]+) is ([a-z]+), with ({LIST}): (a|no) bridge\.")


class Larder(NamedTuple):
    """A graph, and what is true of its nodes."""

    graph: Graph
    names: list[int]  # of each node, in NAMES
    sides: list[int]  # in SIDES
    badges: list[bool]

    def features(self) -> Tensor:
        """Return what a node knows of itself: its name, and its side if it has a badge: (nodes, names + 2)."""
        badge = functional.one_hot(torch.tensor(self.sides), 2) * torch.tensor(self.badges)[:, None]
        return torch.cat([functional.one_hot(torch.tensor(self.names), len(NAMES)), badge], dim=1).float()

    def friends(self, node: int) -> list[int]:
        """Return the nodes that a node is joined with."""
        return self.graph.targets[self.graph.sources == node].tolist()


class Facts(NamedTuple):
    """What a description says."""

    name: str
    side: str
    friends: frozenset[str]
    bridge: bool


def draw_larder(generator: torch.Generator) -> Larder:
    """Return a larder of which every node has one to five friends.

    Graphs that break this rule are drawn again; the rule does not look at sides, so their posterior stays what it was.
    """
    while True:
        sides = (torch.arange(SIZE) % 2)[torch.randperm(SIZE, generator=generator)]
        same = sides[:, None] == sides
        drawn = torch.rand(SIZE, SIZE, generator=generator) < torch.where(same, INSIDE, BETWEEN)
        pairs = drawn.triu(1).nonzero()
        degrees = torch.bincount(pairs.flatten(), minlength=SIZE)
        if degrees.min() >= 1 and degrees.max() <= MOST:
            break
    names = torch.randperm(len(NAMES), generator=generator)[:SIZE]
    badges = torch.rand(SIZE, generator=generator) < BADGE
    return Larder(Graph.undirected(pairs, SIZE), names.tolist(), sides.tolist(), badges.tolist())


def facts_of(larder: Larder, node: int) -> Facts:
    """Return what is true of a node; a bridge is joined with the other side."""
    friends = larder.friends(node)
    bridge = any(larder.sides[friend] != larder.sides[node] for friend in friends)
    names = frozenset(NAMES[larder.names[friend]] for friend in friends)
    return Facts(NAMES[larder.names[node]], SIDES[larder.sides[node]], names, bridge)


def say(facts: Facts) -> str:
    """Return a description; friends in the order of NAMES, so that there is one right text."""
    friends = sorted(facts.friends, key=NAMES.index)
    listed = " and ".join([", ".join(friends[:-1]), friends[-1]] if len(friends) > 1 else friends)
    return f"{facts.name} is {facts.side}, with {listed}: {'a' if facts.bridge else 'no'} bridge."


def read(text: str) -> Facts | None:
    """Return the facts that a text says, None if it is no description."""
    match = SENTENCE.fullmatch(text.strip())
    if match is None:
        return None
    name, side, friends, bridge = match.groups()
    return Facts(name, side, frozenset(re.split(r", | and ", friends)), bridge == "a")


def posterior(larder: Larder) -> tuple[list[float], list[float]]:
    """Return for each node the probability that it is on the first side, and that it is a bridge, given what is known.

    Known are the edges, the badges, and how larders are drawn. Exact, by going through all ways to fill the sides.
    """
    rows = torch.tensor([[node in chosen for node in range(SIZE)] for chosen in combinations(range(SIZE), SIZE // 2)])
    truth = torch.tensor(larder.sides) == 0
    badges = torch.tensor(larder.badges)
    first = rows[(rows[:, badges] == truth[badges]).all(dim=1)]  # (answers, nodes)
    joined = torch.zeros(SIZE, SIZE, dtype=torch.bool)
    joined[larder.graph.sources, larder.graph.targets] = True
    same = first[:, :, None] == first[:, None, :]  # (answers, nodes, nodes)
    chance = torch.where(same, INSIDE, BETWEEN).double()
    likelihood = torch.where(joined, chance, 1 - chance).log().triu(1).sum(dim=(1, 2))
    weights = likelihood.softmax(dim=0)
    bridges = (joined & ~same).any(dim=2)
    return (weights @ first.double()).tolist(), (weights @ bridges.double()).tolist()


def optimum(larders: list[Larder]) -> dict[str, float]:
    """Return the largest share of facts that anything can get right, as an average over nodes.

    Names and friends can be read off. For side and bridge the best answer is the more probable one.
    """
    sides, bridges = zip(*(posterior(larder) for larder in larders), strict=True)
    return {
        "name": 1.0,
        "side": _certainty(sides),
        "friends": 1.0,
        "bridge": _certainty(bridges),
    }


def _certainty(probabilities: tuple[list[float], ...]) -> float:
    values = torch.tensor(probabilities)
    return torch.maximum(values, 1 - values).mean().item()


def together(larders: list[Larder]) -> tuple[Tensor, Graph]:
    """Return the features of several larders, (nodes, names + 2), and their graphs as one."""
    return torch.cat([larder.features() for larder in larders]), batch_graphs([larder.graph for larder in larders])

"""What a change changes: the ball of those whom a message reaches, and vectors that follow, at once or when they can.

A layer carries a message one link on. So behind L layers a node is another only if a walk of at most L links leads
from the change to it. Theory: notes/12_vectors_of_neighbours.md
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from knowledge.sage import LinkSAGE
from shared.graph.graphs import Graph


def ball(changed: Iterable[int], needed_by: Mapping[int, Iterable[int]], hops: int) -> dict[int, int]:
    """Return who is reached within so many links, and after how many: the changed ones after 0.

    Args:
        changed: where a message begins.
        needed_by: of a node those who need it, to whom its messages go; a node that is not there has none.
        hops: how many links a message travels at most.
    """
    reached = dict.fromkeys(changed, 0)
    edge = list(reached)
    for distance in range(1, hops + 1):
        edge = [other for node in edge for other in needed_by.get(node, ()) if other not in reached]
        reached |= dict.fromkeys(edge, distance)
        edge = list(dict.fromkeys(edge))
    return reached


class LivingVectors:
    """The vectors of a graph that changes. Each state behind each layer is kept, with whether it still holds.

    A small ball is computed at once. A large one waits in a queue, oldest first, and its vectors stay as they were
    until `work` gets to them; `ages` says for how long they have been behind.

    Args:
        model: computes states; its weights stay as they are.
        at_once: balls of at most so many nodes are computed before a change returns.
        clock: tells the time by which ages are counted.
    """

    def __init__(self, model: LinkSAGE, *, at_once: int, clock: Callable[[], float]) -> None:
        self.model, self.at_once, self.clock = model.eval(), at_once, clock
        self.features: dict[int, Tensor] = {}
        self.needs: dict[int, tuple[int, ...]] = {}
        self.needed_by: dict[int, dict[int, None]] = defaultdict(dict)
        self.states: list[dict[int, Tensor]] = [{} for _ in range(len(model.layers) + 1)]
        self.behind: list[dict[int, float]] = [{} for _ in self.states]  # since when, oldest first
        self.computed = 0  # states, of any layer

    def put(self, node: int, features: Float[Tensor, "in"], needs: Sequence[int]) -> int:
        """Add a node or change it, and return how many vectors that makes stale.

        Messages of what is needed flow only from nodes that are there; one that is missing may come later.
        """
        before, same = self.needs.get(node), node in self.features and torch.equal(self.features[node], features)
        for other in before or ():
            self.needed_by[other].pop(node, None)
        self.features[node], self.needs[node] = features, tuple(dict.fromkeys(needs))
        for other in self.needs[node]:
            self.needed_by[other][node] = None
        if same:  # what it says itself is as it was: only from the first layer on it may hear something else
            return 0 if before == self.needs[node] else self._stale([node], first=1)
        return self._stale([node], first=0)

    def remove(self, node: int) -> int:
        """Remove a node, and return how many vectors that makes stale: of those who heard it."""
        for other in self.needs.pop(node):
            self.needed_by[other].pop(node, None)
        del self.features[node]
        for states, behind in zip(self.states, self.behind, strict=True):
            states.pop(node, None)
            behind.pop(node, None)
        return self._stale(list(self.needed_by.get(node, ())), first=1)

    def _stale(self, nodes: list[int], first: int) -> int:
        """Mark what changes if the states of some nodes change behind layer `first`; compute it if it is little."""
        reached = ball(nodes, self.needed_by, len(self.states) - 1 - first)
        now = self.clock()
        for node, distance in reached.items():
            for layer in range(first + distance, len(self.states)):
                self.behind[layer].setdefault(node, now)
        if len(reached) <= self.at_once:
            self.refresh(reached)
        return len(reached)

    def refresh(self, nodes: Iterable[int]) -> None:
        """Bring the vectors of some nodes up to date, and of all others only the states that this takes."""
        wanted: list[list[int]] = [[] for _ in self.states]
        hears = dict.fromkeys(nodes)
        for layer in reversed(range(len(self.states))):
            wanted[layer] = [node for node in hears if node in self.behind[layer]]
            hears |= dict.fromkeys(other for node in wanted[layer] for other in self._heard(node))
        for layer, chosen in enumerate(wanted):
            if chosen:
                self._compute(layer, chosen)

    def _heard(self, node: int) -> list[int]:
        return [other for other in self.needs[node] if other in self.features]

    @torch.no_grad()
    def _compute(self, layer: int, chosen: list[int]) -> None:
        """Compute the states of some nodes behind one layer, from those before it."""
        if layer == 0:
            rows = functional.relu(self.model.first(torch.stack([self.features[node] for node in chosen])))
        else:
            links = [(other, node) for node in chosen for other in self._heard(node)]
            place = {node: number for number, node in enumerate(dict.fromkeys([*chosen, *(link[0] for link in links)]))}
            edges = torch.tensor([[place[a], place[b]] for a, b in links], dtype=torch.long).reshape(-1, 2).T
            states = torch.stack([self.states[layer - 1][node] for node in place])
            rows = self.model.step(layer - 1, states, Graph(edges, len(place)))[: len(chosen)]
        for node, row in zip(chosen, rows, strict=True):
            self.states[layer][node] = row
            del self.behind[layer][node]
        self.computed += len(chosen)

    def work(self, most: int) -> list[int]:
        """Bring at most so many vectors of the queue up to date, those that have waited longest, and return which."""
        chosen = sorted(self.behind[-1], key=self.behind[-1].__getitem__)[:most]
        self.refresh(chosen)
        return chosen

    def ages(self) -> dict[int, float]:
        """Return for each vector that waits in the queue how long it has been behind."""
        return {node: self.clock() - since for node, since in self.behind[-1].items()}

    def vectors(self, nodes: Sequence[int]) -> Float[Tensor, "nodes width"]:
        """Return what nodes offer, by the states that are there, stale or not. A node that has none yet is computed."""
        self.refresh([node for node in nodes if node not in self.states[-1]])
        with torch.no_grad():
            return self.model.offers(torch.stack([self.states[-1][node] for node in nodes]))

"""Zachary's karate club, its two factions and its four communities, and the network that learns from two labels."""

from collections.abc import Iterator

import networkx as nx
import torch
from torch import Tensor
from torch.nn import functional

from graph_study.node_networks import NodeNetwork, PerNode, check_finite
from shared.graph.graphs import Graph
from shared.graph.layers import GCNLayer
from shared.graph.node_data import NodeData

FACTIONS = ("the instructor's", "the president's")
LABELLED = [0, 33]  # the instructor and the president themselves
COMMUNITIES = "1111333101311100310101002200200200"


def karate_graph() -> Graph:
    """Return who met whom outside of the club: 34 members, 78 pairs."""
    return Graph.undirected(list(nx.karate_club_graph().edges()), 34)


def factions(graph: Graph) -> NodeData:
    """Return the club with the faction that each member joined; two labels train, all others are scored.

    There is nothing to choose between, so training and validation nodes are the same two.
    """
    club = nx.karate_club_graph()
    labels = torch.tensor([int(club.nodes[node]["club"] != "Mr. Hi") for node in club])
    known = torch.zeros(graph.num_nodes, dtype=torch.bool)
    known[LABELLED] = True
    return NodeData(graph, torch.eye(graph.num_nodes), labels, 2, known, known, ~known)


def communities() -> Tensor:
    """Return which of four communities each node is in: (num_nodes).

    They have the greatest modularity; Kipf & Welling (2017, appendix A) coloured them. Libraries hand them out as the
    classes of the club. They are not the factions.
    """
    return torch.tensor([int(group) for group in COMMUNITIES])


def karate_network(in_features: int, hidden: int) -> NodeNetwork:
    """Return two graph convolutions and a linear head; without dropout, which 34 nodes do not need."""
    layers = [GCNLayer(in_features, hidden), GCNLayer(hidden, hidden), PerNode(hidden, 2)]
    return NodeNetwork(layers, torch.tanh, 0.0)


def train_on_two_labels(model: NodeNetwork, data: NodeData, steps: int, learning_rate: float) -> Iterator[int]:
    """Train on the labelled nodes, and yield the number of steps done after each."""
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate, weight_decay=5e-4)
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        logits = model(data.features, data.graph)
        loss = functional.cross_entropy(logits[data.train_mask], data.labels[data.train_mask])
        loss.backward()
        check_finite(model, loss, step)
        optimizer.step()
        yield step

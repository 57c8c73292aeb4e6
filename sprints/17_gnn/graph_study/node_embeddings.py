"""Embeddings of nodes: of an untrained network, of one trained on edges alone, and of one trained on labels."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from graph_study.karate import karate_network, train_on_two_labels
from graph_study.node_networks import NodeNetwork, gcn, train_network
from shared.graph.node_data import NodeData


def edge_logits(embeddings: Tensor, pairs: Tensor) -> Tensor:
    """Return the logit that each pair, (2, num_pairs), is an edge: the product of the two embeddings."""
    return (embeddings[pairs[0]] * embeddings[pairs[1]]).sum(dim=1)


def train_on_edges(model: NodeNetwork, data: NodeData, steps: int, generator: torch.Generator) -> None:
    """Train a graph autoencoder (Kipf & Welling 2016): embeddings of neighbours agree, of random pairs do not.

    No label is used.
    """
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    edge_index, num_edges = data.graph.edge_index, data.graph.num_edges
    for _ in range(steps):
        optimizer.zero_grad()
        random_pairs = torch.randint(data.graph.num_nodes, edge_index.shape, generator=generator).to(edge_index.device)
        logits = edge_logits(model(data.features, data.graph), torch.cat([edge_index, random_pairs], dim=1))
        targets = torch.cat([torch.ones(num_edges), torch.zeros(num_edges)]).to(logits.device)
        functional.binary_cross_entropy_with_logits(logits, targets).backward()
        optimizer.step()


def embeddings_of(data: NodeData, name: str, generator: torch.Generator) -> dict[str, np.ndarray]:
    """Return three kinds of embeddings of the nodes of a data set ("karate" or another): (num_nodes, 16) each."""
    in_features, device = data.features.shape[1], data.features.device
    make = karate_network if name == "karate" else gcn
    model = make(in_features, 16 if name == "karate" else data.num_classes).to(device)
    untrained = model.eval().embed(data.features, data.graph)

    autoencoder = gcn(in_features, 16, hidden=32, dropout=0.0).to(device)
    train_on_edges(autoencoder, data, 200, generator)
    from_edges = autoencoder(data.features, data.graph)

    if name == "karate":
        list(train_on_two_labels(model, data, 200, 0.01))
    else:
        list(train_network(model, data, steps=500, learning_rate=0.01, weight_decay=5e-4))
    from_labels = model.eval().embed(data.features, data.graph)
    kinds = {"untrained": untrained, "edges": from_edges, "labels": from_labels}
    return {kind: rows.detach().cpu().numpy() for kind, rows in kinds.items()}

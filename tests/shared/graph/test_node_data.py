"""Labelled nodes of one graph."""

import torch

from shared.graph.graphs import Graph
from shared.graph.node_data import NodeData


def test_labels_that_train_are_those_of_the_training_nodes_and_a_device_changes_nothing():
    train = torch.tensor([True, False, True])
    data = NodeData(Graph.undirected([(0, 1)], 3), torch.eye(3), torch.tensor([1, 0, 2]), 3, train, ~train, ~train)
    for same in (data, data.to(torch.device("cpu"))):
        rows, nodes = same.training_labels()
        assert nodes.tolist() == [0, 2]
        assert rows.tolist() == [[0, 1, 0], [0, 0, 1]]
        assert torch.equal(same.graph.edge_index, data.graph.edge_index)
        assert torch.equal(same.test_mask, ~train)

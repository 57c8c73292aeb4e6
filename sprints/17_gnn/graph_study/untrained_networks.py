"""What a network with drawn weights makes of graphs: what the weights do not change."""

import torch
from torch import Tensor

from graph_study.graph_networks import GraphNetwork, sum_readout
from shared.graph.graphs import Graph
from shared.graph.layers import GINLayer
from shared.graph.message_passing import scatter_sum


@torch.no_grad()
def embed_untrained(graphs: Graph, num_layers: int = 6, width: int = 32) -> Tensor:
    """Return what a GIN with drawn weights makes of a batch of graphs, in double precision, the largest number 1.

    Its shape is (num_graphs, width). All nodes start alike.
    """
    model = GraphNetwork(GINLayer, 1, 2, width=width, num_layers=num_layers, readouts=[sum_readout]).double().eval()
    nodes = model.embed(torch.ones(graphs.num_nodes, 1, dtype=torch.double), graphs)
    sums = scatter_sum(nodes, graphs.batch, graphs.num_graphs)
    return sums / sums.abs().max()

"""The layers on graphs: equal to PyTorch Geometric, blind to the order of nodes, deaf to what is far."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch_geometric.nn import GATConv, GCNConv, GINConv, GINEConv, SAGEConv

from shared.graph.graphs import Graph, batch_graphs
from shared.graph.layers import GATLayer, GCNLayer, GINELayer, GINLayer, SAGELayer
from tests.shared.graph.examples import random_graph

KINDS = {
    "gcn": lambda: GCNLayer(4, 6),
    "sage": lambda: SAGELayer(4, 6),
    "gin": lambda: GINLayer(4, 6, 8),
    "gat": lambda: GATLayer(4, 3, heads=2),
    "gat, averaged": lambda: GATLayer(4, 6, heads=3, concatenate=False),
}


def copy_gcn(ours: GCNLayer) -> GCNConv:
    theirs = GCNConv(*ours.weight.shape, bias=ours.bias is not None)
    theirs.lin.weight.data = ours.weight.data.T.clone()
    if ours.bias is not None:
        nn.init.uniform_(ours.bias)
        theirs.bias.data = ours.bias.data.clone()
    return theirs


def copy_sage(ours: SAGELayer) -> SAGEConv:
    theirs = SAGEConv(ours.own.in_features, ours.own.out_features)
    theirs.lin_l.load_state_dict(ours.neighbours.state_dict())
    theirs.lin_r.load_state_dict(ours.own.state_dict())
    return theirs


def copy_gin(ours: GINLayer) -> GINConv:
    ours.epsilon.data.fill_(0.3)
    theirs = GINConv(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6)), eps=0.3)
    # Afterwards: the constructor initialises the network anew.
    theirs.nn.load_state_dict(ours.mlp.state_dict())  # ty: ignore[missing-attribute]
    return theirs


def copy_gat(ours: GATLayer) -> GATConv:
    theirs = GATConv(4, ours.from_source.shape[1], heads=ours.heads, concat=ours.concatenate)
    nn.init.uniform_(ours.bias)
    theirs.lin.weight.data = ours.weight.data.T.clone()
    theirs.att_src.data, theirs.att_dst.data = ours.from_source.data[None].clone(), ours.from_target.data[None].clone()
    theirs.bias.data = ours.bias.data.clone()
    return theirs


COPIES = {"gcn": copy_gcn, "sage": copy_sage, "gin": copy_gin, "gat": copy_gat, "gat, averaged": copy_gat}


def features_of(graph: Graph, columns: int = 4) -> Tensor:
    return torch.randn(graph.num_nodes, columns, generator=torch.Generator().manual_seed(5))


def gradients(output: Tensor, *inputs: Tensor) -> tuple[Tensor, ...]:
    return torch.autograd.grad(output.square().sum(), inputs)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("weighted", [False, True])
def test_layers_equal_those_of_pytorch_geometric(kind: str, seed: int, weighted: bool):
    """On directed graphs with a loop and with nodes that no edge touches."""
    torch.manual_seed(seed)
    graph = random_graph(seed, weighted=weighted)
    features = features_of(graph).requires_grad_()
    ours = KINDS[kind]()
    theirs = COPIES[kind](ours)
    heard = (graph.edge_weight,) if kind == "gcn" and weighted else ()
    output, expected = ours(features, graph), theirs(features, graph.edge_index, *heard)
    torch.testing.assert_close(output, expected, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(gradients(output, features), gradients(expected, features), atol=1e-4, rtol=1e-4)


def test_parameters_get_the_gradients_of_pytorch_geometric():
    torch.manual_seed(0)
    graph, ours = random_graph(0), GATLayer(4, 3, heads=2)
    theirs = copy_gat(ours)
    features = features_of(graph)
    mine = gradients(ours(features, graph), ours.weight, ours.from_source, ours.from_target, ours.bias)
    other = gradients(
        theirs(features, graph.edge_index), theirs.lin.weight, theirs.att_src, theirs.att_dst, theirs.bias
    )
    for ours_, theirs_ in zip(mine, (other[0].T, other[1][0], other[2][0], other[3]), strict=True):
        torch.testing.assert_close(ours_, theirs_, atol=1e-4, rtol=1e-4)


def test_gine_equals_that_of_pytorch_geometric():
    torch.manual_seed(0)
    graph, ours = random_graph(0), GINELayer(4, 6, edge_features=2, hidden=8)
    ours.epsilon.data.fill_(0.3)
    theirs = GINEConv(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 6)), eps=0.3, edge_dim=2)
    theirs.nn.load_state_dict(ours.mlp.state_dict())
    theirs.lin.load_state_dict(ours.edge.state_dict())
    kinds = torch.randn(graph.edge_index.shape[1], 2)
    torch.testing.assert_close(
        ours(features_of(graph), graph, kinds),
        theirs(features_of(graph), graph.edge_index, kinds),
        atol=1e-5,
        rtol=1e-5,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_renumbered_nodes_get_the_same_output(kind: str):
    torch.manual_seed(0)
    graph, layer = random_graph(0), KINDS[kind]()
    order = torch.randperm(graph.num_nodes)
    features = features_of(graph)
    moved = torch.empty_like(features)
    moved[order] = features
    renumbered = Graph(order[graph.edge_index].flip(1), graph.num_nodes)  # the order of edges means nothing either
    torch.testing.assert_close(layer(moved, renumbered)[order], layer(features, graph), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_hears_its_sources_and_nobody_else(kind: str):
    """On a directed path 0 -> 1 -> 2 -> 3."""
    torch.manual_seed(0)
    path, layer = Graph(torch.tensor([[0, 1, 2], [1, 2, 3]]), 4), KINDS[kind]()
    features = features_of(path)
    changed = features.clone()
    changed[1] += 1
    moved = (layer(changed, path) - layer(features, path)).abs().amax(dim=1) > 1e-6
    assert moved.tolist() == [False, True, True, False]


@pytest.mark.parametrize("kind", KINDS)
def test_graphs_of_a_batch_do_not_hear_each_other(kind: str):
    torch.manual_seed(0)
    layer, graphs = KINDS[kind](), [random_graph(seed, 6 + seed, 10) for seed in range(3)]
    features = [features_of(graph) for graph in graphs]
    together = layer(torch.cat(features), batch_graphs(graphs))
    alone = torch.cat([layer(rows, graph) for rows, graph in zip(features, graphs, strict=True)])
    torch.testing.assert_close(together, alone, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", ["gcn", "gat"])
def test_sparse_features_give_the_same_output_and_gradients(kind: str):
    torch.manual_seed(0)
    graph, layer = random_graph(0), KINDS[kind]()
    features = features_of(graph) * (features_of(graph) > 0)
    plain, sparse = layer(features, graph), layer(features.to_sparse(), graph)
    torch.testing.assert_close(sparse, plain)
    torch.testing.assert_close(gradients(sparse, layer.weight), gradients(plain, layer.weight))


@pytest.mark.parametrize("kind", KINDS)
def test_every_parameter_matters(kind: str):
    torch.manual_seed(0)
    graph, layer = random_graph(0), KINDS[kind]()
    layer(features_of(graph), graph).square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in layer.parameters())


def test_attention_weights_sum_to_one_and_are_dropped_in_training_only():
    torch.manual_seed(0)
    graph, layer = random_graph(0), GATLayer(4, 3, heads=2, dropout=0.5)
    features = features_of(graph)
    output, weights = layer.eval().forward_with_attention(features, graph)
    sums = torch.zeros(graph.num_nodes, 2).index_add(0, graph.with_self_loops.edge_index[1], weights)
    torch.testing.assert_close(sums, torch.ones(graph.num_nodes, 2))
    assert torch.equal(output, layer(features, graph))
    assert not torch.allclose(layer.train()(features, graph), output)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_stacked_layers_of_any_precision(kind: str, dtype: torch.dtype):
    """Weights of edges are float32, whatever the layers are."""
    torch.manual_seed(0)
    graph, first = random_graph(0, weighted=kind == "gcn"), KINDS[kind]()
    second = nn.Linear(6, 4)
    features = features_of(graph)
    expected = first(second(first(features, graph)), graph)
    output = first.to(dtype)(second.to(dtype)(first(features.to(dtype), graph)), graph)
    assert output.dtype == dtype
    torch.testing.assert_close(output.float(), expected, atol=0.1, rtol=0.1)


def two_against_one(layer: Callable[[Tensor, Graph], Tensor]) -> bool:
    """Return whether a node hears a difference between one neighbour and two equal ones."""
    features = torch.ones(3, 4)
    one, two = Graph(torch.tensor([[1], [0]]), 3), Graph(torch.tensor([[1, 2], [0, 0]]), 3)
    return not torch.allclose(layer(features, one)[0], layer(features, two)[0])


def test_sums_count_neighbours_and_means_do_not():
    torch.manual_seed(0)
    assert two_against_one(KINDS["gin"]())
    assert not two_against_one(KINDS["sage"]())
    assert not two_against_one(KINDS["gat"]())

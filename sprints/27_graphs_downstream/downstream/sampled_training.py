"""Training of the same network in several ways: all nodes in each step, or some with a few neighbours of each.

Theory: notes/13_a_few_neighbours_of_many.md
"""

import copy
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from downstream.node_training import Nodes
from downstream.peak_memory import peak_resident
from downstream.sampled_sage import SampledSAGE, WholeGraph
from shared.graph.graphs import Graph
from shared.graph.neighbour_sampling import NeighbourSampler
from shared.training.kept_memory import kept_for_backward

ALL = 2**31 - 1  # a fanout above every degree
CHUNK = 4096  # nodes at a time when a layer goes through all


class Way(NamedTuple):
    """How a step reads the graph: so many labelled nodes with so many neighbours by layer; no fanouts: full batch."""

    fanouts: tuple[int, ...] = ()
    batch_size: int = 0


class Sizes(NamedTuple):
    """Of the network: features between its layers, and the probability that one is dropped."""

    hidden: int
    dropout: float


class Trained(NamedTuple):
    """What a training found: accuracies where validation was best, and validation accuracy at each look."""

    val: float
    test: float
    course: list[float]


def new_model(nodes: Nodes, sizes: Sizes) -> SampledSAGE:
    """Return an untrained network for some nodes."""
    return SampledSAGE(nodes.features.shape[1], sizes.hidden, int(nodes.labels.max()) + 1, sizes.dropout)


def updates_of_an_epoch(nodes: Nodes, way: Way) -> int:
    """Return in how many steps each training node is asked once."""
    return -(-int(nodes.train.sum()) // way.batch_size) if way.fanouts else 1


def losses(
    model: SampledSAGE, nodes: Nodes, sampler: NeighbourSampler, way: Way, generator: torch.Generator
) -> Iterator[Tensor]:
    """Yield the loss of one step after another, without end; the nodes of an epoch come in a new order each time."""
    train = nodes.train.nonzero()[:, 0]
    whole = None if way.fanouts else WholeGraph(nodes.graph, nodes.features)
    while True:
        if whole is not None:
            yield functional.cross_entropy(model.read_whole(nodes.features, whole)[train], nodes.labels[train])
            continue
        for asked in train[torch.randperm(len(train), generator=generator)].split(way.batch_size):
            part = sampler.draw(asked, way.fanouts, generator)
            yield functional.cross_entropy(model.read_part(nodes.features[part.nodes], part), nodes.labels[asked])


def share_right(model: SampledSAGE, nodes: Nodes, sampler: NeighbourSampler, *masks: Tensor) -> list[float]:
    """Return the share of each mask's nodes whose class has the largest logit; all neighbours are read."""
    right = model.read_by_layers(nodes.features, sampler, CHUNK).argmax(dim=1) == nodes.labels
    model.train()
    return [right[mask].double().mean().item() for mask in masks]


def train(nodes: Nodes, way: Way, sizes: Sizes, *, updates: int, rate: float, looks: int, seed: int) -> Trained:
    """Train with Adam and keep what was best on the validation nodes.

    Args:
        nodes: the data.
        way: how a step reads the graph.
        sizes: of the network.
        updates: steps of the optimizer.
        rate: learning rate.
        looks: how often the validation nodes are looked at, in equal distances.
        seed: of weights, dropout and draws.
    """
    torch.manual_seed(seed)
    model, generator = new_model(nodes, sizes).to(nodes.features.device), torch.Generator().manual_seed(seed)
    sampler = NeighbourSampler(nodes.graph)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.0005)
    best, kept, course = -1.0, copy.deepcopy(model.state_dict()), []
    at = {round(updates * look / looks) for look in range(1, looks + 1)}
    drawn = losses(model, nodes, sampler, way, generator)
    for step in range(1, updates + 1):
        optimizer.zero_grad()
        next(drawn).backward()
        optimizer.step()
        if step in at:
            course += share_right(model, nodes, sampler, nodes.val)
            if course[-1] > best:
                best, kept = course[-1], copy.deepcopy(model.state_dict())
    model.load_state_dict(kept)
    (tested,) = share_right(model, nodes, sampler, nodes.test)
    return Trained(best, tested, course)


@dataclass(frozen=True)
class Needs:
    """What some updates need on top of the data."""

    peak_megabytes: float | None  # by which the process grew at most; None where nothing measures it
    kept_megabytes: float  # from a forward pass to its backward pass
    milliseconds: float  # of an update with its draw: the median


def needs(path: Path, way: Way, sizes: Sizes, updates: int) -> Needs:
    """Return what training needs; to be called in a process of its own, with a file of what `Nodes` holds.

    Data, network and the sorted edges are there before. A first step on a tiny graph lets the libraries take what they
    take once.
    """
    torch.set_num_threads(1)
    features, edges, labels, *masks = torch.load(path, weights_only=True)
    tiny = Nodes(
        torch.ones(4, 2), Graph.undirected([(0, 1), (1, 2)], 4), torch.arange(4) % 2, *[torch.ones(4).bool()] * 3
    )
    for other in (Way(), Way((1, 1), 2)):
        train(tiny, other, sizes, updates=1, rate=0.1, looks=1, seed=0)
    nodes = Nodes(features, Graph(edges, len(labels)), labels, *masks)
    torch.manual_seed(0)
    model, sampler, generator = new_model(nodes, sizes), NeighbourSampler(nodes.graph), torch.Generator().manual_seed(0)
    drawn = losses(model, nodes, sampler, way, generator)
    kept = kept_for_backward(lambda: next(drawn), [*model.parameters(), nodes.features, nodes.labels])
    optimizer, seconds = torch.optim.AdamW(model.parameters()), []

    def work() -> None:
        for _ in range(updates):
            began = time.perf_counter()
            optimizer.zero_grad()
            next(drawn).backward()
            optimizer.step()
            seconds.append(time.perf_counter() - began)

    peak = peak_resident(work)
    return Needs(None if peak is None else peak / 1e6, kept / 1e6, 1e3 * statistics.median(seconds))


def write_nodes(nodes: Nodes, path: Path) -> None:
    """Write nodes to a file for `needs`."""
    features, graph, *others = nodes
    torch.save([tensor.cpu() for tensor in (features, graph.edge_index, *others)], path)

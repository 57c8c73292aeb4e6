"""Training of the encoder alone: it learns to know the facts of a node before a GPT learns to say them.

No text is involved: linear heads ask the embedding of a node for its name, its side, its friends and whether it is a
bridge. Names and badges are dealt out anew in each step, as they were when the graphs were drawn.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from graph_study.ingredient_graphs import BADGE, NAMES, SIZE, IngredientGraph, batch_ingredients
from shared.graph.graphs import Graph
from shared.graph.message_passing import scatter_max, scatter_sum
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers
from shared.training.schedules import warmup_linear

NAME, SIDE, FRIENDS, BRIDGE = len(NAMES), 1, len(NAMES), 1  # logits of each fact, in this order


class FactTargets(NamedTuple):
    """The facts of nodes as numbers."""

    names: Tensor  # (num_nodes), in NAMES
    sides: Tensor  # (num_nodes), 0 or 1
    friends: Tensor  # (num_nodes, names), 0 or 1
    bridges: Tensor  # (num_nodes), 0 or 1


class FactBatch(NamedTuple):
    """What a step reads: graphs side by side, which of their nodes are asked, and the answers."""

    features: Tensor
    graph: Graph
    nodes: Tensor
    targets: FactTargets


def fact_targets(drawn: Sequence[IngredientGraph], graph: Graph) -> FactTargets:
    """Return the facts of all nodes of several graphs, which lie side by side in `graph`."""
    source, target = graph.edge_index
    names = torch.tensor([name for ingredients in drawn for name in ingredients.names])
    sides = torch.tensor([side for ingredients in drawn for side in ingredients.sides]).float()
    friends = scatter_sum(functional.one_hot(names, len(NAMES)).float()[source], target, graph.num_nodes)
    differs = (sides[source] != sides[target]).float()
    return FactTargets(names, sides, friends, scatter_max(differs, target, graph.num_nodes))


def deal_again(ingredients: IngredientGraph, generator: torch.Generator) -> IngredientGraph:
    """Return the graph with other names and other badges; edges and sides stay."""
    names = torch.randperm(len(NAMES), generator=generator)[:SIZE].tolist()
    badges = (torch.rand(SIZE, generator=generator) < BADGE).tolist()
    return ingredients._replace(names=names, badges=badges)


class FactHeads(nn.Module):
    """An encoder, and a linear map from embeddings to the logits of all facts."""

    def __init__(self, encoder: nn.Module, width: int) -> None:
        super().__init__()
        self.encoder, self.heads = encoder, nn.Linear(width, NAME + SIDE + FRIENDS + BRIDGE)

    def forward(self, features: Tensor, graph: Graph) -> Tensor:
        """Return logits: (num_nodes, facts)."""
        return self.heads(self.encoder(features, graph))


def fact_loss(logits: Tensor, targets: FactTargets) -> Tensor:
    """Return the sum of the mean losses of the four facts."""
    name, side, friends, bridge = logits.split([NAME, SIDE, FRIENDS, BRIDGE], dim=1)
    binary = functional.binary_cross_entropy_with_logits
    losses = functional.cross_entropy(name, targets.names), binary(side[:, 0], targets.sides)
    # Of 28 possible friends few are there: the sum over them counts as one fact.
    return sum(losses) + len(NAMES) * binary(friends, targets.friends) + binary(bridge[:, 0], targets.bridges)


@torch.no_grad()
def fact_accuracy(model: FactHeads, drawn: Sequence[IngredientGraph], device: torch.device) -> dict[str, float]:
    """Return the share of facts that the heads get right, by fact; friends are right if all of them are."""
    features, graph = batch_ingredients(list(drawn))
    targets = fact_targets(drawn, graph)
    logits = model.eval()(features.to(device), graph.to(device)).cpu()
    name, side, friends, bridge = logits.split([NAME, SIDE, FRIENDS, BRIDGE], dim=1)
    right = {
        "name": name.argmax(dim=1) == targets.names,
        "side": (side[:, 0] > 0) == (targets.sides > 0.5),
        "friends": ((friends > 0) == (targets.friends > 0.5)).all(dim=1),
        "bridge": (bridge[:, 0] > 0) == (targets.bridges > 0.5),
    }
    return {fact: answers.double().mean().item() for fact, answers in right.items()}


def fact_batches(
    training: Sequence[IngredientGraph], described: range, size: int, generator: torch.Generator, device: torch.device
) -> Iterator[FactBatch]:
    """Yield random graphs without end, with names and badges dealt out anew.

    Args:
        training: the graphs.
        described: the nodes of each graph whose facts may be learnt.
        size: graphs of a batch.
        generator: draws graphs, names and badges.
        device: where the batch goes.
    """
    nodes = torch.tensor([SIZE * number + node for number in range(size) for node in described])
    while True:
        chosen = torch.randint(len(training), (size,), generator=generator).tolist()
        drawn = [deal_again(training[index], generator) for index in chosen]
        features, graph = batch_ingredients(drawn)
        targets = FactTargets(*(target[nodes].to(device) for target in fact_targets(drawn, graph)))
        yield FactBatch(features.to(device), graph.to(device), nodes.to(device), targets)


def train_encoder(
    model: FactHeads,
    batches: Iterator[FactBatch],
    *,
    steps: int,
    learning_rate: float,
    muon_learning_rate: float,
) -> Iterator[tuple[int, float]]:
    """Train an encoder and its heads, and yield the steps done and the loss after each."""

    def loss_of(model: nn.Module, batch: FactBatch) -> tuple[Tensor, int]:
        logits = model(batch.features, batch.graph)[batch.nodes]
        return fact_loss(logits, batch.targets) * len(batch.nodes), len(batch.nodes)

    optimizers = make_optimizers(model, learning_rate=learning_rate, muon_learning_rate=muon_learning_rate)
    schedule = partial(warmup_linear, steps=steps, warmup=20)
    yield from train_steps(model, batches, loss_function=loss_of, optimizers=optimizers, steps=steps, schedule=schedule)

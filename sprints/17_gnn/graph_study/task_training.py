"""How the networks of all three tasks are built and trained on a graph of one's own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from graph_study.graph_networks import GraphNetwork, Layer, mean_readout, sum_readout
from graph_study.graph_tables import GraphTable
from graph_study.objectives import Scores
from graph_study.standardising import mean_and_deviation, standardise
from shared.graph.graphs import Graph, without_edges
from shared.graph.layers import GATLayer, GCNLayer, GINLayer, SAGELayer
from shared.training.keep_best import KeepBest
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers

LAYERS: dict[str, Layer] = {"gcn": GCNLayer, "sage": SAGELayer, "gin": GINLayer, "gat": GATLayer}


@dataclass(frozen=True)
class TrainingPlan:
    """How a network is built and trained."""

    layer: str
    layers: int
    width: int
    dropout: float
    steps: int
    batch_size: int
    learning_rate: float
    device: torch.device


@dataclass(frozen=True)
class TaskResult:
    """The scores of each method on the test split, and the rows of the table of predictions."""

    scores: dict[str, Scores]
    predictions: list[list[object]]


def make_network(plan: TrainingPlan, in_features: int, outputs: int, *, of_graphs: bool = False) -> GraphNetwork:
    """Return a network that answers for nodes, or for graphs: by a mean for shares and a sum for counts."""
    return GraphNetwork(
        LAYERS[plan.layer],
        in_features,
        outputs,
        width=plan.width,
        num_layers=plan.layers,
        readouts=[mean_readout, sum_readout] if of_graphs else [],
        dropout=plan.dropout,
    ).to(plan.device)


def with_and_without_edges(graph: Graph, plan: TrainingPlan) -> dict[str, Graph]:
    """Return the graph by the name of the network on it, and the same without edges as its baseline."""
    return {plan.layer: graph, "same, without edges": without_edges(graph)}


def scaled_features(table: GraphTable, seen: Tensor) -> Tensor:
    """Return all features; numeric columns have mean 0 and deviation 1 over the nodes that training may look at.

    A column that is the same for all of these is 0 everywhere: what another value of it means cannot be learnt.
    """
    scaled = standardise(table.numeric, *mean_and_deviation(table.numeric[seen]))
    return torch.cat([scaled, table.one_hot], dim=1)


def fit(
    model: nn.Module,
    batches: Iterator[Any],
    loss_of: Callable,
    validation_loss: Callable[[], float],
    plan: TrainingPlan,
) -> None:
    """Train, and leave the model in evaluation mode as it was when the validation loss was lowest."""
    optimizers = make_optimizers(model, learning_rate=plan.learning_rate, weight_decay=0.01)
    best, every = KeepBest(model), max(1, plan.steps // 40)
    for step, _ in train_steps(model, batches, loss_function=loss_of, optimizers=optimizers, steps=plan.steps):
        if step % every == 0 or step == plan.steps:
            model.eval()
            with torch.no_grad():
                best.update(validation_loss(), step)
    best.restore()
    model.eval()


def split_names(splits: dict[str, Tensor]) -> dict[int, str]:
    """Return the name of the split of each row that is in one."""
    return {int(row): name for name, rows in splits.items() for row in rows}

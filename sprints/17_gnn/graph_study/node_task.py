"""Labels of nodes: train on some, score others. Features and edges of all are known."""

import torch
from torch import Tensor, nn

from graph_study.graph_tables import GraphTable
from graph_study.objectives import Objective
from graph_study.task_training import (
    TaskResult,
    TrainingPlan,
    fit,
    make_network,
    scaled_features,
    split_names,
    with_and_without_edges,
)
from shared.graph.graphs import Graph
from shared.graph.label_propagation import label_propagation


def node_task(table: GraphTable, objective: Objective, splits: dict[str, Tensor], plan: TrainingPlan) -> TaskResult:
    """Train on the labels of some nodes and score others, beside a network without edges and label propagation."""
    train, validation, test = splits["train"], splits["validation"], splits["test"]
    features = scaled_features(table, train).to(plan.device)
    decisions = {}
    for name, graph in with_and_without_edges(table.graph, plan).items():
        on_device = graph.to(plan.device)
        model = make_network(plan, features.shape[1], objective.outputs)

        def loss_of(model: nn.Module, graph: Graph) -> tuple[Tensor, int]:
            return objective.loss(model(features, graph)[train], train) * len(train), len(train)

        def validation_loss(model: nn.Module = model, graph: Graph = on_device) -> float:
            return objective.loss(model(features, graph)[validation], validation).item()

        fit(model, iter(lambda graph=on_device: graph, None), loss_of, validation_loss, plan)
        with torch.no_grad():
            decisions[name] = objective.decide(model(features, on_device))
    propagated = label_propagation(table.graph, objective.encode(train), train)
    decisions["label propagation"] = objective.decide(propagated)

    scores = {name: objective.score(decided[test], test) for name, decided in decisions.items()}
    scores |= objective.score_constant(test)
    split_of, batch = split_names(splits), table.graph.batch.tolist()
    rows = [
        [table.node_names[node], table.graph_names[batch[node]], split_of.get(node, ""), objective.as_text(decision)]
        for node, decision in enumerate(decisions[plan.layer])
    ]
    return TaskResult(scores, [["node", "graph", "split", "prediction"], *rows])

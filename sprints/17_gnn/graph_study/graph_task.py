"""Labels of whole graphs: train in batches of graphs, score others."""

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from graph_study.graph_tables import GraphTable
from graph_study.objectives import Objective
from graph_study.task_training import TaskResult, TrainingPlan, fit, make_network, scaled_features, split_names
from shared.graph.graphs import Graph, batch_graphs, without_edges

LARGEST_DEGREE = 10
GraphAndFeatures = tuple[Graph, Tensor]


def cut_graphs(table: GraphTable, features: Tensor) -> list[GraphAndFeatures]:
    """Return each graph by itself, with the features of its nodes."""
    graph = table.graph
    nodes_of: list[list[int]] = [[] for _ in range(graph.num_graphs)]
    for node, number in enumerate(graph.batch.tolist()):
        nodes_of[number].append(node)
    edges_of: list[list[int]] = [[] for _ in range(graph.num_graphs)]
    for edge, number in enumerate(graph.batch[graph.edge_index[0]].tolist()):
        edges_of[number].append(edge)
    renumbered = torch.zeros(graph.num_nodes, dtype=torch.long)
    single = []
    for nodes, edges in zip(nodes_of, edges_of, strict=True):
        renumbered[nodes] = torch.arange(len(nodes))
        weights = None if graph.edge_weight is None else graph.edge_weight[edges]
        single.append((Graph(renumbered[graph.edge_index[:, edges]], len(nodes), weights), features[nodes]))
    return single


def side_by_side(single: list[GraphAndFeatures], rows: Tensor, device: torch.device) -> GraphAndFeatures:
    """Return some graphs as one, and the features of their nodes."""
    graphs, features = zip(*[single[row] for row in rows.tolist()], strict=True)
    return batch_graphs(graphs).to(device), torch.cat(features).to(device)


def summaries(single: list[GraphAndFeatures]) -> np.ndarray:
    """Return what a linear model reads: the share of nodes by degree, how many there are, the mean of the features."""
    rows = []
    for graph, features in single:
        degrees = torch.bincount(graph.edge_index[1], minlength=graph.num_nodes).clamp(max=LARGEST_DEGREE)
        shares = torch.bincount(degrees, minlength=LARGEST_DEGREE + 1) / graph.num_nodes
        rows.append(torch.cat([shares, torch.tensor([float(graph.num_nodes)]), features.mean(dim=0)]))
    return torch.stack(rows).numpy()


def graph_task(
    table: GraphTable, objective: Objective, splits: dict[str, Tensor], plan: TrainingPlan, generator: torch.Generator
) -> TaskResult:
    """Train on the labels of whole graphs, in batches, and score other graphs, beside a linear model."""
    train, test = splits["train"], splits["test"]
    seen = torch.isin(table.graph.batch, train)
    whole = cut_graphs(table, scaled_features(table, seen))
    bare = [(without_edges(graph), features) for graph, features in whole]
    decisions: dict[str, Tensor] = {}
    for name, single in {plan.layer: whole, "same, without edges": bare}.items():
        model = make_network(plan, single[0][1].shape[1], objective.outputs, of_graphs=True)
        validation = side_by_side(single, splits["validation"], plan.device)

        def draw(single: list[GraphAndFeatures] = single) -> tuple[Graph, Tensor, Tensor]:
            rows = train[torch.randperm(len(train), generator=generator)[: plan.batch_size]]
            return *side_by_side(single, rows, plan.device), rows

        def loss_of(model: nn.Module, drawn: tuple[Graph, Tensor, Tensor]) -> tuple[Tensor, int]:
            graph, features, rows = drawn
            return objective.loss(model(features, graph), rows) * len(rows), len(rows)

        def validation_loss(model: nn.Module = model, held: GraphAndFeatures = validation) -> float:
            graph, features = held
            return objective.loss(model(features, graph), splits["validation"]).item()

        fit(model, iter(draw, None), loss_of, validation_loss, plan)
        with torch.no_grad():
            chunks = torch.arange(len(single)).split(plan.batch_size)
            parts = [side_by_side(single, rows, plan.device) for rows in chunks]
            decisions[name] = objective.decide(torch.cat([model(features, graph) for graph, features in parts]))
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000) if objective.classes else Ridge())
    inputs = summaries(whole)
    wanted = objective.values[train] if objective.classes else objective.encode(train)[:, 0]
    predicted = torch.as_tensor(linear.fit(inputs[train], wanted.numpy()).predict(inputs))
    decisions["linear, degrees and features"] = predicted if objective.classes else objective.decide(predicted[:, None])

    scores = {name: objective.score(decided[test], test) for name, decided in decisions.items()}
    scores |= objective.score_constant(test)
    split_of = split_names(splits)
    rows = [
        [table.graph_names[row], split_of.get(row, ""), objective.as_text(decision)]
        for row, decision in enumerate(decisions[plan.layer])
    ]
    return TaskResult(scores, [["graph", "split", "prediction"], *rows])

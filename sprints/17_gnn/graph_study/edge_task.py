"""Missing edges: hide some, train to tell the others from pairs without one, score the hidden ones.

Messages pass along training edges alone: along a hidden edge they would tell the answer.
"""

import numpy as np
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor, nn
from torch.nn import functional

from graph_study.graph_tables import GraphTable
from graph_study.task_training import (
    TaskResult,
    TrainingPlan,
    fit,
    make_network,
    scaled_features,
    with_and_without_edges,
)
from shared.graph.graphs import Graph


def split_edges(pairs: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    """Return the rows of edges by split, 70 : 10 : 20.

    Raises:
        ValueError: fewer than ten edges.
    """
    if len(pairs) < 10:
        raise ValueError(f"edges.csv: link prediction holds edges out and needs ten or more, got {len(pairs)}")
    order = torch.randperm(len(pairs), generator=generator)
    first, second = round(0.7 * len(pairs)), round(0.8 * len(pairs))
    return {"train": order[:first], "validation": order[first:second], "test": order[second:]}


def draw_unjoined(
    taken: set[tuple[int, int]], num_nodes: int, count: int, generator: torch.Generator, directed: bool
) -> Tensor:
    """Return pairs of different nodes that are not among those taken: (count, 2), a pair once.

    Raises:
        ValueError: there are too few.
    """
    all_pairs = num_nodes * (num_nodes - 1) // (1 if directed else 2)
    if all_pairs - len(taken) < count:
        raise ValueError(f"edges.csv: {count} pairs without an edge are needed, {all_pairs - len(taken)} are there")
    unjoined: dict[tuple[int, int], None] = {}
    while len(unjoined) < count:
        for source, target in torch.randint(num_nodes, (2 * count, 2), generator=generator).tolist():
            pair = (source, target) if directed or source < target else (target, source)
            if source != target and pair not in taken and len(unjoined) < count:
                unjoined[pair] = None
    return torch.tensor(list(unjoined))


class LinkScorer(nn.Module):
    """How probable an edge is: the product of what its source gives and of what its target takes."""

    def __init__(self, in_features: int, plan: TrainingPlan, directed: bool) -> None:
        super().__init__()
        self.network, self.directed = make_network(plan, in_features, plan.width * (1 + directed)), directed

    def forward(self, features: Tensor, graph: Graph, pairs: Tensor) -> Tensor:
        answers = self.network(features, graph)
        given, taken = answers.chunk(2, dim=1) if self.directed else (answers, answers)
        return (given[pairs[:, 0]] * taken[pairs[:, 1]]).sum(dim=1)


def neighbour_scores(graph: Graph, pairs: Tensor) -> dict[str, np.ndarray]:
    """Return the product of two degrees, how many neighbours are shared, and their sum of 1 / log(degree).

    The sum is Adamic & Adar's (2003). Pairs without an edge are drawn from all nodes alike, edges have ends of many
    edges: the product of degrees tells how far that alone goes.
    """
    near: list[set[int]] = [set() for _ in range(graph.num_nodes)]
    for source, target in graph.edge_index.T.tolist():
        near[source].add(target)
        near[target].add(source)
    products = [len(near[source]) * len(near[target]) for source, target in pairs.tolist()]
    shared = [near[source] & near[target] for source, target in pairs.tolist()]
    return {
        "product of degrees": np.array(products, dtype=float),
        "common neighbours": np.array([len(nodes) for nodes in shared], dtype=float),
        "Adamic-Adar": np.array([sum(1 / np.log(len(near[node])) for node in nodes) for nodes in shared]),
    }


def as_set(pairs: Tensor) -> set[tuple[int, int]]:
    return {(source, target) for source, target in pairs.tolist()}


def edge_task(table: GraphTable, directed: bool, plan: TrainingPlan, generator: torch.Generator) -> TaskResult:
    """Hide edges, train to tell the others from pairs without one, and score hidden edges beside unjoined pairs."""
    if table.graph.num_graphs > 1:
        raise ValueError("link prediction is for one graph: nodes of several are never joined, which is no prediction")
    pairs = torch.tensor([pair if directed or pair[0] < pair[1] else pair[::-1] for pair in table.pairs])
    splits, num_nodes = split_edges(pairs, generator), table.graph.num_nodes
    weights = None if table.graph.edge_weight is None else table.graph.edge_weight[: len(pairs)][splits["train"]]
    kept = pairs[splits["train"]]
    graph = Graph(kept.T, num_nodes, weights) if directed else Graph.undirected(kept, num_nodes, weights)
    num_val, num_test = len(splits["validation"]), len(splits["test"])
    unjoined = draw_unjoined(as_set(pairs), num_nodes, num_val + num_test, generator, directed)
    # As many pairs without an edge as edges.
    judged = {
        "validation": torch.cat([pairs[splits["validation"]], unjoined[:num_val]]),
        "test": torch.cat([pairs[splits["test"]], unjoined[num_val:]]),
    }
    truth = {name: torch.arange(len(rows)) < len(rows) // 2 for name, rows in judged.items()}
    features = scaled_features(table, torch.arange(num_nodes)).to(plan.device)
    seen = as_set(kept)

    def draw() -> Tensor:
        # Hidden edges may be drawn too: training does not know that they are edges.
        return torch.cat([kept, draw_unjoined(seen, num_nodes, len(kept), generator, directed)])

    answers: dict[str, np.ndarray] = {}
    for name, passed in with_and_without_edges(graph, plan).items():
        on_device = passed.to(plan.device)
        model = LinkScorer(features.shape[1], plan, directed).to(plan.device)

        def loss_of(model: nn.Module, drawn: Tensor, graph: Graph = on_device) -> tuple[Tensor, int]:
            wanted = (torch.arange(len(drawn)) < len(kept)).float().to(plan.device)
            logits = model(features, graph, drawn.to(plan.device))
            return functional.binary_cross_entropy_with_logits(logits, wanted, reduction="sum"), len(drawn)

        def validation_loss(model: nn.Module = model, graph: Graph = on_device) -> float:
            logits = model(features, graph, judged["validation"].to(plan.device)).cpu()
            return functional.binary_cross_entropy_with_logits(logits, truth["validation"].float()).item()

        fit(model, iter(draw, None), loss_of, validation_loss, plan)
        with torch.no_grad():
            answers[name] = model(features, on_device, judged["test"].to(plan.device)).cpu().numpy()
    answers |= neighbour_scores(graph, judged["test"])
    wanted = truth["test"].numpy()
    scores = {
        name: {"AUC": float(roc_auc_score(wanted, given)), "AP": float(average_precision_score(wanted, given))}
        for name, given in answers.items()
    }
    scores["chance"] = {"AUC": 0.5, "AP": 0.5}
    rows = [
        [table.node_names[source], table.node_names[target], int(true), round(float(score), 6)]
        for (source, target), true, score in zip(judged["test"].tolist(), wanted, answers[plan.layer], strict=True)
    ]
    return TaskResult(scores, [["source", "target", "edge", "score"], *rows])

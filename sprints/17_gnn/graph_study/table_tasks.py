"""One network for nodes, edges and graphs: what is trained for each task, and what it is compared with.

Theory: notes/08_your_own_graph.md
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import average_precision_score, mean_absolute_error, r2_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn
from torch.nn import functional

from graph_study.graph_tables import GraphTable, Targets
from shared.graph.graphs import Graph, batch_graphs, graph_ids, scatter_mean, scatter_sum
from shared.graph.layers import GATLayer, GCNLayer, GINLayer, SAGELayer
from shared.training.keep_best import KeepBest
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers

LAYERS: dict[str, Callable[[int, int], nn.Module]] = {
    "gcn": GCNLayer,
    "sage": SAGELayer,
    "gin": GINLayer,
    "gat": GATLayer,
}
LARGEST_DEGREE = 10


@dataclass(frozen=True)
class Plan:
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
class Found:
    """The scores of each method on the test split, and the rows of the table of predictions."""

    scores: dict[str, dict[str, float]]
    predictions: list[list[object]]


class GraphNetwork(nn.Module):
    """Layers of message passing between nodes, and what each task puts on top.

    Args:
        features, outputs: numbers by node before, and of an answer after.
        plan: kind and number of layers, their width, dropout.
        of_graphs: whether nodes are summed up to graphs before the last layers.
    """

    def __init__(self, features: int, outputs: int, plan: Plan, *, of_graphs: bool = False) -> None:
        super().__init__()
        widths = [features, *[plan.width] * plan.layers]
        self.layers = nn.ModuleList(LAYERS[plan.layer](*pair) for pair in pairwise(widths))
        # Sums over large graphs grow from layer to layer.
        self.norms = nn.ModuleList(nn.BatchNorm1d(plan.width) if of_graphs else nn.Identity() for _ in self.layers)
        self.dropout, self.of_graphs = nn.Dropout(plan.dropout), of_graphs
        width = 2 * plan.width if of_graphs else plan.width
        self.head = nn.Sequential(nn.Linear(width, plan.width), nn.ReLU(), nn.Linear(plan.width, outputs))

    def forward(self, features: Tensor, graph: Graph) -> Tensor:
        """Return an answer for each node, or for each graph."""
        for layer, norm in zip(self.layers, self.norms, strict=True):
            features = functional.relu(norm(layer(self.dropout(features), graph)))
        if self.of_graphs:
            ids = graph_ids(graph)
            # A mean for shares, a sum for counts.
            readouts = scatter_mean(features, ids, graph.graphs), scatter_sum(features, ids, graph.graphs) / 10
            features = torch.cat(readouts, dim=1)
        return self.head(features)


def fit(
    model: nn.Module, batches: Iterator[Any], loss_of: Callable, chosen_by: Callable[[], float], plan: Plan
) -> None:
    """Train, and leave the model as it was when the validation loss was lowest."""
    optimizers = make_optimizers(model, learning_rate=plan.learning_rate, weight_decay=0.01)
    best, every = KeepBest(model), max(1, plan.steps // 40)
    for step, _ in train_steps(model, batches, loss_function=loss_of, optimizers=optimizers, steps=plan.steps):
        if step % every == 0 or step == plan.steps:
            model.eval()
            with torch.no_grad():
                best.update(chosen_by(), step)
    best.restore()
    model.eval()


def without_edges(graph: Graph) -> Graph:
    return Graph(graph.edges[:, :0], graph.nodes, None, graph.graph_ids, graph.graphs)


def scaled_features(table: GraphTable, seen: Tensor) -> Tensor:
    """Return all features; numeric columns have mean 0 and deviation 1 over the nodes that training may look at."""
    centred = table.numeric - table.numeric[seen].mean(dim=0)
    deviation = centred[seen].square().mean(dim=0).sqrt()
    return torch.cat([centred / deviation.masked_fill(deviation < 1e-9, 1.0), table.one_hot], dim=1)


class Goal:
    """Classes or numbers: the loss, and the scores of answers on the test split."""

    def __init__(self, targets: Targets, train: Tensor) -> None:
        self.targets, self.classes = targets.values, targets.classes
        known = targets.values[train]
        self.outputs = len(self.classes) or 1
        self.mean, self.deviation = (
            (0.0, 1.0) if self.classes else (known.mean().item(), known.std(correction=0).item())
        )
        self.deviation = self.deviation if self.deviation > 1e-9 else 1.0
        self.common = int(known.mode().values) if self.classes else self.mean

    def loss(self, answers: Tensor, places: Tensor) -> Tensor:
        """Return the mean loss of answers to the targets at these places."""
        wanted = self.targets[places].to(answers.device)
        if self.classes:
            return functional.cross_entropy(answers, wanted)
        return functional.mse_loss(answers[:, 0], (wanted - self.mean) / self.deviation)

    def decide(self, answers: Tensor) -> Tensor:
        """Return class numbers, or numbers in the unit of the labels."""
        answers = answers.cpu()
        return answers.argmax(dim=1) if self.classes else answers[:, 0] * self.deviation + self.mean

    def score(self, said: Tensor, places: Tensor) -> dict[str, float]:
        """Return accuracy, or R2 and mean absolute error."""
        wanted = self.targets[places]
        if self.classes:
            return {"accuracy": (said == wanted).double().mean().item()}
        return {"R2": float(r2_score(wanted, said)), "MAE": float(mean_absolute_error(wanted, said))}

    def write(self, value: Tensor) -> object:
        return self.classes[int(value)] if self.classes else round(value.item(), 6)

    def constant(self, places: Tensor) -> dict[str, float]:
        return self.score(torch.full((len(places),), self.common, dtype=self.targets.dtype), places)


def spread_labels(graph: Graph, goal: Goal, train: Tensor, rounds: int = 100) -> Tensor:
    """Return for each node the mean of what its neighbours know, again and again, training labels held fixed.

    Zhu & Ghahramani 2002: classes as one-hot rows, or numbers; nodes that no label reaches stay at the training mean.
    """
    known = goal.targets[train]
    values = (
        functional.one_hot(known, goal.outputs).float()
        if goal.classes
        else ((known - goal.mean) / goal.deviation)[:, None]
    )
    state = values.mean(dim=0).repeat(graph.nodes, 1)
    alone = (torch.bincount(graph.targets, minlength=graph.nodes) == 0)[:, None]
    for _ in range(rounds):
        state[train] = values
        state = torch.where(alone, state, scatter_mean(state[graph.sources], graph.targets, graph.nodes))
    state[train] = values
    return state


def node_task(table: GraphTable, goal: Goal, splits: dict[str, Tensor], plan: Plan) -> Found:
    """Train on the labels of some nodes and score others; features and edges of all are known."""
    features = scaled_features(table, splits["train"]).to(plan.device)
    answers = {}
    for name, graph in {plan.layer: table.graph, "same, without edges": without_edges(table.graph)}.items():
        on_device = graph.to(plan.device)
        model = GraphNetwork(features.shape[1], goal.outputs, plan).to(plan.device)

        def loss_of(model: nn.Module, graph: Graph) -> tuple[Tensor, int]:
            count = len(splits["train"])
            return goal.loss(model(features, graph)[splits["train"]], splits["train"]) * count, count

        def chosen_by(model=model, graph=on_device) -> float:
            return goal.loss(model(features, graph)[splits["validation"]], splits["validation"]).item()

        fit(model, iter(lambda graph=on_device: graph, None), loss_of, chosen_by, plan)
        with torch.no_grad():
            answers[name] = goal.decide(model(features, on_device))
    answers["label propagation"] = goal.decide(spread_labels(table.graph, goal, splits["train"]))
    test = splits["test"]
    scores = {name: goal.score(its[test], test) for name, its in answers.items()}
    scores["most frequent class" if goal.classes else "mean"] = goal.constant(test)
    split_of = {int(place): name for name, places in splits.items() for place in places}
    rows = [
        [
            table.nodes[node],
            table.graph_names[int(graph_ids(table.graph)[node])],
            split_of.get(node, ""),
            goal.write(said),
        ]
        for node, said in enumerate(answers[plan.layer])
    ]
    return Found(scores, [["node", "graph", "split", "prediction"], *rows])


# Edges


def split_edges(pairs: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
    """Return the places of edges by split, 70 : 10 : 20.

    Raises:
        ValueError: fewer than ten edges.
    """
    if len(pairs) < 10:
        raise ValueError(f"edges.csv: link prediction holds edges out and needs ten or more, got {len(pairs)}")
    order = torch.randperm(len(pairs), generator=generator)
    first, second = round(0.7 * len(pairs)), round(0.8 * len(pairs))
    return {"train": order[:first], "validation": order[first:second], "test": order[second:]}


def draw_unjoined(
    taken: set[tuple[int, int]], nodes: int, count: int, generator: torch.Generator, directed: bool
) -> Tensor:
    """Return pairs of different nodes that are not among those taken: (count, 2), a pair once.

    Raises:
        ValueError: there are too few.
    """
    all_pairs = nodes * (nodes - 1) // (1 if directed else 2)
    if all_pairs - len(taken) < count:
        raise ValueError(f"edges.csv: {count} pairs without an edge are needed, {all_pairs - len(taken)} are there")
    found: dict[tuple[int, int], None] = {}
    while len(found) < count:
        for one, other in torch.randint(nodes, (2 * count, 2), generator=generator).tolist():
            pair = (one, other) if directed or one < other else (other, one)
            if one != other and pair not in taken and len(found) < count:
                found[pair] = None
    return torch.tensor(list(found))


class LinkScorer(nn.Module):
    """How probable an edge is: the product of what its source gives and of what its target takes."""

    def __init__(self, features: int, plan: Plan, directed: bool) -> None:
        super().__init__()
        self.network, self.directed = GraphNetwork(features, plan.width * (1 + directed), plan), directed

    def forward(self, features: Tensor, graph: Graph, pairs: Tensor) -> Tensor:
        given, taken = (
            self.network(features, graph).chunk(2, dim=1) if self.directed else 2 * (self.network(features, graph),)
        )
        return (given[pairs[:, 0]] * taken[pairs[:, 1]]).sum(dim=1)


def neighbour_scores(graph: Graph, pairs: Tensor) -> dict[str, np.ndarray]:
    """Return the product of two degrees, how many neighbours are shared, and their sum of 1 / log(degree).

    The sum is Adamic & Adar's (2003). Pairs without an edge are drawn from all nodes alike, edges have ends of many
    edges: the product of degrees tells how far that alone goes.
    """
    near: list[set[int]] = [set() for _ in range(graph.nodes)]
    for one, other in graph.edges.T.tolist():
        near[one].add(other)
        near[other].add(one)
    shared = [near[one] & near[other] for one, other in pairs.tolist()]
    return {
        "product of degrees": np.array(
            [len(near[one]) * len(near[other]) for one, other in pairs.tolist()], dtype=float
        ),
        "common neighbours": np.array([len(its) for its in shared], dtype=float),
        "Adamic-Adar": np.array([sum(1 / np.log(len(near[node])) for node in its) for its in shared]),
    }


def edge_task(table: GraphTable, directed: bool, plan: Plan, generator: torch.Generator) -> Found:
    """Hide edges, train to tell the others from pairs without one, and score hidden edges beside unjoined pairs.

    Messages pass along training edges alone: along a hidden edge they would tell the answer.
    """
    if table.graph.graphs > 1:
        raise ValueError("link prediction is for one graph: nodes of several are never joined, which is no prediction")
    pairs = torch.tensor([pair if directed or pair[0] < pair[1] else pair[::-1] for pair in table.edges])
    splits, nodes = split_edges(pairs, generator), table.graph.nodes
    weights = None if table.graph.weights is None else table.graph.weights[: len(pairs)][splits["train"]]
    kept = pairs[splits["train"]]
    graph = Graph(kept.T, nodes, weights) if directed else Graph.undirected(kept, nodes, weights)
    every, seen = ({(one, other) for one, other in its.tolist()} for its in (pairs, kept))
    held = torch.cat([splits["validation"], splits["test"]])
    unjoined = draw_unjoined(every, nodes, len(held), generator, directed)
    cut = len(splits["validation"])
    judged = {
        "validation": torch.cat([pairs[splits["validation"]], unjoined[:cut]]),
        "test": torch.cat([pairs[splits["test"]], unjoined[cut:]]),
    }
    truth = {name: torch.arange(len(its)) < len(its) // 2 for name, its in judged.items()}
    features = scaled_features(table, torch.arange(nodes)).to(plan.device)

    def draw() -> Tensor:
        # Hidden edges may be drawn too: training does not know that they are edges.
        return torch.cat([kept, draw_unjoined(seen, nodes, len(kept), generator, directed)])

    answers: dict[str, np.ndarray] = {}
    for name, its in {plan.layer: graph, "same, without edges": without_edges(graph)}.items():
        on_device = its.to(plan.device)
        model = LinkScorer(features.shape[1], plan, directed).to(plan.device)

        def loss_of(model: nn.Module, drawn: Tensor, graph: Graph = on_device) -> tuple[Tensor, int]:
            wanted = (torch.arange(len(drawn)) < len(kept)).float().to(plan.device)
            logits = model(features, graph, drawn.to(plan.device))
            return functional.binary_cross_entropy_with_logits(logits, wanted, reduction="sum"), len(drawn)

        def chosen_by(model=model, graph=on_device) -> float:
            logits = model(features, graph, judged["validation"].to(plan.device)).cpu()
            return functional.binary_cross_entropy_with_logits(logits, truth["validation"].float()).item()

        fit(model, iter(draw, None), loss_of, chosen_by, plan)
        with torch.no_grad():
            answers[name] = model(features, on_device, judged["test"].to(plan.device)).cpu().numpy()
    answers |= neighbour_scores(graph, judged["test"])
    wanted = truth["test"].numpy()
    scores = {
        name: {"AUC": float(roc_auc_score(wanted, its)), "AP": float(average_precision_score(wanted, its))}
        for name, its in answers.items()
    }
    scores["chance"] = {"AUC": 0.5, "AP": 0.5}
    rows = [
        [table.nodes[one], table.nodes[other], int(true), round(float(score), 6)]
        for (one, other), true, score in zip(judged["test"].tolist(), wanted, answers[plan.layer], strict=True)
    ]
    return Found(scores, [["source", "target", "edge", "score"], *rows])


# Graphs


def cut_graphs(table: GraphTable, features: Tensor) -> list[tuple[Graph, Tensor]]:
    """Return each graph by itself, with the features of its nodes."""
    graph, ids = table.graph, graph_ids(table.graph)
    nodes_of: list[list[int]] = [[] for _ in range(graph.graphs)]
    for node, number in enumerate(ids.tolist()):
        nodes_of[number].append(node)
    edges_of: list[list[int]] = [[] for _ in range(graph.graphs)]
    for edge, number in enumerate(ids[graph.sources].tolist()):
        edges_of[number].append(edge)
    place = torch.zeros(graph.nodes, dtype=torch.long)
    found = []
    for nodes, edges in zip(nodes_of, edges_of, strict=True):
        place[nodes] = torch.arange(len(nodes))
        weights = None if graph.weights is None else graph.weights[edges]
        found.append((Graph(place[graph.edges[:, edges]], len(nodes), weights), features[nodes]))
    return found


def batch_of(cut: list[tuple[Graph, Tensor]], places: Tensor, device: torch.device) -> tuple[Graph, Tensor]:
    """Return some graphs as one, and the features of their nodes."""
    graphs, features = zip(*[cut[place] for place in places.tolist()], strict=True)
    return batch_graphs(graphs).to(device), torch.cat(features).to(device)


def summaries(cut: list[tuple[Graph, Tensor]]) -> np.ndarray:
    """Return what a linear model reads: the share of nodes by degree, how many there are, the mean of the features."""
    rows = []
    for graph, features in cut:
        degrees = torch.bincount(graph.targets, minlength=graph.nodes).clamp(max=LARGEST_DEGREE)
        shares = torch.bincount(degrees, minlength=LARGEST_DEGREE + 1) / graph.nodes
        rows.append(torch.cat([shares, torch.tensor([float(graph.nodes)]), features.mean(dim=0)]))
    return torch.stack(rows).numpy()


def graph_task(
    table: GraphTable, goal: Goal, splits: dict[str, Tensor], plan: Plan, generator: torch.Generator
) -> Found:
    """Train on the labels of whole graphs, in batches, and score other graphs."""
    seen = torch.isin(graph_ids(table.graph), splits["train"])
    full = cut_graphs(table, scaled_features(table, seen))
    bare = [(without_edges(graph), features) for graph, features in full]
    answers: dict[str, Tensor] = {}
    for name, cut in {plan.layer: full, "same, without edges": bare}.items():
        model = GraphNetwork(cut[0][1].shape[1], goal.outputs, plan, of_graphs=True).to(plan.device)
        validation = batch_of(cut, splits["validation"], plan.device)

        def draw(cut=cut) -> tuple[Graph, Tensor, Tensor]:
            places = splits["train"][torch.randperm(len(splits["train"]), generator=generator)[: plan.batch_size]]
            return *batch_of(cut, places, plan.device), places

        def loss_of(model: nn.Module, batch: tuple[Graph, Tensor, Tensor]) -> tuple[Tensor, int]:
            graph, features, places = batch
            return goal.loss(model(features, graph), places) * len(places), len(places)

        def chosen_by(model=model, its=validation) -> float:
            return goal.loss(model(its[1], its[0]), splits["validation"]).item()

        fit(model, iter(draw, None), loss_of, chosen_by, plan)
        with torch.no_grad():
            parts = [batch_of(cut, places, plan.device) for places in torch.arange(len(cut)).split(plan.batch_size)]
            answers[name] = goal.decide(torch.cat([model(features, graph) for graph, features in parts]))
    train, test, inputs = splits["train"], splits["test"], summaries(full)
    linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000) if goal.classes else Ridge())
    linear.fit(inputs[train], goal.targets[train].numpy())
    answers["linear, degrees and features"] = torch.as_tensor(linear.predict(inputs))
    scores = {name: goal.score(its[test], test) for name, its in answers.items()}
    scores["most frequent class" if goal.classes else "mean"] = goal.constant(test)
    split_of = {int(place): name for name, places in splits.items() for place in places}
    rows = [
        [table.graph_names[place], split_of.get(place, ""), goal.write(said)]
        for place, said in enumerate(answers[plan.layer])
    ]
    return Found(scores, [["graph", "split", "prediction"], *rows])

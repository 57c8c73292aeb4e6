"""Can a network label nodes that were not there in training? Sampled neighbours, edges with features, a model to keep.

    uv run sprints/17_gnn/later_nodes.py
    uv run sprints/17_gnn/later_nodes.py --export runs/alliances
    uv run sprints/17_gnn/later_nodes.py --data runs/alliances --out runs/mine
    uv run sprints/17_gnn/later_nodes.py --data runs/alliances --model runs/mine/model.pt --out runs/predicted

Nodes of the split "test" are taken out with all their edges, and come back when training is over. Data is a folder with
nodes.csv and edges.csv, whose other columns are features. Format and traps: notes/14_nodes_that_come_later.md
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional
from tqdm import tqdm

from graph_study.csv_tables import write_csv
from graph_study.labels_and_splits import read_labels, read_splits
from graph_study.later_nodes_data import (
    EDGE_RESERVED,
    NODE_RESERVED,
    EdgeTable,
    export_alliances,
    read_folder,
    without_nodes,
)
from graph_study.later_nodes_network import KeptModel
from graph_study.scores import SeedScores, seed_scores
from graph_study.table_columns import TableColumns
from shared.graph.graphs import Graph
from shared.graph.neighbour_sampling import NeighbourSampler
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.ranges import ExistingFile, ExistingFolder, PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run, run_folder
from shared.lab.runtime import seed_everything
from shared.training.keep_best import KeepBest
from shared.training.loop import train_steps
from shared.training.optimizers import make_optimizers

TOLERANCE = {"scores.*": TRAINED, "nodes_read": TRAINED}
ARMS = ("edges with their features", "edges without features", "no edges")


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: ExistingFolder | None = None  # a folder (default: a graph that is drawn)
    model: ExistingFile | None = None  # predict with this model instead of training one
    export: Path | None = None  # write the drawn graph to this folder as CSV files, and stop
    fanouts: Annotated[tuple[PositiveInt, ...], Field(min_length=1, max_length=4)] = (5, 5)  # neighbours by layer
    width: PositiveInt = 32  # numbers of a node between layers
    steps: PositiveInt = 300  # optimizer steps
    batch_size: PositiveInt = 64  # nodes of a step whose labels count
    learning_rate: PositiveFloat = 5e-3  # of AdamW
    seeds: Seeds = (0, 1, 2)  # trainings; --seed is added


@dataclass(frozen=True)
class Results:
    nodes: int
    later: int
    # Accuracy on the later nodes, by what the network hears.
    scores: dict[str, SeedScores]
    most_frequent: float
    # How many nodes a step reads on average.
    nodes_read: float


class NodeBatch(NamedTuple):
    """A part of the graph; the first nodes are those whose labels count."""

    features: Tensor
    graph: Graph
    edge_features: Tensor
    labels: Tensor


class Inputs(NamedTuple):
    """The features of all nodes and edges, and the edges that an arm may use."""

    features: Tensor
    edge_features: Tensor
    graph: Graph


def inputs_of(table: EdgeTable, model: KeptModel, arm: str, edges: Tensor) -> Inputs:
    """Return what a network hears on some edges of a graph."""
    lines = model.edge_columns.features(table.edges)[table.line_of]
    if arm == "edges without features":
        lines = torch.zeros_like(lines)
    edges = edges[:0] if arm == "no edges" else edges
    graph = Graph(table.graph.edge_index[:, edges], table.graph.num_nodes)
    return Inputs(model.node_columns.features(table.nodes), lines[edges], graph)


def batches(
    inputs: Inputs, labels: Tensor, train: Tensor, config: Config, generator: torch.Generator, sizes: list[int]
) -> Iterator[NodeBatch]:
    """Yield parts of the graph around some labelled nodes without end, and note how many nodes each has."""
    sampler = NeighbourSampler(inputs.graph)
    while True:
        chosen = train[torch.randperm(len(train), generator=generator)[: config.batch_size]]
        part = sampler.draw(chosen, config.fanouts, generator)
        sizes.append(part.graph.num_nodes)
        edge_features = inputs.edge_features[part.edges]
        yield NodeBatch(inputs.features[part.nodes], part.graph, edge_features, labels[chosen])


def batch_loss(model: nn.Module, batch: NodeBatch) -> tuple[Tensor, int]:
    """Return the summed loss of the nodes that were asked for, and how many they are."""
    logits = model(batch.features, batch.graph, batch.edge_features)[: len(batch.labels)]
    return functional.cross_entropy(logits, batch.labels, reduction="sum"), len(batch.labels)


def train(config: Config, table: EdgeTable, arm: str, seed: int) -> tuple[KeptModel, float, list[int]]:
    """Train on the graph without its later nodes; return the model, its accuracy on these, and sizes of batches."""
    generator = seed_everything(config.seed + seed)
    labels = read_labels(table.nodes, "classification")
    splits = read_splits(table.nodes, labels, generator)
    seen = sorted(set(range(table.graph.num_nodes)) - set(splits["test"].tolist()))
    early = without_nodes(table, splits["test"])
    model = KeptModel.new(
        TableColumns.of(table.nodes, NODE_RESERVED, seen),
        TableColumns.of(table.edges, EDGE_RESERVED, table.line_of[early].unique().tolist()),
        labels.classes,
        {"width": config.width, "layers": len(config.fanouts)},
    )
    inputs, sizes = inputs_of(table, model, arm, early), []
    optimizers = make_optimizers(model.network, learning_rate=config.learning_rate, weight_decay=0.01)
    drawn = batches(inputs, labels.values, splits["train"], config, generator, sizes)
    best, every = KeepBest(model.network), max(1, config.steps // 30)
    trained = train_steps(model.network, drawn, loss_function=batch_loss, optimizers=optimizers, steps=config.steps)
    for step, _ in tqdm(trained, f"{arm}, seed {seed}", config.steps):
        if step % every == 0 or step == config.steps:
            rows = splits["validation"]
            best.update(functional.cross_entropy(answer(model, inputs)[rows], labels.values[rows]).item(), step)
    best.restore()
    everything = inputs_of(table, model, arm, torch.arange(table.graph.num_edges))
    right = answer(model, everything).argmax(dim=1)[splits["test"]] == labels.values[splits["test"]]
    return model, right.double().mean().item(), sizes


@torch.no_grad()
def answer(model: KeptModel, inputs: Inputs) -> Tensor:
    """Return the logits of all nodes, each with all of its neighbours: (num_nodes, num_classes)."""
    return model.network.eval()(inputs.features, inputs.graph, inputs.edge_features)


def predict(config: Config, path: Path, table: EdgeTable) -> Path:
    """Write what a kept model says of every node of a folder, and return the file."""
    model = KeptModel.load(path)
    logits = answer(model, inputs_of(table, model, ARMS[0], torch.arange(table.graph.num_edges)))
    probabilities, classes = logits.softmax(dim=1).max(dim=1)
    rows = zip(table.nodes.column("node"), classes.tolist(), probabilities.tolist(), strict=True)
    written = [["node", "prediction", "probability"]]
    written += [[name, model.classes[number], f"{probability:.3f}"] for name, number, probability in rows]
    return write_csv(run_folder(config, __file__) / "predictions.csv", written)


def main(config: Config) -> Results:
    """Export, predict or compare."""
    if config.export is not None:
        print(f"wrote {export_alliances(config.export)}")
        raise SystemExit
    with tempfile.TemporaryDirectory() as folder:
        table = read_folder(config.data or export_alliances(Path(folder)))
    if config.model is not None:
        print(f"wrote {predict(config, config.model, table)}")
        raise SystemExit
    scores, sizes = {}, []
    for arm in ARMS:
        trained = [train(config, table, arm, seed) for seed in config.seeds]
        scores[arm] = seed_scores([accuracy for _, accuracy, _ in trained])
        if arm == ARMS[0]:
            sizes = [size for _, _, seen in trained for size in seen]
            print(f"kept {trained[0][0].save(run_folder(config, __file__) / 'model.pt').name}")
        print(f"{arm:<28} {scores[arm]}")
    labels = read_labels(table.nodes, "classification")
    test = read_splits(table.nodes, labels, seed_everything(config.seed + config.seeds[0]))["test"]
    frequent = labels.values[test].bincount().max().item() / len(test)
    print(f"{'the most frequent class':<28} {frequent:.4g}; a step reads {sum(sizes) / len(sizes):.0f} nodes")
    return Results(table.graph.num_nodes, len(test), scores, frequent, sum(sizes) / len(sizes))


if __name__ == "__main__":
    run(main, Config, tolerance=TOLERANCE)

"""What can a graph network learn from your graph? Labels of nodes, missing edges, or labels of whole graphs.

    uv run sprints/17_gnn/train.py
    uv run sprints/17_gnn/train.py --task edge
    uv run sprints/17_gnn/train.py --task graph --layer gin
    uv run sprints/17_gnn/train.py --data karate --export my_graph
    uv run sprints/17_gnn/train.py --task node --data my_graph --out my_results

Data is a folder with edges.csv, nodes.csv and, for graphs, graphs.csv; or it is built in. With --out, predictions.csv
is written too. Format, baselines and traps: notes/08_your_own_graph.md
"""

import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from graph_study.graph_tables import BUILT_IN, GraphTable, export, read_graphs, read_splits, read_targets, write_csv
from graph_study.table_tasks import Found, Goal, Plan, edge_task, graph_task, node_task
from shared.checks.intervals import mean_interval
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.results import save_results
from shared.lab.runtime import pick_device, seed_everything

DEFAULTS = {"node": "karate", "edge": "karate", "graph": "motifs"}


@dataclass(frozen=True)
class Config(ScriptConfig):
    task: Literal["node", "edge", "graph"] = "node"  # what is predicted
    data: str | None = None  # a folder, or one of karate, motifs (default: by task)
    export: Path | None = None  # write the built-in data to this folder as CSV files, and stop
    layer: Literal["gcn", "sage", "gin", "gat"] = "gcn"  # kind of layer
    target: Literal["auto", "classification", "regression"] = "auto"  # what labels are
    directed: bool = False  # let messages pass from source to target alone
    categorical: tuple[str, ...] = ()  # columns of features that look like numbers and are names
    layers: int = 3  # layers of message passing
    width: int = 32  # numbers of a node between layers
    dropout: float = 0.2  # probability that a number is dropped
    steps: int = 200  # optimizer steps
    batch_size: int = 64  # graphs of a batch
    learning_rate: float = 5e-3  # AdamW's rate
    threads: int = 1  # threads of the processor; more are of use for large graphs only
    seeds: tuple[int, ...] = (0, 1, 2, 3, 4)  # trainings, with splits of their own unless given; --seed is added


@dataclass(frozen=True)
class Score:
    test: list[float]
    mean: tuple[float, float]


@dataclass(frozen=True)
class Results:
    data: str
    kind: str
    nodes: int
    edges: int
    graphs: int
    features: int
    # By method and by measure.
    scores: dict[str, dict[str, Score]]


def load(config: Config) -> GraphTable:
    """Return the data, from files in any case: built-in data is written to a folder that goes away."""
    name = config.data or DEFAULTS[config.task]
    options = {"of_graphs": config.task == "graph", "directed": config.directed, "categorical": config.categorical}
    with tempfile.TemporaryDirectory() as place:
        table = read_graphs(export(name, Path(place)) if name in BUILT_IN else Path(name), **options)
    if table.graph.weights is not None and config.layer != "gcn":
        raise ValueError(
            f"edges.csv has weights, which gcn alone uses: drop the column, or do not ask for {config.layer}"
        )
    return table


def run(config: Config, table: GraphTable, seed: int) -> Found:
    """Split, train, and score beside the baselines."""
    generator, device = seed_everything(config.seed + seed), pick_device(config.device)
    names = ("layer", "layers", "width", "dropout", "steps", "batch_size", "learning_rate")
    plan = Plan(**{name: vars(config)[name] for name in names}, device=device)
    if config.task == "edge":
        return edge_task(table, config.directed, plan, generator)
    targets = read_targets(table.labelled, config.target)
    splits = read_splits(table.labelled, targets, generator)
    goal = Goal(targets, splits["train"])
    if config.task == "graph":
        return graph_task(table, goal, splits, plan, generator)
    return node_task(table, goal, splits, plan)


def main(config: Config) -> Results:
    torch.set_num_threads(config.threads)
    table = load(config)
    found = [run(config, table, seed) for seed in tqdm(config.seeds, desc="trainings")]
    values = {
        method: {measure: [one.scores[method][measure] for one in found] for measure in measures}
        for method, measures in found[0].scores.items()
    }
    scores = {
        method: {measure: Score(its, mean_interval(its)) for measure, its in measures.items()}
        for method, measures in values.items()
    }
    for method, measures in scores.items():
        said = ", ".join(f"{name} {score.mean[0]:.3f} +- {score.mean[1]:.3f}" for name, score in measures.items())
        print(f"{method:<30} {said}")
    if config.out is not None:
        print(f"wrote {write_csv(config.out / 'predictions.csv', found[0].predictions)}")
    kind = "edges" if config.task == "edge" else "classes" if "accuracy" in scores[config.layer] else "numbers"
    graph = table.graph
    features = table.numeric.shape[1] + table.one_hot.shape[1]
    data = Path(config.data or DEFAULTS[config.task]).name
    return Results(data, kind, graph.nodes, len(table.edges), graph.graphs, features, scores)


def plot(results: Results) -> Figure:
    """Draw the scores of all methods."""
    measures = list(next(iter(results.scores.values())))
    figure, axes = new_figure(4.0 + 3.2 * len(measures), 3.0, columns=len(measures))
    for place, measure in enumerate(measures):
        axis = axes[place] if len(measures) > 1 else axes
        means, halves = zip(*[its[measure].mean for its in results.scores.values()], strict=True)
        colours = [COLOURS[0], *[COLOURS[5]] * (len(means) - 1)]
        axis.barh(range(len(means)), means, xerr=halves, color=colours, height=0.7)
        axis.set_yticks(range(len(means)), [] if place else list(results.scores))
        axis.set(xlabel=f"test {measure}", title=results.data if not place else None)
        axis.invert_yaxis()
    return figure


if __name__ == "__main__":
    config = parse_config(Config)
    try:
        if config.export is not None:
            print(f"wrote {export(config.data or DEFAULTS[config.task], config.export)}")
            sys.exit()
        results = main(config)
    except ValueError as error:
        sys.exit(f"error: {error}")
    name = "train" if config.task == "node" else f"train_{config.task}"
    name += "" if config.data in (None, DEFAULTS[config.task]) else f"_{results.data}"
    save_results(results, config, script=__file__, plot=plot, name=name)

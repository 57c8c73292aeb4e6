"""What can a graph network learn from your graph? Labels of nodes, missing edges, or labels of whole graphs.

    uv run sprints/17_gnn/train.py
    uv run sprints/17_gnn/train.py --preset edge
    uv run sprints/17_gnn/train.py --preset graph
    uv run sprints/17_gnn/train.py --data karate --export runs/my_graph
    uv run sprints/17_gnn/train.py --task node --data runs/my_graph --out runs/my_results

Data is a folder with edges.csv, nodes.csv and, for graphs, graphs.csv; or it is built in. What the first training says
is in predictions.csv beside the results. Format, baselines and traps: notes/13_your_own_graph.md
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import torch
from matplotlib.figure import Figure
from pydantic import Field
from tqdm import tqdm

from graph_study.built_in_graphs import BUILT_IN, export
from graph_study.csv_tables import Table, write_csv
from graph_study.edge_task import edge_task
from graph_study.graph_tables import GraphTable, read_graphs
from graph_study.graph_task import graph_task
from graph_study.labels_and_splits import Labels, read_labels, read_splits
from graph_study.node_task import node_task
from graph_study.objectives import Objective
from graph_study.options import from_options
from graph_study.scores import SeedScores, seed_scores
from graph_study.task_training import TaskResult, TrainingPlan
from shared.checks.intervals import error_bars
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt, Seeds, Share
from shared.lab.run import run, run_folder
from shared.lab.runtime import pick_device, seed_everything

DEFAULTS = {"node": "karate", "edge": "karate", "graph": "motifs"}
TOLERANCE = {"scores.*": TRAINED}
Threads = Annotated[int, Field(ge=1, le=256)]
PRESETS = {
    "edge": {"task": "edge"},
    "graph": {"task": "graph", "layer": "gin"},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    task: Literal["node", "edge", "graph"] = "node"  # what is predicted
    data: str | None = None  # a folder, or one of karate, motifs (default: by task)
    export: Path | None = None  # write the built-in data to this folder as CSV files, and stop
    layer: Literal["gcn", "sage", "gin", "gat"] = "gcn"  # kind of layer
    target: Literal["auto", "classification", "regression"] = "auto"  # what labels are
    directed: bool = False  # let messages pass from source to target alone
    categorical: tuple[str, ...] = ()  # columns of features that look like numbers and are names
    layers: PositiveInt = 3  # layers of message passing
    width: PositiveInt = 32  # numbers of a node between layers
    dropout: Share = 0.2  # probability that a number is dropped
    steps: PositiveInt = 200  # optimizer steps
    batch_size: PositiveInt = 64  # graphs of a batch
    learning_rate: PositiveFloat = 5e-3  # AdamW's rate
    threads: Threads = 1  # threads of the processor; more are of use for large graphs only
    seeds: Seeds = (0, 1, 2, 3, 4)  # trainings, with splits of their own unless given; --seed is added

    def check(self) -> None:
        """Check that data has a name."""
        if self.data == "":
            raise ValueError(f"--data is a folder, {' or '.join(BUILT_IN)}; got nothing")


@dataclass(frozen=True)
class Results:
    data: str
    kind: str
    nodes: int
    edges: int
    graphs: int
    features: int
    # By method and by measure.
    scores: dict[str, dict[str, SeedScores]]


def load(config: Config) -> GraphTable:
    """Return the data, from files in any case: built-in data is written to a folder that goes away."""
    name = config.data or DEFAULTS[config.task]
    options = {"of_graphs": config.task == "graph", "directed": config.directed, "categorical": config.categorical}
    with tempfile.TemporaryDirectory() as folder:
        table = read_graphs(export(name, Path(folder)) if name in BUILT_IN else Path(name), **options)
    if table.graph.edge_weight is not None and config.layer != "gcn":
        raise ValueError(
            f"edges.csv has weights, which gcn alone uses: drop the column, or do not ask for {config.layer}"
        )
    return table


def train_and_score(config: Config, table: GraphTable, seed: int) -> TaskResult:
    """Split, train, and score beside the baselines."""
    generator, device = seed_everything(config.seed + seed), pick_device(config.device)
    plan = from_options(TrainingPlan, config, device=device)
    if config.task == "edge":
        return edge_task(table, config.directed, plan, generator)
    labels = read_labels(table.labelled, config.target)
    splits = read_splits(table.labelled, labels, generator)
    objective = Objective(labels, splits["train"])
    if config.task == "graph":
        return graph_task(table, objective, splits, plan, generator)
    return node_task(table, objective, splits, plan)


def say_what_is_missing(table: Table, labels: Labels) -> None:
    """Print how many rows have no label, and what stands there instead."""
    if labels.missing:
        words = ", ".join(f"{word or 'empty'} {count} times" for word, count in labels.missing.items())
        print(f"{table.name}: {sum(labels.missing.values())} of {len(table.rows)} rows have no label ({words})")


def compare(config: Config) -> Results:
    """Train once for each seed, print the scores and write the predictions of the first.

    Raises:
        ValueError: a file that does not fit, or too little in it for the task.
    """
    torch.set_num_threads(config.threads)
    table = load(config)
    if config.task != "edge":
        say_what_is_missing(table.labelled, read_labels(table.labelled, config.target))
    trained = [train_and_score(config, table, seed) for seed in tqdm(config.seeds, desc="trainings")]
    scores = {
        method: {measure: seed_scores([seed.scores[method][measure] for seed in trained]) for measure in measures}
        for method, measures in trained[0].scores.items()
    }
    for method, measures in scores.items():
        print(f"{method:<30} {', '.join(f'{name} {score}' for name, score in measures.items())}")
    predictions = write_csv(run_folder(config, __file__) / "predictions.csv", trained[0].predictions)
    print(f"wrote {predictions.name}")
    return Results(
        data=Path(config.data or DEFAULTS[config.task]).name,
        kind="edges" if config.task == "edge" else "classes" if "accuracy" in scores[config.layer] else "numbers",
        nodes=table.graph.num_nodes,
        edges=len(table.pairs),
        graphs=table.graph.num_graphs,
        features=table.numeric.shape[1] + table.one_hot.shape[1],
        scores=scores,
    )


def main(config: Config) -> Results:
    """Export or compare."""
    if config.export is not None:
        print(f"wrote {export(config.data or DEFAULTS[config.task], config.export)}")
        raise SystemExit
    return compare(config)


def plot(results: Results) -> Figure:
    """Draw the scores of all methods."""
    measures = list(next(iter(results.scores.values())))
    figure, axes = new_figure(4.0 + 3.2 * len(measures), 3.0, columns=len(measures))
    for column, measure in enumerate(measures):
        axis = axes[column] if len(measures) > 1 else axes
        means, halves = zip(*[scores[measure].mean for scores in results.scores.values()], strict=True)
        colours = [COLOURS[0], *[COLOURS[5]] * (len(means) - 1)]
        axis.barh(range(len(means)), means, xerr=error_bars(halves), color=colours, height=0.7)
        axis.set_yticks(range(len(means)), [] if column else list(results.scores))
        axis.set(xlabel=f"test {measure}", title=results.data if not column else None)
        axis.invert_yaxis()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)

"""How much do citations add to the words of a paper, when twenty labels of each subject are known?

    uv run sprints/17_gnn/node_classification.py
    uv run sprints/17_gnn/node_classification.py --data cora --steps 1000 --seeds 0 1 2 3 4 5 6 7 8 9
    uv run sprints/17_gnn/node_classification.py --data pubmed --folder planetoid/data --steps 1000 --networks GCN MLP

By default a citation network is drawn whose optimum is known; Cora, CiteSeer and PubMed are the published ones with
their public split. Theory: notes/04_papers_that_cite.md and notes/06_block_models.md
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from graph_study.citations import CitationNetwork, draw_citations, optimum
from graph_study.node_networks import NETWORKS, accuracy, predict, train_network
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.graph.label_propagation import label_propagation, label_spreading
from shared.graph.node_data import NodeData
from shared.graph.planetoid import load_planetoid
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Different, ExistingFolder, NonNegativeFloat, PositiveInt, Seeds
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device, seed_everything

# Accuracy in per cent on the public split: Velickovic et al. 2018, table 2. Their label propagation is that of Zhu et
# al. 2003: `label_propagation` in its limit.
PUBLISHED = {
    "cora": {"MLP": 55.1, "GCN": 81.5, "GAT": 83.0, "label propagation": 68.0},
    "citeseer": {"MLP": 46.5, "GCN": 70.3, "GAT": 72.5, "label propagation": 45.3},
    "pubmed": {"MLP": 71.4, "GCN": 79.0, "GAT": 79.0, "label propagation": 63.0},
}
# Those of the papers, but for GAT (0.005 there): its rate was chosen on the validation nodes of Cora.
LEARNING_RATES = {"GCN": 0.01, "GAT": 0.01, "MLP": 0.01}

TOLERANCE = {
    "test.*": TRAINED,
    "validation.*": TRAINED,
    "each.*": TRAINED,
    # When training stops depends on the last digits of a validation loss.
    "steps.*": Tolerance(relative=0.5),
    "curves.*": Tolerance(compared=False),
}
PRESETS = {
    "cora": {"data": "cora", "steps": 1000, "seeds": (0, 1, 2, 3, 4, 5, 6, 7, 8, 9)},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: Literal["drawn", "cora", "citeseer", "pubmed"] = "drawn"  # a drawn citation network, or a published one
    folder: ExistingFolder | None = None  # where the files of a published network are (default: they are downloaded)
    networks: Annotated[tuple[Literal["GCN", "GAT", "MLP"], ...], Different] = ("GCN", "GAT", "MLP")  # which to train
    steps: PositiveInt = 300  # optimizer steps at most
    patience: PositiveInt = 100  # steps without progress on the validation nodes before training stops
    weight_decay: NonNegativeFloat = 5e-4  # of all matrices
    seeds: Seeds = (0, 1, 2)  # of the weights; a drawn network is drawn again, too

    def check(self) -> None:
        """Check that a folder is given for a network that is read from one."""
        if self.folder is not None and self.data == "drawn":
            raise ValueError(
                f"a drawn network is read from no folder, got --folder {self.folder}: name a published one by --data"
            )


@dataclass(frozen=True)
class Results:
    nodes: int
    edges: int
    features: int
    classes: int
    # Share of edges that join equal labels.
    homophily: float
    # Test accuracy: mean and half of the 95 % interval over the seeds.
    test: dict[str, MeanInterval]
    validation: dict[str, MeanInterval]
    # Test accuracy by seed, and optimizer steps until the end.
    each: dict[str, list[float]]
    steps: dict[str, list[int]]
    published: dict[str, float]
    # Of the first seed: training loss and validation accuracy by step.
    curves: dict[str, list[tuple[float, float]]]


def load(config: Config, seed: int) -> tuple[NodeData, CitationNetwork | None]:
    """Return the data of a seed, and where it is drawn, what it was drawn from."""
    if config.data != "drawn":
        return load_planetoid(config.data, config.folder), None
    drawn = draw_citations(seed_everything(seed))
    return drawn.data, drawn


def without_training(
    data: NodeData, drawn: CitationNetwork | None, generator: torch.Generator
) -> dict[str, torch.Tensor]:
    """Return the scores, (num_nodes, num_classes), of methods that have no weights."""
    counts = torch.bincount(data.labels[data.train_mask], minlength=data.num_classes).float()
    scores = {
        "the largest class of training": counts.expand(len(data.labels), -1),
        "label propagation": label_propagation(data.graph, *data.training_labels()),
        "label spreading": label_spreading(data.graph, *data.training_labels()),
    }
    if drawn is not None:
        scores["optimum, words alone"] = drawn.word_evidence
        scores["optimum"] = optimum(drawn, generator)
    return scores


def main(config: Config) -> Results:
    device = pick_device(config.device)
    keep_freed_memory()
    test: dict[str, list[float]] = {}
    validation: dict[str, list[float]] = {}
    steps: dict[str, list[int]] = {name: [] for name in config.networks}
    curves: dict[str, list[tuple[float, float]]] = {}
    for seed in config.seeds:
        data, drawn = load(config, config.seed + seed)
        generator = seed_everything(config.seed + seed)
        scores = without_training(data, drawn, generator)
        moved = data.to(device)
        for name in config.networks:
            model = NETWORKS[name](data.features.shape[1], data.num_classes).to(device)
            settings = {"learning_rate": LEARNING_RATES[name], "weight_decay": config.weight_decay}
            training = train_network(model, moved, steps=config.steps, patience=config.patience, **settings)
            bar = tqdm(training, f"{name}, seed {seed}", config.steps)
            curve = [(loss, val_accuracy) for _, loss, val_accuracy in bar]
            curves.setdefault(name, curve)
            steps[name].append(len(curve))
            scores[name] = predict(model, moved).cpu()
        for name, rows in scores.items():
            test.setdefault(name, []).append(accuracy(rows, data, data.test_mask))
            validation.setdefault(name, []).append(accuracy(rows, data, data.val_mask))
    source, target = data.graph.edge_index
    same = data.labels[source] == data.labels[target]
    results = Results(
        nodes=data.graph.num_nodes,
        edges=data.graph.num_edges // 2,
        features=data.features.shape[1],
        classes=data.num_classes,
        homophily=same.double().mean().item(),
        test={name: mean_interval(values) for name, values in test.items()},
        validation={name: mean_interval(values) for name, values in validation.items()},
        each=test,
        steps=steps,
        published={name: value / 100 for name, value in PUBLISHED.get(config.data, {}).items()},
        curves=curves,
    )
    for name, (mean, half) in results.test.items():
        beside = f", published {results.published[name]:.1%}" if name in results.published else ""
        print(f"{name:<32}{show_interval(mean, half, '.1%')}{beside}")
    return results


def plot(results: Results) -> Figure:
    """Draw the test accuracy of all methods, and how training went."""
    figure, (left, right) = new_figure(10, 3.6, columns=2)
    names = sorted(results.test, key=lambda name: results.test[name][0])
    for row, name in enumerate(names):
        mean, half = results.test[name]
        left.barh(row, mean, xerr=error_bars([half]), color=COLOURS[0] if name in results.curves else "0.7")
        if name in results.published:
            left.plot([results.published[name]] * 2, [row - 0.4, row + 0.4], color=COLOURS[3], linewidth=2)
    left.set_yticks(range(len(names)), names)
    left.set(xlabel="test accuracy" + (" (line: published)" if results.published else ""), xlim=(0, 1))
    left.grid(axis="y", visible=False)
    for name, curve in results.curves.items():
        right.plot([accuracy for _, accuracy in curve], label=name)
    right.set(xlabel="optimizer step", ylabel="validation accuracy", title="first seed")
    right.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)

"""How weak may communities be until a method finds nothing, and what does a high modularity say?

    uv run sprints/27_graphs_downstream/finding_communities.py
    uv run sprints/27_graphs_downstream/finding_communities.py --nodes 400 --signals 0.5 2.1 --seeds 0

Graphs are drawn with two groups, so belief propagation with the true parameters is the ceiling. The control scores each
partition against the groups in another order. Theory: notes/08_finding_communities.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Annotated

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from downstream.communities import leiden, louvain, merged_to
from downstream.modularity import WeightedGraph, connected_parts, modularity
from downstream.soft_communities import train_soft_communities
from downstream.spectral_communities import (
    best_naming,
    bethe_communities,
    count_communities,
    shuffled_control,
    spectral_communities,
)
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.graph.block_models import Rates, belief_propagation, block_model, rates_of
from shared.graph.graphs import Graph
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run
from shared.lab.runtime import seed_everything

MARKERS = "osDv^P"
CEILING, CONTROL = "belief propagation", "shuffled control"
# A node can fall to either side by the last digit of an eigenvector.
TOLERANCE = {"accuracy.*": TRAINED, "modularity.*": TRAINED, "controls.*": TRAINED, "communities.*": TRAINED}


@dataclass(frozen=True)
class Config(ScriptConfig):
    nodes: PositiveInt = 1000  # nodes of a graph
    degree: PositiveFloat = 5.0  # mean number of neighbours
    signals: Annotated[tuple[float, ...], Different] = (0.5, 0.8, 1.2, 1.5, 1.8, 2.1)  # lambda; the threshold is 1
    steps: PositiveInt = 300  # optimizer steps of DMoN
    seeds: Seeds = (0, 1, 2, 3, 4)  # each draws other graphs

    def check(self) -> None:
        """Check that such graphs exist."""
        for signal in self.signals:
            if (rates := rates_of(self.degree, signal, 2)).inside > self.nodes:
                raise ValueError(
                    f"a node cannot have {rates.inside / 2:.1f} neighbours in a group of {self.nodes // 2}: give more "
                    f"--nodes than {self.nodes}"
                )


@dataclass(frozen=True)
class Results:
    signals: list[float]
    # By method and signal: mean and half of the 95 % interval over the seeds, two communities each.
    accuracy: dict[str, list[MeanInterval]]
    modularity: dict[str, list[MeanInterval]]
    # The greatest mean, over methods, of the same partitions against shuffled groups.
    controls: list[float]
    # How many communities Louvain, Leiden and the Bethe Hessian see by themselves, and their modularity.
    communities: dict[str, list[MeanInterval]]
    modularity_of_their_own: dict[str, list[MeanInterval]]
    # Communities of Louvain and of Leiden that are in pieces, over all graphs.
    in_pieces: dict[str, int]


def methods_of(graph: Graph, rates: Rates, config: Config, generator: torch.Generator) -> dict[str, Callable]:
    """Return the methods by name; each returns two communities. Only belief propagation knows the rates."""
    nothing = torch.zeros(graph.num_nodes, 2)
    return {
        CEILING: lambda: belief_propagation(graph, rates, nothing, generator).argmax(dim=1).tolist(),
        "Bethe Hessian": lambda: bethe_communities(graph, 2),
        "normalised adjacency": lambda: spectral_communities(graph, 2),
        "DMoN": lambda: train_soft_communities(graph, 2, steps=config.steps),
    }


def compare(config: Config, signal: float, seed: int) -> dict[str, dict[str, float]]:
    """Draw a graph and return measures by name and method."""
    generator = seed_everything(seed)
    rates = rates_of(config.degree, signal, 2)
    graph, labels = block_model(config.nodes, rates, generator)
    groups, whole = labels.tolist(), WeightedGraph.of(graph)
    found = {name: find() for name, find in methods_of(graph, rates, config, generator).items()}
    own = {"Louvain": louvain(graph, generator), "Leiden": leiden(graph, generator)}
    found |= {f"{name}, merged to two": merged_to(graph, partition, 2) for name, partition in own.items()}
    return {
        "accuracy": {name: best_naming(partition, groups) for name, partition in found.items()},
        "control": {name: shuffled_control(partition, groups, generator) for name, partition in found.items()},
        "modularity": {name: modularity(whole, p) for name, p in {"the true groups": groups, **found}.items()},
        "communities": {"Bethe Hessian": count_communities(graph), **{n: 1 + max(p) for n, p in own.items()}},
        "own": {name: modularity(whole, partition) for name, partition in own.items()},
        "pieces": {name: max(connected_parts(whole, p)) - max(p) for name, p in own.items()},
    }


def print_tables(results: Results) -> None:
    """Print accuracy and modularity of two communities, then what Louvain, Leiden and the Bethe Hessian choose."""
    print(f"{'signal':<26}", "  ".join(f"{signal:6.2f}" for signal in results.signals))
    own = {f"{name}, its own": values for name, values in results.modularity_of_their_own.items()}
    tables = {
        "accuracy": results.accuracy,
        "modularity": {**results.modularity, **own},
        "how many": results.communities,
    }
    for title, table in tables.items():
        print(title)
        for name, values in table.items():
            print(f"  {name:<24}", "  ".join(f"{mean:6.3f}" for mean, _ in values))
    print(f"{CONTROL:<26}", "  ".join(f"{mean:6.3f}" for mean in results.controls))
    print(f"communities in pieces: {results.in_pieces}")


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    graphs: dict[float, list] = {signal: [] for signal in config.signals}
    for signal, seed in tqdm(list(product(config.signals, config.seeds)), desc="graphs"):
        graphs[signal].append(compare(config, signal, config.seed + seed))

    def means(measure: str) -> dict[str, list[MeanInterval]]:
        names = graphs[config.signals[0]][0][measure]
        return {name: [mean_interval([g[measure][name] for g in seeds]) for seeds in graphs.values()] for name in names}

    controls = means("control")
    results = Results(
        signals=list(config.signals),
        accuracy=means("accuracy"),
        modularity=means("modularity"),
        controls=[max(values[place][0] for values in controls.values()) for place in range(len(graphs))],
        communities=means("communities"),
        modularity_of_their_own=means("own"),
        in_pieces={
            name: sum(graph["pieces"][name] for seeds in graphs.values() for graph in seeds)
            for name in ("Louvain", "Leiden")
        },
    )
    print_tables(results)
    return results


def plot(results: Results) -> Figure:
    """Draw accuracy and modularity against the signal."""
    figure, axes = new_figure(11, 4.2, columns=2)
    for number, (name, values) in enumerate(results.accuracy.items()):
        shift = [signal + 0.012 * (number - 2.5) for signal in results.signals]
        style = {"color": COLOURS[number], "marker": MARKERS[number], "markersize": 4, "capsize": 2, "label": name}
        axes[0].errorbar(shift, [mean for mean, _ in values], error_bars([half for _, half in values]), **style)
    axes[0].plot(results.signals, results.controls, color="0.5", linestyle="--", label=CONTROL)
    axes[0].axvline(1, ymax=0.74, color="0.4", linestyle=":", label="threshold")
    axes[0].set(xlabel="signal", ylabel="accuracy", ylim=(0.45, 1.45), title="two communities against two groups")
    axes[0].legend(fontsize=8, loc="upper center", ncols=2)
    # A method has the same colour and marker in both panels.
    places = {name.partition(",")[0]: number for number, name in enumerate(results.accuracy)}
    own = {f"{name} (its own number)": values for name, values in results.modularity_of_their_own.items()}
    shown = {**own, **{name: results.modularity[name] for name in ("Bethe Hessian", "DMoN", "the true groups")}}
    for name, values in shown.items():
        number = places.get(name.partition(" (")[0])
        style = {"color": "black", "linestyle": "--"} if number is None else {
            "color": COLOURS[number], "marker": MARKERS[number], "markersize": 5
        }  # fmt: skip
        bars = error_bars([half for _, half in values])
        axes[1].errorbar(results.signals, [mean for mean, _ in values], bars, capsize=2, label=name, **style)
    axes[1].set(xlabel="signal", ylabel="modularity", title="what modularity says", ylim=(0, None))
    axes[1].legend(fontsize=8, loc="lower right")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)

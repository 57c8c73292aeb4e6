"""How much do earlier and later times help to find groups that change?

    uv run sprints/27_graphs_downstream/communities_that_change.py
    uv run sprints/27_graphs_downstream/communities_that_change.py --memories 0.9 --signals 0.6 --seeds 0

Two groups at ten times; a node keeps its group with a probability, the memory. Belief propagation through time with the
true parameters is the ceiling. Theory: notes/09_communities_that_change.md
"""

from dataclasses import dataclass
from itertools import product
from typing import Annotated

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from downstream.changing_blocks import beliefs_through_time, changing_blocks, regularised_vector, smoothed, threshold
from downstream.spectral_communities import best_naming
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.graph.block_models import belief_propagation, rates_of
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, Different, PositiveFloat, PositiveInt, Seeds, Share
from shared.lab.run import run
from shared.lab.runtime import seed_everything

THROUGH, ALONE, SMOOTHED = "through time", "each time alone", "smoothed, eigenvector"
CONTROL = "shuffled control"


@dataclass(frozen=True)
class Config(ScriptConfig):
    nodes: PositiveInt = 300  # nodes, the same at all times
    times: AtLeastTwo = 10  # graphs
    degree: PositiveFloat = 5.0  # mean number of neighbours
    memories: Annotated[tuple[Share, ...], Different] = (0.0, 0.6, 0.9)  # probabilities to keep the group
    signals: Annotated[tuple[float, ...], Different] = (0.2, 0.5, 0.8, 1.1, 1.4, 1.7)  # lambda
    seeds: Seeds = (0, 1, 2, 3, 4)  # each draws other groups and graphs

    def check(self) -> None:
        """Check that such graphs exist."""
        for signal in self.signals:
            rates_of(self.degree, signal, 2)


@dataclass(frozen=True)
class Results:
    signals: list[float]
    # By memory: the threshold for many times and many nodes.
    thresholds: dict[str, float]
    # By memory, method and signal: mean accuracy over times, and half of the 95 % interval over the seeds.
    accuracy: dict[str, dict[str, list[MeanInterval]]]


def compare(config: Config, memory: float, signal: float, seed: int) -> dict[str, float]:
    """Draw graphs, and return each method's accuracy, the mean over the times."""
    generator = seed_everything(seed)
    rates = rates_of(config.degree, signal, 2)
    graphs, groups = changing_blocks(config.nodes, config.times, rates, memory, generator)
    nothing = torch.zeros(config.nodes, 2)
    found = {
        THROUGH: beliefs_through_time(graphs, rates, memory, generator).argmax(dim=2),
        ALONE: [belief_propagation(graph, rates, nothing, generator).argmax(dim=1) for graph in graphs],
        SMOOTHED: [(regularised_vector(smoothed(graphs, time, memory)) > 0).long() for time in range(config.times)],
    }
    order = torch.randperm(config.nodes, generator=generator)

    def score(partitions: torch.Tensor | list[torch.Tensor], truth: torch.Tensor) -> float:
        pairs = zip(partitions, truth, strict=True)
        return sum(best_naming(one.tolist(), other.tolist()) for one, other in pairs) / config.times

    return {name: score(partitions, groups) for name, partitions in found.items()} | {
        CONTROL: score(found[THROUGH], groups[:, order])
    }


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    scores: dict[tuple[float, float], list[dict[str, float]]] = {}
    for memory, signal, seed in tqdm(list(product(config.memories, config.signals, config.seeds)), desc="sequences"):
        scores.setdefault((memory, signal), []).append(compare(config, memory, signal, config.seed + seed))
    results = Results(
        signals=list(config.signals),
        thresholds={f"{memory:g}": threshold(memory) for memory in config.memories},
        accuracy={
            f"{memory:g}": {
                name: [mean_interval([run[name] for run in scores[memory, signal]]) for signal in config.signals]
                for name in (THROUGH, ALONE, SMOOTHED, CONTROL)
            }
            for memory in config.memories
        },
    )
    for memory, methods in results.accuracy.items():
        print(f"memory {memory}, threshold {results.thresholds[memory]:.3f}; signals {config.signals}")
        for name, values in methods.items():
            print(f"  {name:<22}", "  ".join(f"{mean:.3f}" for mean, _ in values))
    return results


def plot(results: Results) -> Figure:
    """Draw accuracy against signal, a panel for each memory."""
    figure, axes = new_figure(4 * len(results.accuracy), 3.8, columns=len(results.accuracy))
    for number, (memory, methods) in enumerate(results.accuracy.items()):
        axis = axes[number] if len(results.accuracy) > 1 else axes
        for place, (name, values) in enumerate(methods.items()):
            signals = [signal + 0.015 * (place - 1.5) for signal in results.signals]
            means, halves = zip(*values, strict=True)
            axis.errorbar(signals, means, error_bars(halves), marker="osDx"[place], markersize=4, capsize=2, label=name)
        axis.axvline(results.thresholds[memory], color="0.4", linestyle=":", label="threshold")
        axis.set(xlabel="signal", ylabel="accuracy", title=f"memory {memory}", ylim=(0.45, 1.02))
        if number == 0:
            axis.legend(fontsize=8, loc="upper left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"accuracy.*": TRAINED})

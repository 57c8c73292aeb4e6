"""When was a community born, and when did two become one? Events with a known date, found by counting and matching.

    uv run sprints/27_graphs_downstream/births_and_merges.py
    uv run sprints/27_graphs_downstream/births_and_merges.py --signals 2 --seeds 0

Four groups at first. Two of them become one, and four graphs later half of it leaves as a group of its own. The Bethe
Hessian says how many communities each graph has. Theory: notes/09_communities_that_change.md
"""

from dataclasses import dataclass
from itertools import pairwise, product
from typing import Annotated

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from downstream.changing_blocks import graph_of_groups
from downstream.events import Event, events_between
from downstream.spectral_communities import bethe_communities, count_communities
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.graph.block_models import rates_of
from shared.graph.graphs import Graph
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run
from shared.lab.runtime import seed_everything

TIMES, MERGE, BIRTH = 12, 4, 8  # graphs, and the first one after each event
TRUTH = {(BIRTH - 1, "birth"), (MERGE - 1, "merge")}  # by the graph before it


@dataclass(frozen=True)
class Config(ScriptConfig):
    nodes: PositiveInt = 400  # nodes, the same at all times
    degree: PositiveFloat = 12.0  # mean number of neighbours, while there are four equal groups
    signals: Annotated[tuple[float, ...], Different] = (0.8, 1.4, 2.0, 2.6)  # lambda of four equal groups
    smallest: PositiveInt = 20  # nodes that a community of an event has at least
    seeds: Seeds = (0, 1, 2, 3, 4)  # each draws other graphs

    def check(self) -> None:
        """Check that such graphs exist."""
        for signal in self.signals:
            rates_of(self.degree, signal, 4)


@dataclass(frozen=True)
class Results:
    signals: list[float]
    true_counts: list[int]
    # By signal: the mean number of communities at each time, and half of the 95 % interval.
    counts: dict[str, list[MeanInterval]]
    # By signal: how many of the true events were found at their time, and how many others, a sequence.
    found: dict[str, MeanInterval]
    false: dict[str, MeanInterval]


def groups_at(time: int, nodes: int) -> torch.Tensor:
    """Return the groups of a time: four quarters, then the last two are one, then every second node of it leaves."""
    groups = torch.arange(nodes) * 4 // nodes
    if time >= MERGE:
        groups[groups == 3] = 2
    if time >= BIRTH:
        groups[nodes // 2 :: 2] = 3
    return groups


def partition_of(graph: Graph, seed: int) -> list[int]:
    """Return as many communities as the Bethe Hessian has eigenvalues below 0."""
    return bethe_communities(graph, max(1, count_communities(graph)), seed)


def follow(config: Config, signal: float, seed: int) -> tuple[list[int], set[tuple[int, str]], list[Event]]:
    """Return the number of communities at each time, and which events were found behind which graph."""
    generator = seed_everything(seed)
    affinity = rates_of(config.degree, signal, 4).affinity()
    graphs = [graph_of_groups(groups_at(time, config.nodes), affinity, generator) for time in range(TIMES)]
    partitions = [partition_of(graph, seed) for graph in graphs]
    events = [events_between(*pair, config.smallest) for pair in pairwise(partitions)]
    kinds = {(time, event.kind) for time, found in enumerate(events) for event in found}
    return [1 + max(partition) for partition in partitions], kinds, [event for found in events for event in found]


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    runs: dict[str, list] = {f"{signal:g}": [] for signal in config.signals}
    for signal, seed in tqdm(list(product(config.signals, config.seeds)), desc="sequences"):
        runs[f"{signal:g}"].append(follow(config, signal, config.seed + seed))
    results = Results(
        signals=list(config.signals),
        true_counts=[len(groups_at(time, config.nodes).unique()) for time in range(TIMES)],
        counts={
            name: [mean_interval([counts[time] for counts, _, _ in sequences]) for time in range(TIMES)]
            for name, sequences in runs.items()
        },
        found={name: mean_interval([len(TRUTH & kinds) for _, kinds, _ in each]) for name, each in runs.items()},
        false={name: mean_interval([len(kinds - TRUTH) for _, kinds, _ in each]) for name, each in runs.items()},
    )
    print("communities by time:", results.true_counts)
    for name, counts in results.counts.items():
        print(f"signal {name:<5}", "  ".join(f"{mean:.1f}" for mean, _ in counts), end="   ")
        print(f"events found {results.found[name][0]:.1f} of 2, false ones {results.false[name][0]:.1f}")
    return results


def plot(results: Results) -> Figure:
    """Draw the number of communities that are seen against time, a line for each signal."""
    figure, axis = new_figure(8, 4)
    axis.step(range(TIMES), results.true_counts, where="mid", color="black", linewidth=2, label="true number")
    for number, (name, counts) in enumerate(results.counts.items()):
        means, halves = zip(*counts, strict=True)
        times = [time + 0.08 * (number - 1.5) for time in range(TIMES)]
        style = {
            "marker": "osDv^"[number % 5],
            "markersize": 4,
            "capsize": 2,
            "linewidth": 1,
            "label": f"signal {name}",
        }
        axis.errorbar(times, means, error_bars(halves), **style)
    axis.set(xlabel="time", ylabel="communities that are seen", ylim=(0, None))
    axis.legend(fontsize=8, ncols=5, loc="lower center")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"counts.*": TRAINED, "found.*": TRAINED, "false.*": TRAINED})

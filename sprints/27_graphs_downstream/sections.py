"""What tells the section of a package: its description, its neighbours, or both?

    SPRINTS_DATA=DIR uv run sprints/27_graphs_downstream/sections.py
    SPRINTS_DATA=DIR uv run sprints/27_graphs_downstream/sections.py --preset all

DIR/debian/packages.tsv.gz holds Debian's packages. Families (packages that share their first paragraph) stay together
in one of the three splits. Theory: notes/12_words_on_nodes.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from torch import nn
from tqdm import tqdm

from downstream.debian_nodes import DebianNodes, debian_nodes
from downstream.means_as_products import LargeWordsAndNeighbours
from downstream.node_training import Nodes, WordsOnly, search_and_fit
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run

NETWORKS = ("words", "links", "words and links")
PRESETS = {"all": {"steps": 200, "rates": (0.003, 0.01, 0.03), "seeds": (0, 1, 2, 3, 4)}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    packages: PositiveInt = 63_440  # so many, drawn at random, with the links among them
    words: PositiveInt = 256  # numbers that a description becomes: counts of words, weighted, and reduced by an SVD
    least: PositiveInt = 30  # packages of a section that is asked for; smaller ones are left out
    hidden: PositiveInt = 64  # features between the layers
    steps: PositiveInt = 40  # optimizer steps
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (0.01,)  # learning rates tried with the first seed
    threads: PositiveInt = 2  # of the processor
    seeds: Seeds = (0,)  # each draws the splits and the weights anew


@dataclass(frozen=True)
class Results:
    packages: int
    links: int
    sections: int
    alone: float  # share of packages without any link
    most_frequent: MeanInterval  # share of the largest section among the test packages
    right: dict[str, MeanInterval]  # share of test packages, by what is read
    gain: MeanInterval  # of both over the better one, by seed
    families: float  # mean number of packages of a family


def arms(data: DebianNodes, config: Config) -> dict[str, tuple[Nodes, bool, Callable[[], nn.Module]]]:
    """Return what each network reads, whether labels of training packages are told, and what makes it."""
    words, hidden, classes, graph = config.words, config.hidden, data.sections, data.nodes.graph
    no_words = data.nodes._replace(features=torch.ones(len(data.nodes.labels), 1))
    return {
        "words": (data.nodes, False, lambda: WordsOnly(words, hidden, classes, 0.5)),
        "links": (no_words, True, lambda: LargeWordsAndNeighbours(graph, 1 + classes, hidden, classes, 0.2)),
        "words and links": (
            data.nodes, True, lambda: LargeWordsAndNeighbours(graph, words + classes, hidden, classes, 0.5),
        ),
    }  # fmt: skip


def main(config: Config) -> Results:
    torch.set_num_threads(config.threads)
    rows: list[dict[str, float]] = []
    frequent, rates = [], dict.fromkeys(NETWORKS, config.rates)
    for seed in tqdm(config.seeds, unit="seed"):
        data = debian_nodes(config.packages, config.words, config.least, seed)
        nodes = data.nodes
        found = {}
        for name, (own, tell, make) in arms(data, config).items():
            found[name], (rate, _) = search_and_fit(
                make, own, seed, steps=config.steps, rates=rates[name], decays=(0.0005,), tell=tell
            )
            rates[name] = (rate,)  # chosen on the validation packages of the first seed, for all
            print(f"seed {seed}, {name}: {found[name]:.3f} with a rate of {rate}", flush=True)
        rows.append(found)
        largest = nodes.labels[nodes.train].bincount().argmax()
        frequent.append((nodes.labels[nodes.test] == largest).double().mean().item())
    right = {name: mean_interval([row[name] for row in rows]) for name in rows[0]}
    better = max(("words", "links"), key=lambda name: right[name][0])
    gain = mean_interval([row["words and links"] - row[better] for row in rows])
    print(f"both are {100 * gain[0]:.1f} points above {better}, the better one")
    return Results(
        len(nodes.labels), nodes.graph.num_edges, data.sections, data.alone, mean_interval(frequent), right, gain,
        data.per_family,
    )  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw the shares beside that of the largest section."""
    figure, axes = new_figure(6.0, 3.0)
    bars = {"largest section": results.most_frequent, **results.right}
    means, halves = [mean for mean, _ in bars.values()], error_bars([half for _, half in bars.values()])
    axes.barh(list(bars), means, xerr=halves, color=["0.75", *COLOURS[:3]], capsize=3)
    axes.invert_yaxis()
    axes.set(xlabel="share of test packages whose section is right", xlim=(0, 1))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED})

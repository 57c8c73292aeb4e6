"""How many false links does it take until the closure is one giant cluster? Random links among records of n persons.

    uv run sprints/26_dynamic_knowledge_graph/giant_cluster.py
    uv run sprints/26_dynamic_knowledge_graph/giant_cluster.py --persons 500 --seeds 10

Every person has one record, so each link is false. Theory: notes/05_from_pairs_to_entities.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from knowledge.clusters import closure
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, PositiveFloat, PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    persons: AtLeastTwo = 2000  # n
    links: tuple[PositiveFloat, ...] = (
        0.25,
        0.5,
        0.75,
        1,
        1.25,
        1.5,
        2,
        3,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
    )  # false ones a record
    seeds: PositiveInt = 20  # random graphs of each number


@dataclass(frozen=True)
class Results:
    """By the average number of false links that a record has: the share of the largest cluster, and of all in one."""

    links: list[float]
    rate: list[float]  # false positive rate of a pair
    largest: list[MeanInterval]
    formula: list[float]  # share of the giant cluster where n is large
    all_one: list[float]  # share of graphs in one piece
    threshold: float  # ln n: from about here on all are one


def giant_share(links: float) -> float:
    """Return the largest root of S = 1 - exp(-c S), the giant cluster's share at c links a record; 0 up to c = 1."""
    share = 1.0 if links > 1 else 0.0
    for _ in range(200):
        share = 1 - math.exp(-links * share)
    return share


def false_links(persons: int, rate: float, generator: torch.Generator) -> list[tuple[int, int]]:
    """Return the pairs that a rule with this false positive rate links, each pair on its own (Erdos and Renyi)."""
    pairs = persons * (persons - 1) // 2
    count = int(torch.binomial(torch.tensor(float(pairs)), torch.tensor(rate), generator=generator))
    found: set[tuple[int, int]] = set()
    while len(found) < count:
        a, b = torch.randint(persons, (2, count), generator=generator).tolist()
        found.update((min(i, j), max(i, j)) for i, j in zip(a, b, strict=True) if i != j)
    pool = sorted(found)
    return [pool[place] for place in torch.randperm(len(pool), generator=generator)[:count].tolist()]


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(config.seed)
    rates, largest, all_one = [], [], []
    for links in config.links:
        rate = min(1.0, links / (config.persons - 1))
        shares = []
        for _ in range(config.seeds):
            labels = torch.tensor(closure(config.persons, false_links(config.persons, rate, generator)))
            shares.append(int(labels.bincount().max()) / config.persons)
        rates.append(rate)
        largest.append(mean_interval(shares))
        all_one.append(sum(share == 1 for share in shares) / config.seeds)
        print(f"{links:5.2f} false links a record: largest {largest[-1][0]:.3f}, all in one {all_one[-1]:.2f}")
    formula = [giant_share(links) for links in config.links]
    return Results(list(config.links), rates, largest, formula, all_one, math.log(config.persons))


def plot(results: Results) -> Figure:
    """Draw the share of the largest cluster, its formula, and how often all records are one."""
    figure, axes = new_figure(7, 3.6)
    axes.plot(results.links, results.formula, color=COLOURS[0])
    halves = error_bars([half for _, half in results.largest])
    axes.errorbar(results.links, [mean for mean, _ in results.largest], yerr=halves, fmt="o", color=COLOURS[0])
    axes.plot(results.links, results.all_one, "s--", color=COLOURS[3])
    axes.axvline(1, color="#888888", linestyle=":")
    axes.axvline(results.threshold, color="#888888", linestyle=":")
    axes.text(1.1, 0.02, "1", color="#555555")
    axes.text(results.threshold + 0.1, 0.02, "ln n", color="#555555")
    axes.text(2.6, 0.82, "share of the largest cluster", color=COLOURS[0])
    axes.text(results.threshold + 0.35, 0.35, "share of graphs\nin one piece", color=COLOURS[3])
    axes.set(xlabel="false links a record has on average", ylim=(-0.03, 1.05), xlim=(0, max(results.links) * 1.02))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TRAINED})

"""From pairs to persons: how precise are clusters of each size, by closure, by pivot, and by sums of weights?

    uv run sprints/26_dynamic_knowledge_graph/precision_by_size.py
    uv run sprints/26_dynamic_knowledge_graph/precision_by_size.py --persons 80 --seeds 3

Persons have 1 to 8 records. One world chooses each rule's threshold, another one tests it. Theory:
notes/05_from_pairs_to_entities.md
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float64, Int64
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from knowledge.clusters import agglomerate, closure, pivot
from knowledge.comparisons import person_comparisons
from knowledge.contexts import choose_subjects, context_bits
from knowledge.optimum import World, draw_world, log_ratios
from knowledge.persons import zipf
from knowledge.scores import cluster_scores
from knowledge.weighing import Reason, reasons, weigh
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run

UNKNOWN = -12.0  # bits: what is below counts as this much, as a pair that nobody compared
SIZES = {"2": (2, 2), "3 to 4": (3, 4), "5 to 8": (5, 8), "more": (9, 10**9)}
Rule = Callable[[int, dict[tuple[int, int], float]], list[int]]


@dataclass(frozen=True)
class Config(ScriptConfig):
    persons: AtLeastTwo = 150  # of each world
    most: PositiveInt = 8  # records of a person, at most
    seeds: PositiveInt = 12  # pairs of worlds
    thresholds: tuple[float, ...] = (-4, -2, 0, 2, 4, 6, 8)  # bits, tried in the first world


@dataclass(frozen=True)
class Results:
    f1: dict[str, MeanInterval]  # of pairs within a cluster, by rule
    precision: dict[str, MeanInterval]
    recall: dict[str, MeanInterval]
    largest: dict[str, MeanInterval]  # records of the largest cluster
    ahead: dict[str, MeanInterval]  # points of F1 by which sums are ahead of the closure, from world to world
    by_size: dict[str, dict[str, MeanInterval | None]]  # precision of pairs in clusters of that size
    explained: list[Reason]  # why two records of the first tested world are one person


def rules(generator: torch.Generator) -> dict[str, Rule]:
    """Return the ways from links to clusters."""
    return {
        "closure": lambda count, links: closure(count, [pair for pair, bits in links.items() if bits > 0]),
        "pivot": lambda count, links: pivot(count, [pair for pair, bits in links.items() if bits > 0], generator),
        "sums": lambda count, links: agglomerate(count, links, unknown=UNKNOWN).labels,
    }


def weights_of(world: World, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor], list[Reason]]:
    """Return the pairs of a world, their learnt and their exact log odds, and one pair explained."""
    records = world.records
    pairs = torch.combinations(torch.arange(len(records)))
    kinds = person_comparisons(records)
    weighed = weigh(records, None, pairs, kinds, 0.01)
    about = [record.about for record in records]
    bits = weighed.bits.clone()
    bits[:, -1] = context_bits(choose_subjects(about, (6, 8, 10, 12), generator), about, about, pairs)
    same = world.owners[pairs[:, 0]] == world.owners[pairs[:, 1]]
    odds = torch.logit(same.double().mean()) / torch.log(torch.tensor(2.0))
    exact = log_ratios(records, records)[pairs[:, 0], pairs[:, 1]] + odds
    learnt = bits.sum(dim=1) + weighed.evidence.prior()
    place = int(torch.where((weighed.levels[:, 0] == 3) & (learnt > 0), learnt, -torch.inf).argmax())
    a, b = pairs[place].tolist()
    why = reasons(records[a], records[b], weighed.levels[place].tolist(), bits[place].tolist(), kinds)
    return pairs, {"learnt": learnt, "exact": exact}, why


def clusters(rule: Rule, count: int, pairs: Int64[Tensor, "n 2"], weights: Float64[Tensor, " n"]) -> list[int]:
    """Return what a rule makes of the pairs whose weights are not hopeless."""
    kept = weights > UNKNOWN
    return rule(count, dict(zip(map(tuple, pairs[kept].tolist()), weights[kept].tolist(), strict=True)))


def precision_of(labels: list[int], owners: Int64[Tensor, " n"], low: int, high: int) -> float | None:
    """Return the precision of the pairs in clusters of these sizes; None if there are none."""
    found = torch.tensor(labels)
    sizes = found.bincount()[found]
    chosen = (sizes >= low) & (sizes <= high)
    return cluster_scores(found[chosen].tolist(), owners[chosen]).precision if chosen.any() else None


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    figures: dict[str, dict[str, list[float]]] = {name: {} for name in ("f1", "precision", "recall", "largest")}
    by_size: dict[str, dict[str, list[float]]] = {}
    explained: list[Reason] = []
    for seed in tqdm(range(config.seed, config.seed + config.seeds), unit="pair of worlds"):
        generator = torch.Generator().manual_seed(seed)
        sizes = torch.multinomial(zipf(config.most), 2 * config.persons, True, generator=generator) + 1
        worlds = [draw_world(part.tolist(), generator) for part in sizes.chunk(2)]
        (tried, before, _), (pairs, weights, why) = (weights_of(world, generator) for world in worlds)
        explained = explained or why
        for kind in weights:
            for name, rule in rules(generator).items():
                threshold = max(config.thresholds, key=lambda bits: _f1(rule, worlds[0], tried, before[kind] - bits))
                labels = clusters(rule, len(worlds[1].records), pairs, weights[kind] - threshold)
                found, title = cluster_scores(labels, worlds[1].owners), f"{name}, {kind} weights"
                largest = float(torch.tensor(labels).bincount().max())
                for column, value in zip(
                    figures.values(), (found.f1, found.precision, found.recall, largest), strict=True
                ):
                    column.setdefault(title, []).append(value)
                for size, ends in SIZES.items():
                    row = by_size.setdefault(title, {}).setdefault(size, [])
                    if (precision := precision_of(labels, worlds[1].owners, *ends)) is not None:
                        row.append(precision)
    means = [{title: mean_interval(values) for title, values in column.items()} for column in figures.values()]
    for title, (mean, _) in means[0].items():
        print(f"{title:<24} F1 {mean:.3f}, largest cluster {means[3][title][0]:.1f}")
    ahead = {
        kind: mean_interval([100 * (a - b) for a, b in zip(*_both(figures["f1"], kind), strict=True)])
        for kind in ("learnt", "exact")
    }
    return Results(
        *means,
        ahead,
        {t: {s: mean_interval(v) if v else None for s, v in row.items()} for t, row in by_size.items()},
        explained,
    )


def _both(f1: dict[str, list[float]], kind: str) -> tuple[list[float], list[float]]:
    return f1[f"sums, {kind} weights"], f1[f"closure, {kind} weights"]


def _f1(rule: Rule, world: World, pairs: Tensor, weights: Tensor) -> float:
    return cluster_scores(clusters(rule, len(world.records), pairs, weights), world.owners).f1


def plot(results: Results) -> Figure:
    """Draw the precision of clusters by their size, for the learnt weights."""
    figure, axes = new_figure(7, 3.4)
    titles = [title for title in results.by_size if "learnt" in title]
    for shift, title in enumerate(titles):
        row = [(place, found) for place, found in enumerate(results.by_size[title].values()) if found]
        places = [place + 0.12 * (shift - 1) for place, _ in row]
        halves = error_bars([found[1] for _, found in row])
        axes.errorbar(places, [found[0] for _, found in row], yerr=halves, fmt="o-", color=COLOURS[shift], label=title)
    axes.set_xticks(range(len(SIZES)), list(SIZES))
    axes.set(xlabel="records of the cluster that was found", ylabel="precision of its pairs")
    axes.legend(loc="lower left")
    axes.set_title("a point without an interval: one such cluster, or all equally precise", fontsize=8, loc="right")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TRAINED})

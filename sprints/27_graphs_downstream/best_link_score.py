"""How good can a score of links be? Block models whose groups are known: the ceiling, and heuristics below it.

    uv run sprints/27_graphs_downstream/best_link_score.py
    uv run sprints/27_graphs_downstream/best_link_score.py --groups 4 --degree 20

A tenth of the edges is hidden. Scores see the rest; the oracle sees the groups. Theory: notes/01_what_a_score_can_be.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from downstream.heuristics import HEURISTICS
from downstream.link_scores import auc, draw_unlinked, hide_edges
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.graph.block_models import Rates, belief_propagation, block_model, rates_of
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, Different, PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run

BELIEFS, ORACLE = "beliefs", "the groups themselves"


@dataclass(frozen=True)
class Config(ScriptConfig):
    nodes: PositiveInt = 600  # nodes of a graph
    groups: AtLeastTwo = 2  # of equal size
    degree: PositiveFloat = 12.0  # mean number of neighbours
    signals: Annotated[tuple[float, ...], Different] = (0.5, 1.0, 1.5, 2.0, 3.0)  # of the groups; the threshold is 1
    hidden: PositiveFloat = 0.1  # share of the edges that is looked for
    seeds: Seeds = (0, 1, 2, 3, 4)  # each draws other graphs


@dataclass(frozen=True)
class Results:
    signals: list[float]
    ceiling: list[float]  # 1/2 + 1/2 (share of edges inside a group - 1 / groups), by formula
    aucs: dict[str, list[MeanInterval]]


def ceiling(rates: Rates) -> float:
    """Return the AUC of the score "same group" in a large graph: right pairs are linked, wrong ones any two nodes."""
    inside = rates.inside / (rates.inside + (rates.num_classes - 1) * rates.outside)
    return 0.5 + 0.5 * (inside - 1 / rates.num_classes)


def scores_of(signal: float, config: Config, seed: int) -> dict[str, float]:
    """Return the AUC of each score on one graph."""
    generator = torch.Generator().manual_seed(seed)
    rates = rates_of(config.degree, signal, config.groups)
    graph, groups = block_model(config.nodes, rates, generator)
    seen, hidden = hide_edges(graph, config.hidden, generator)
    wrong = draw_unlinked(graph, len(hidden), generator)
    pairs = torch.cat([hidden, wrong])
    scores = {name: score(seen, pairs) for name, score in HEURISTICS.items()}
    known = Rates((1 - config.hidden) * rates.inside, (1 - config.hidden) * rates.outside, config.groups)
    beliefs = belief_propagation(seen, known, torch.zeros(config.nodes, config.groups), generator, rounds=80)
    affinity = known.affinity()
    scores[BELIEFS] = ((beliefs[pairs[:, 0]] @ affinity) * beliefs[pairs[:, 1]]).sum(dim=1)
    scores[ORACLE] = (groups[pairs[:, 0]] == groups[pairs[:, 1]]).double()
    return {name: auc(score[: len(hidden)], score[len(hidden) :]) for name, score in scores.items()}


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    aucs: dict[str, list[MeanInterval]] = {}
    limits = []
    for signal in tqdm(config.signals, unit="signal"):
        rows = [scores_of(signal, config, seed) for seed in config.seeds]
        limits.append(ceiling(rates_of(config.degree, signal, config.groups)))
        for name in rows[0]:
            aucs.setdefault(name, []).append(mean_interval([row[name] for row in rows]))
        shown = ", ".join(f"{name} {values[-1][0]:.3f}" for name, values in aucs.items())
        print(f"signal {signal:g}: ceiling {limits[-1]:.3f}; {shown}", flush=True)
    return Results(list(config.signals), limits, aucs)


def coincide(first: list[MeanInterval], second: list[MeanInterval]) -> bool:
    """Return whether two curves cannot be told apart in the figure: their means differ by 0.002 at most."""
    return all(abs(one - other) <= 0.002 for (one, _), (other, _) in zip(first, second, strict=True))


def plot(results: Results) -> Figure:
    """Draw the AUC of each score over the signal, below the ceiling."""
    figure, axes = new_figure(7.0, 4.2)
    axes.plot(results.signals, results.ceiling, "--", color="black", label="ceiling, by formula")
    curves: dict[str, list[MeanInterval]] = {}  # those that coincide become one
    for name, values in results.aucs.items():
        twin = next((other for other, known in curves.items() if coincide(values, known)), None)
        if twin is not None and ORACLE not in (name, twin):
            curves = {f"{other}, {name}" if other == twin else other: known for other, known in curves.items()}
        else:
            curves[name] = values
    for number, (name, values) in enumerate(curves.items()):
        means, bars = [mean for mean, _ in values], error_bars([half for _, half in values])
        style = "s:" if name == ORACLE else "o-"
        colour = "0.4" if name == ORACLE else COLOURS[number % len(COLOURS)]
        places = [signal + 0.025 * (number - len(curves) // 2) for signal in results.signals]
        axes.errorbar(places, means, bars, fmt=style, color=colour, markersize=4, capsize=2, label=name)
    axes.set(xlabel="signal of the groups", ylabel="AUC of hidden edges against random pairs", ylim=(0.45, None))
    axes.legend(frameon=False, fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TRAINED})

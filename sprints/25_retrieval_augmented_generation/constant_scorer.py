"""What is a scorer worth that gives every document the same score? Chance, or whatever the evaluation makes of ties.

    uv run sprints/25_retrieval_augmented_generation/constant_scorer.py
    uv run sprints/25_retrieval_augmented_generation/constant_scorer.py --documents 10000

Theory: notes/02_how_good_is_a_ranking.md
"""

import math
import random
import statistics
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from retrieval.metrics import evaluate
from shared.lab.compare import ROUNDING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run

MEASURES = ("recall@1", "recall@10", "rr", "ndcg@10")


@dataclass(frozen=True)
class Config(ScriptConfig):
    documents: AtLeastTwo = 135  # of which one is relevant
    shuffles: PositiveInt = 10_000  # random orders, for the mean of what a scorer of noise gets


@dataclass(frozen=True)
class Results:
    documents: int
    chance: dict[str, float]  # by formula
    expected: dict[str, float]  # by our measures
    noise: dict[str, float]  # mean of random scores
    reciprocal_ranks: dict[str, float]  # of the constant scorer, by the way of counting
    ours_near: float  # reciprocal rank of a right document whose score is higher by 1e-8
    trec_near: float  # the same by trec_eval


def chance_of(documents: int) -> dict[str, float]:
    """Return what a random order gets: means over the places from the first to the last."""
    places = range(1, documents + 1)
    return {
        "recall@1": 1 / documents,
        "recall@10": min(10, documents) / documents,
        "rr": math.fsum(1 / place for place in places) / documents,
        "ndcg@10": math.fsum(1 / math.log2(place + 1) for place in places[:10]) / documents,
    }


def by_trec_eval(scores: dict[str, float], right: str) -> float:
    """Return the reciprocal rank that trec_eval computes."""
    import pytrec_eval

    evaluator = pytrec_eval.RelevanceEvaluator({"q": {right: 1}}, {"recip_rank"})
    return evaluator.evaluate({"q": scores})["q"]["recip_rank"]


def by_scikit_learn(count: int) -> float:
    """Return what scikit-learn's label ranking average precision makes of equal scores, one label being right."""
    from sklearn.metrics import label_ranking_average_precision_score

    return float(label_ranking_average_precision_score(np.eye(1, count), np.ones((1, count))))


def main(config: Config) -> Results:
    count, generator = config.documents, random.Random(config.seed)
    names = [f"d{number:07}" for number in range(count)]
    first, last = names[0], names[-1]
    constant = dict.fromkeys(names, 1.0)
    expected = {name: values[0] for name, values in evaluate({"q": constant}, {"q": {first: 1}}, MEASURES).items()}
    measured = [
        evaluate({"q": {name: generator.random() for name in names}}, {"q": {first: 1}}, MEASURES)
        for _ in range(config.shuffles)
    ]
    noise = {name: statistics.fmean(values[name][0] for values in measured) for name in MEASURES}
    # Python's sort keeps the order of equals, and so does a stable argsort.
    kept = 1 + sorted(range(count), key=lambda _: -1.0).index(0)
    reciprocal_ranks = {
        "all orders, our measure": expected["rr"],
        "place = 1 + how many are higher": 1.0,
        "place = how many are not lower": 1 / count,
        "scikit-learn, label ranking": by_scikit_learn(count),
        "the mean of the possible places": 2 / (count + 1),
        "stable sort, the right one stored first": 1 / kept,
        "trec_eval, the right one's name is the last": by_trec_eval(constant, last),
        "trec_eval, the right one's name is the first": by_trec_eval(constant, first),
    }
    near = {first: 1.0 + 1e-8, last: 1.0}
    ours_near = evaluate({"q": near}, {"q": {first: 1}}, ("rr",))["rr"][0]
    chance = chance_of(count)
    print("".ljust(12) + "".join(f"{name:>12}" for name in MEASURES))
    for title, values in (("chance", chance), ("expected", expected), ("noise", noise)):
        print(title.ljust(12) + "".join(f"{values[name]:>12.5f}" for name in MEASURES))
    for title, value in reciprocal_ranks.items():
        print(f"{title:<48}{value:.5f}")
    return Results(count, chance, expected, noise, reciprocal_ranks, ours_near, by_trec_eval(near, first))


def plot(results: Results) -> Figure:
    """Draw the reciprocal rank of the constant scorer by the way of counting, on a logarithmic axis."""
    figure, axes = new_figure(7.4, 3.4)
    ways = list(results.reciprocal_ranks.items())[::-1]
    values = [value for _, value in ways]
    colours = [COLOURS[2] if value == results.expected["rr"] else COLOURS[1] for value in values]
    axes.scatter(values, range(len(ways)), color=colours, zorder=3)
    axes.set_yticks(range(len(ways)), [name for name, _ in ways])
    axes.set(xscale="log", xlabel=f"reciprocal rank of a scorer that knows nothing, {results.documents} documents")
    axes.set_xlim(min(values) / 2, 3)
    for place, value in enumerate(values):
        axes.text(value * 1.15, place, f"{value:.4f}", va="center", fontsize=9)
    axes.axvline(results.chance["rr"], color="black", linestyle="--", linewidth=1)
    axes.text(results.chance["rr"] * 1.1, len(ways) - 1.6, "chance", fontsize=9)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": ROUNDING, "noise.*": Tolerance(relative=0.3)})

"""When does an index in cells need new centres? Five rules, in worlds whose topics move while vectors come and go.

    uv run sprints/26_dynamic_knowledge_graph/aging.py
    uv run sprints/26_dynamic_knowledge_graph/aging.py --drifts 0.3 --steps 40

Each rule has a threshold, chosen in some worlds and used in others. Theory: notes/13_an_index_that_changes.md
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from tqdm import tqdm

from knowledge.cells import Cells
from knowledge.drifting import DriftingTopics, nearness, recall, renewed, share_looked_at
from knowledge.vector_index import Flat, Vectors, faiss
from shared.checks.intervals import MeanInterval, mean_interval, show_interval
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, Fraction, NonNegativeFloat, PositiveFraction, PositiveInt
from shared.lab.run import run

SAMPLE = 30  # queries of the rule that measures recall
THRESHOLDS: dict[str, tuple[float, ...]] = {
    "never": (0.0,),
    "calendar": (8, 6, 4, 3, 2, 1),  # steps since the last training
    "imbalance": (1.3, 1.2, 1.1, 1.05, 1.02),  # times that behind the last training
    "nearness": (0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98),  # of new vectors, times that behind the last training
    "recall": (0.93, 0.95, 0.96, 0.97, 0.98, 0.99),  # of a sample of queries, compared with looking at all
}  # each from the fewest trainings to the most


@dataclass(frozen=True)
class Config(ScriptConfig):
    vectors: AtLeastTwo = 3000  # in the index, at any time
    features: AtLeastTwo = 32  # of a vector
    topics: PositiveInt = 30  # that move
    drifts: tuple[NonNegativeFloat, ...] = (0.05, 0.1, 0.2)  # how far topics move in a step, in turn of the worlds
    renewed: PositiveFraction = 0.1  # share of the vectors that a step replaces
    steps: AtLeastTwo = 20  # of a world
    cells: PositiveInt = 48  # of the index
    probed: PositiveInt = 6  # cells that a search looks into
    queries: PositiveInt = 100  # by which recall is measured in each step
    enough: Fraction = 0.95  # recall@10 that is wanted
    at_most: Fraction = 0.05  # share of the steps that may be below, in the worlds where thresholds are chosen
    chosen_in: PositiveInt = 6  # worlds for thresholds
    worlds: AtLeastTwo = 9  # worlds for figures


@dataclass(frozen=True)
class Course:
    """One world with one rule, step by step."""

    recall: list[float]
    looked_at: list[float]
    imbalance: list[float]  # times that of the first centres
    nearness: list[float]  # of the new vectors, times that of the first ones
    trained: list[int]  # the steps with a training


@dataclass(frozen=True)
class Score:
    threshold: float
    below: MeanInterval  # share of steps whose recall is below what is wanted
    lowest: float  # recall of the worst step of all worlds
    trainings: MeanInterval  # in a world


@dataclass(frozen=True)
class Results:
    scores: dict[str, Score]
    example: dict[str, Course]  # the fastest world for figures: with the first centres, and with those of a rule


def wants_training(rule: str, threshold: float, since: int, imbalance: float, near: float, measured: float) -> bool:
    """Return whether a rule says that it is time."""
    return {
        "never": False,
        "calendar": since >= threshold,
        "imbalance": imbalance > threshold,
        "nearness": near < threshold,
        "recall": measured < threshold,
    }[rule]


def course(config: Config, number: int, rule: str, threshold: float) -> Course:
    """Let one world run with one rule."""
    drift = config.drifts[number % len(config.drifts)]
    world = DriftingTopics(config.topics, config.features, drift, config.seed + number)
    exact = Flat(config.features, "drawn")
    index = Cells(config.features, "drawn", cells=config.cells, probed=config.probed)
    first = world.draw(config.vectors)
    index.train(first)
    for one in (exact, index):
        one.put(range(config.vectors), first)
    queries_of: Callable[[int], Vectors] = DriftingTopics.draw.__get__(world)
    beginning = base = (index.imbalance(), nearness(index, first))
    found, since = Course([], [], [], [], []), 0
    for step, new in enumerate(renewed(world, exact, index, config.steps, config.renewed), 1):
        since += 1
        arrived = exact.vectors(new)
        imbalance, near = index.imbalance(), nearness(index, arrived)
        sample = queries_of(SAMPLE)  # drawn for every rule, so that all see the same world
        measured = recall(index, exact, sample) if rule == "recall" else 1.0
        if wants_training(rule, threshold, since, imbalance / base[0], near / base[1], measured):
            index.train(exact.vectors(exact.numbers()))
            since, base = 0, (index.imbalance(), nearness(index, arrived))
            found.trained.append(step)
        queries = queries_of(config.queries)
        found.recall.append(recall(index, exact, queries))
        found.looked_at.append(share_looked_at(index, queries))
        found.imbalance.append(index.imbalance() / beginning[0])
        found.nearness.append(nearness(index, arrived) / beginning[1])
    return found


def score(config: Config, rule: str, threshold: float, numbers: range) -> Score:
    """Let a rule run in some worlds."""
    courses = [course(config, number, rule, threshold) for number in numbers]
    below = [float(np.mean([value < config.enough for value in one.recall])) for one in courses]
    trainings = mean_interval([float(len(one.trained)) for one in courses])
    return Score(threshold, mean_interval(below), min(min(one.recall) for one in courses), trainings)


def main(config: Config) -> Results:
    faiss.omp_set_num_threads(1)
    choosing = range(config.chosen_in)
    testing = range(config.chosen_in, config.chosen_in + config.worlds)
    scores: dict[str, Score] = {}
    for rule, thresholds in tqdm(THRESHOLDS.items(), "rules"):
        # The first threshold that does it has the fewest trainings.
        tried = ((threshold, score(config, rule, threshold, choosing)) for threshold in thresholds)
        chosen = next((threshold for threshold, one in tried if one.below[0] <= config.at_most), thresholds[-1])
        scores[rule] = score(config, rule, chosen, testing)
    for rule, one in scores.items():
        below = show_interval(*one.below, ".1%")
        print(f"{rule:<10} {one.threshold:<5g} below {config.enough}: {below}, lowest {one.lowest:.3f}, ", end="")
        print(f"trained {show_interval(*one.trainings, '.1f')} times")
    fastest = max(testing, key=lambda number: config.drifts[number % len(config.drifts)])
    kept = {rule: course(config, fastest, rule, scores[rule].threshold) for rule in ("never", "nearness")}
    return Results(scores, kept)


def plot(results: Results) -> Figure:
    """Draw recall, and the two signs that need no comparison, as centres age."""
    figure, (left, right) = new_figure(8.2, 3.5, 1, 2)
    for number, (name, label) in enumerate((("never", "first centres"), ("nearness", "new centres by nearness"))):
        one = results.example[name]
        steps = range(1, len(one.recall) + 1)
        left.plot(steps, one.recall, color=COLOURS[number], label=label)
        left.plot(one.trained, [one.recall[step - 1] for step in one.trained], "o", color=COLOURS[number], markersize=5)
    left.set(xlabel="step", ylabel="recall@10", ylim=(0.4, 1.01))
    left.legend(loc="lower left")
    aged = results.example["never"]
    right.plot(steps, aged.imbalance, color=COLOURS[2], label="imbalance of cells")
    right.plot(steps, aged.nearness, color=COLOURS[3], label="nearness of new vectors to centres")
    right.set(xlabel="step", ylabel="times that at the beginning", ylim=(0, None))
    right.legend(loc="lower left")
    return figure


if __name__ == "__main__":
    # K-means by another processor ends at other centres; counts and shares of steps move by a step or two.
    run(main, Config, plot=plot, tolerance={"scores.*": Tolerance(0.2, 0.5), "example.*": Tolerance(0.2, 2.0)})

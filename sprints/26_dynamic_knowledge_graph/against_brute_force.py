"""Does an index still hold what it should after thousands of random changes? Three kinds, each beside a dictionary.

    uv run sprints/26_dynamic_knowledge_graph/against_brute_force.py
    uv run sprints/26_dynamic_knowledge_graph/against_brute_force.py --changes 1000 --numbers 50

Theory: notes/13_an_index_that_changes.md
"""

from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from knowledge.cells import Cells
from knowledge.drifting import DriftingTopics
from knowledge.vector_index import Flat, VectorIndex, faiss
from knowledge.walks import Walks
from shared.checks.intervals import MeanInterval, mean_interval, show_interval
from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, OpenFraction, PositiveInt, Seeds
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    changes: AtLeastTwo = 10_000  # random ones
    numbers: PositiveInt = 3000  # that a vector may have; a number that comes again is an update
    put: OpenFraction = 0.7  # share of the changes that add or update, the others remove
    features: AtLeastTwo = 16  # of a vector
    every: PositiveInt = 500  # changes from one comparison to the next
    queries: PositiveInt = 20  # of a comparison
    seeds: Seeds = (0, 1, 2)  # courses


@dataclass(frozen=True)
class Kind:
    """One kind of index over all courses."""

    comparisons: int
    equal: int  # of these: all numbers and vectors are those of the dictionary
    recall: MeanInterval  # at 10, over the courses
    rebuilt: list[int]  # how often a graph was built anew


@dataclass(frozen=True)
class Results:
    kinds: dict[str, Kind]
    vectors: int  # at the end of the first course


def make(kind: str, config: Config, world: DriftingTopics) -> VectorIndex:
    """Return an empty index; cells get centres of other vectors of the world."""
    if kind == "flat":
        return Flat(config.features, "drawn")
    if kind == "walks":
        return Walks(config.features, "drawn")
    index = Cells(config.features, "drawn", cells=32, probed=8)
    index.train(world.draw(2000))
    return index


def course(config: Config, kind: str, seed: int) -> tuple[list[bool], list[float], VectorIndex]:
    """Let one index change, and compare it with a dictionary: whether they are equal, and recalls."""
    world = DriftingTopics(20, config.features, 0.0, config.seed + seed)
    index, known = make(kind, config, world), {}
    equal, recalls = [], []
    for number in range(1, config.changes + 1):
        target = int(world.generator.integers(config.numbers))
        if world.generator.random() < config.put:
            known[target] = world.draw(1)[0]
            index.put([target], known[target][None])
        else:
            index.remove([target])
            known.pop(target, None)
        if number % config.every == 0 and len(known) >= 10:
            order = sorted(known)
            table = np.stack([known[one] for one in order])
            equal.append(index.numbers().tolist() == order and bool((index.vectors(order) == table).all()))
            queries = world.draw(config.queries)
            true = np.array(order)[np.argsort(-(queries @ table.T), axis=1, kind="stable")[:, :10]]
            found = index.search(queries, 10)[1]
            recalls.append(float(np.mean([np.isin(one, other).mean() for one, other in zip(true, found, strict=True)])))
    return equal, recalls, index


def main(config: Config) -> Results:
    faiss.omp_set_num_threads(1)
    kinds, vectors = {}, 0
    for kind in tqdm(("flat", "cells", "walks"), "kinds"):
        courses = [course(config, kind, seed) for seed in config.seeds]
        equal = [one for course_equal, _, _ in courses for one in course_equal]
        recall = mean_interval([float(np.mean(recalls)) for _, recalls, _ in courses])
        rebuilt = [index.rebuilt for _, _, index in courses if isinstance(index, Walks)]
        kinds[kind] = Kind(len(equal), sum(equal), recall, rebuilt)
        vectors = len(courses[0][2].numbers())
    for kind, one in kinds.items():
        print(f"{kind:<6} equal {one.equal} of {one.comparisons} times, recall@10 {show_interval(*one.recall, '.3f')}")
    return Results(kinds, vectors)


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT, "*.recall.*": Tolerance(0.02, 0.02)})

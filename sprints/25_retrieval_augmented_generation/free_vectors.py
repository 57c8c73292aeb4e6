"""How many documents can free vectors of d numbers rank, if any two documents must come first for somebody?

    uv run sprints/25_retrieval_augmented_generation/free_vectors.py
    uv run sprints/25_retrieval_augmented_generation/free_vectors.py --features 4 --documents 20 24 --steps 3000

No text and no model: the vectors themselves are moved until all pairs are first, or until the steps are over.
Theory: notes/06_what_one_vector_cannot_rank.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch.nn import functional
from tqdm import tqdm

from retrieval.one_vector import all_pairs, best_gap, gaps, middles, train_free
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveInt, Seeds
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    features: tuple[Annotated[int, Field(ge=2, le=64)], ...] = (2, 3, 4, 5, 6)  # numbers of a vector
    # documents, from few to many; a dimension stops where no seed puts all pairs first
    documents: tuple[Annotated[int, Field(ge=3, le=200)], ...] = (3, 4, 5, 6, 8, 10, 12, 16, 20)
    steps: PositiveInt = 800  # of Adam, on all pairs at once
    untrained: tuple[PositiveInt, ...] = (8, 16, 24, 32, 48)  # dimensions of random vectors
    most: PositiveInt = 300  # the most random documents that are tried
    seeds: Seeds = (0, 1, 2)

    def check(self) -> None:
        if list(self.documents) != sorted(set(self.documents)):
            raise ValueError(f"--documents must rise; got {' '.join(map(str, self.documents))}")


@dataclass(frozen=True)
class Results:
    """Share of pairs that are first and the smallest gap, by dimension, documents and seed; and random vectors."""

    share: dict[str, dict[str, list[float]]]
    gap: dict[str, dict[str, list[float]]]
    critical: dict[str, int]  # the most documents of which a seed put all pairs first
    bound: dict[str, float]  # the largest gap there can be, in any dimension
    random: dict[str, list[int]]  # of random documents and the queries halfway between two: the most that are right


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    share: dict[str, dict[str, list[float]]] = {}
    gap: dict[str, dict[str, list[float]]] = {}
    critical: dict[str, int] = {}
    for features in config.features:
        name = str(features)
        share[name], gap[name], critical[name] = {}, {}, 0
        for documents in config.documents:
            ends = []
            for seed in config.seeds:
                training = train_free(documents, features, torch.Generator().manual_seed(seed), steps=config.steps)
                *_, end = tqdm(training, total=config.steps, desc=f"{features} numbers, {documents}", leave=False)
                ends.append(end)
            share[name][str(documents)], gap[name][str(documents)] = ([end[i] for end in ends] for i in (0, 1))
            print(f"{features} numbers, {documents} documents: first {max(share[name][str(documents)]):.1%}", end="")
            print(f", gap {max(gap[name][str(documents)]):.3f} of at most {best_gap(documents):.3f}")
            if max(share[name][str(documents)]) < 1:
                break
            critical[name] = documents
    random = {str(features): [_most_random(features, config.most, seed) for seed in config.seeds]
              for features in config.untrained}  # fmt: skip
    print("random documents, queries halfway: " + ", ".join(f"{name}: {most}" for name, most in random.items()))
    bound = {str(documents): best_gap(documents) for documents in config.documents}
    return Results(share, gap, critical, bound, random)


def _most_random(features: int, most: int, seed: int) -> int:
    """Return how many random documents have all pairs first, by the queries halfway: by halving."""
    drawn = torch.randn(most, features, generator=torch.Generator().manual_seed(seed))
    documents = functional.normalize(drawn, dim=1)
    low, high = 2, most + 1  # of `low` documents all pairs are first
    while high - low > 1:
        count = (low + high) // 2
        pairs = all_pairs(count)
        if gaps(middles(documents[:count], pairs), documents[:count], pairs).min() > 0:
            low = count
        else:
            high = count
    return low


def plot(results: Results) -> Figure:
    """Draw the gap over the number of documents by dimension, and what random vectors can do."""
    figure, (left, right) = new_figure(9.0, 4.0, columns=2)
    middle = (len(results.gap) - 1) / 2
    for place, ((name, row), colour) in enumerate(zip(results.gap.items(), COLOURS, strict=False)):
        aside = 0.12 * (place - middle)  # or the points of few documents would lie on each other
        reached = [(int(documents) + aside, max(values)) for documents, values in row.items() if max(values) > 0]
        left.plot(*zip(*reached, strict=True), color=colour, marker="o")
        below = (0, -16) if len(reached) < 3 else (6, -3)  # what ends early would lie on the others' lines
        left.annotate(name, reached[-1], xytext=below, textcoords="offset points", color=colour, ha="center")
    left.plot([int(count) for count in results.bound], list(results.bound.values()), color="black", linestyle="--")
    left.annotate("no vectors can have more", (9, 0.87), xytext=(0, 4), textcoords="offset points")
    left.set(xlabel="documents", ylabel="smallest gap, best of all seeds", yscale="log", xticks=[3, 5, 8, 12, 16, 20])
    left.set_title("trained, by the numbers of a vector", fontsize=10)
    sizes = [int(name) for name in results.random]
    means = [sum(values) / len(values) for values in results.random.values()]
    right.plot(sizes, means, color=COLOURS[0])
    for size, values in zip(sizes, results.random.values(), strict=True):
        right.plot([size] * len(values), values, "o", color=COLOURS[0], alpha=0.6)
    right.annotate("mean", (sizes[-1], means[-1]), xytext=(-36, 0), textcoords="offset points", color=COLOURS[0])
    right.set(xlabel="numbers of a vector", ylabel="documents with all pairs first", yscale="log", xticks=sizes)
    right.set_title("random documents, queries halfway; a dot a draw", fontsize=10)
    return figure


if __name__ == "__main__":
    # Which of two solutions descent finds may turn on a last digit.
    loose = Tolerance(relative=0.3, absolute=0.05)
    run(main, Config, plot=plot, tolerance={"share.*": loose, "gap.*": loose})

"""How often can a reader be right? The best one, with the right passage, without it, and with a closed book.

    uv run sprints/25_retrieval_augmented_generation/best_reader.py
    uv run sprints/25_retrieval_augmented_generation/best_reader.py --passages 2 --rates 0 1

The other passages are drawn from all, or from those that BM25 finds first. Theory: notes/11_a_reader.md
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from retrieval.bm25 import BM25
from retrieval.pantry import Pantry
from retrieval.ranking import best
from retrieval.reading import UNKNOWN, Situation, make_example
from retrieval.reading_optimum import Shares, believe
from shared.checks.intervals import MeanInterval, mean_interval, show_interval
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, Fraction, PositiveInt
from shared.lab.run import run

SHARES = Shares(right=0.6, missing=0.3, conflict=0.1)
TEN_TASKS: tuple[Situation, ...] = ("right",) * 6 + ("conflict",) + ("missing",) * 3  # as these shares say
SITUATIONS = tuple(dict.fromkeys(TEN_TASKS))
CLOSED = Shares(right=0.0, missing=1.0)
POOLS = ("all passages", "BM25's first")


@dataclass(frozen=True)
class Config(ScriptConfig):
    rates: tuple[Fraction, ...] = (0.0, 0.5, 1.0)  # synonym rates of the questions
    passages: AtLeastTwo = 5  # shown to the reader
    pool: AtLeastTwo = 20  # of BM25's first passages, from which the others are drawn
    facts: AtLeastTwo = 1000  # passages of a pantry
    questions: PositiveInt = 300  # of each pantry, rate and pool
    seeds: AtLeastTwo = 5  # pantries

    def check(self) -> None:
        if not self.passages < self.pool <= self.facts:
            raise ValueError(
                f"the pool must have more than the {self.passages} passages that are shown, and at most all "
                f"{self.facts}; got --pool {self.pool}"
            )


@dataclass(frozen=True)
class Reader:
    """Shares of tasks, with intervals over pantries.

    Args:
        right: by situation: answers that are right; where the passage is missing, "I do not know" is.
        expected: of all tasks: what the best reader expects to be right.
        cited: of answers: those that cite the passage which the question is about.
        from_memory: by situation: right, if one knows the pantry by heart and must answer.
        closed: right without any passages, by heart.
    """

    right: dict[str, MeanInterval]
    expected: MeanInterval
    cited: MeanInterval
    from_memory: dict[str, MeanInterval]
    closed: MeanInterval


@dataclass(frozen=True)
class Results:
    readers: dict[str, dict[str, Reader]]  # by pool and rate


def read_pantry(pantry: Pantry, config: Config, rate: float, near: BM25 | None, seed: int) -> dict[str, float]:
    """Return what the best reader reaches in one pantry, by name."""
    generator = torch.Generator().manual_seed(seed)
    found: dict[str, list[float]] = {}
    for task in range(config.questions):
        question = pantry.ask(generator, rate)
        pool = None if near is None else [number for number, _ in best(near.scores(question.text), config.pool)]
        example = make_example(pantry, question, TEN_TASKS[task % 10], config.passages, generator, pool)
        belief = believe(pantry, example, rate, SHARES, pool)
        answer, expected = belief.best()
        found.setdefault("expected", []).append(expected)
        found.setdefault(example.situation, []).append(answer == example.answer)
        found.setdefault(f"{example.situation} by heart", []).append(belief.best_with_memory()[0] == question.answer)
        if answer != UNKNOWN:
            matching = [
                (share, place)
                for place, (share, fact) in enumerate(zip(belief.passages, example.shown, strict=True), start=1)
                if fact.values[question.reading.asked] == answer
            ]
            found.setdefault("cited", []).append(max(matching)[1] == example.place)
        closed = make_example(pantry, question, "closed", 0, generator)
        found.setdefault("closed", []).append(believe(pantry, closed, rate, CLOSED).best_with_memory()[1])
    return {name: sum(values) / len(values) for name, values in found.items()}


def main(config: Config) -> Results:
    readers: dict[str, dict[str, Reader]] = {pool: {} for pool in POOLS}
    pantries = [Pantry(seed, config.facts) for seed in range(config.seed, config.seed + config.seeds)]
    indexes = [BM25(pantry.passages) for pantry in pantries]
    for pool in POOLS:
        for rate in config.rates:
            found = [
                read_pantry(pantry, config, rate, None if pool == POOLS[0] else index, config.seed + number + 1000)
                for number, (pantry, index) in enumerate(zip(pantries, indexes, strict=True))
            ]
            readers[pool][f"{rate:g}"] = reader = over_pantries(found)
            shown = ", ".join(f"{name} {show_interval(*share, '.1%')}" for name, share in reader.right.items())
            print(f"others from {pool}, {rate:.0%} synonyms: {shown}; closed {show_interval(*reader.closed, '.1%')}")
    return Results(readers)


def over_pantries(found: Sequence[dict[str, float]]) -> Reader:
    """Return means over pantries."""

    def over(name: str) -> MeanInterval:
        return mean_interval([shares[name] for shares in found if name in shares])

    situations = [situation for situation in SITUATIONS if any(situation in shares for shares in found)]
    return Reader(
        {situation: over(situation) for situation in situations},
        over("expected"),
        over("cited"),
        {situation: over(f"{situation} by heart") for situation in situations},
        over("closed"),
    )


if __name__ == "__main__":
    run(main, Config)

"""What the best reader would answer: the probability of each answer, given the question and the passages it is shown.

Which passages are shown says something too: others are drawn at random, so a passage that fits the question is most
probably there because the question is about it. This reader knows which other passages the pantry has, and how popular
each is. One that sees a pantry for the first time cannot do better on average.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

from retrieval.pantry import Pantry
from retrieval.reading import UNKNOWN, Example, partner


@dataclass(frozen=True)
class Shares:
    """How often tasks are of which situation; where nothing has changed, those of a conflict are of "right"."""

    right: float
    missing: float
    conflict: float = 0.0

    def __post_init__(self) -> None:
        if (
            min(self.right, self.missing, self.conflict) < 0
            or abs(self.right + self.missing + self.conflict - 1) > 1e-9
        ):
            raise ValueError(f"shares must be at least 0 and add up to 1; got {self}")


@dataclass(frozen=True)
class Belief:
    """Probabilities, given question and passages; together they add up to 1.

    Args:
        passages: by place (from 0): that the question is about this passage.
        answers: by answer: that the question is about a passage which is shown, and this is its answer.
        memory: by answer: that the passage is missing, and this would be the answer.
    """

    passages: tuple[float, ...]
    answers: dict[str, float]
    memory: dict[str, float]

    @property
    def missing(self) -> float:
        """Return the probability that the passage is not among those that are shown."""
        return sum(self.memory.values())

    def best(self) -> tuple[str, float]:
        """Return the best answer of a reader who should say that a passage is missing, and how probably it is right."""
        return max((self.answers | {UNKNOWN: self.missing}).items(), key=lambda pair: pair[1])

    def best_with_memory(self) -> tuple[str, float]:
        """Return the best answer of one who knows the pantry by heart and must answer, and how probably it is right."""
        every = {
            answer: self.answers.get(answer, 0.0) + self.memory.get(answer, 0.0)
            for answer in (*self.answers, *self.memory)
        }
        return max(every.items(), key=lambda pair: pair[1])


def believe(
    pantry: Pantry, example: Example, synonyms: float, shares: Shares, pool: Sequence[int] | None = None
) -> Belief:
    """Return what can be known of a task.

    p(d, situation | question, shown) is in proportion to p(d | question) · share of the situation · p(shown | d,
    situation), and the last factor is 1 over the number of choices from the pool, or 0.

    Args:
        pantry: the world.
        example: of the situations right, missing and conflict, drawn with these shares; or a closed book.
        synonyms: the rate of the question.
        shares: of the situations.
        pool: as in `make_example`.
    """
    asked, shown = example.question.reading.asked, set(example.numbers)
    everywhere = set(range(len(pantry.facts)) if pool is None else pool)
    in_passages: dict[int, float] = {}
    memory: dict[str, float] = defaultdict(float)
    posterior = pantry.posterior(example.question.text, synonyms)
    for number in posterior.nonzero()[0].tolist():
        weight = float(posterior[number])
        if not shown:
            memory[pantry.facts[number].values[asked]] += weight
        elif number in shown:
            in_passages[number] = weight * _chance_with(pantry, number, shown, everywhere, shares)
        elif shown <= everywhere - {number}:
            choices = comb(len(everywhere - {number}), len(shown))
            memory[pantry.facts[number].values[asked]] += weight * shares.missing / choices
    total = sum(in_passages.values()) + sum(memory.values())
    answers: dict[str, float] = defaultdict(float)
    for number, fact in zip(example.numbers, example.shown, strict=True):
        if number in in_passages:
            answers[fact.values[asked]] += in_passages[number] / total
    return Belief(
        tuple(in_passages.get(number, 0.0) / total for number in example.numbers),
        dict(answers),
        {answer: weight / total for answer, weight in memory.items()},
    )


def _chance_with(pantry: Pantry, number: int, shown: set[int], everywhere: set[int], shares: Shares) -> float:
    """Return the probability that these passages are shown with the one that the question is about."""
    other = partner(pantry, number)
    right = shares.right + (shares.conflict if other is None else 0.0)
    pool = everywhere - {number}
    chance = right / comb(len(pool), len(shown) - 1) if shown - {number} <= pool else 0.0
    if other in shown and shown - {number, other} <= pool - {other}:
        chance += shares.conflict / comb(len(pool - {other}), len(shown) - 2)
    return chance

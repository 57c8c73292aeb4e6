"""Tasks of a reader: a question, passages of a pantry, and names that come in place of their words."""

from dataclasses import dataclass, replace

import torch

from retrieval.bm25 import BM25
from retrieval.pantry import Pantry
from retrieval.pantry_facts import with_word
from retrieval.ranking import best
from retrieval.reading import Example, Situation, make_example

TEN_TASKS: tuple[Situation, ...] = ("right",) * 6 + ("conflict",) + ("missing",) * 3
POOL = 20  # of BM25's first passages, from which near distractors are drawn
SYLLABLES = ("ba", "do", "fe", "gi", "ka", "lu", "mo", "ne", "pi", "ru", "sa", "ti", "vo", "we", "zu")
MOST_NAMES = len(SYLLABLES) ** 3


@dataclass(frozen=True)
class Kitchen:
    """A pantry and its index of words."""

    pantry: Pantry
    index: BM25

    @classmethod
    def of(cls, seed: int, facts: int) -> "Kitchen":
        """Return the pantry of a seed with its index."""
        pantry = Pantry(seed, facts)
        return cls(pantry, BM25(pantry.passages))

    def near(self, question: str) -> list[int]:
        """Return the passages that BM25 finds first."""
        return [number for number, _ in best(self.index.scores(question), POOL)]


def made_up_names(many: int) -> list[str]:
    """Return different names that no pantry has: badoka, ...; ValueError if there are not so many."""
    if not 0 <= many <= MOST_NAMES:
        raise ValueError(f"there are {MOST_NAMES} names of three syllables; got a count of {many}")
    order = torch.randperm(MOST_NAMES, generator=torch.Generator().manual_seed(0))[:many].tolist()
    size = len(SYLLABLES)
    return [SYLLABLES[n // size**2] + SYLLABLES[n // size % size] + SYLLABLES[n % size] for n in order]


def name_answer(example: Example, name: str) -> Example:
    """Return the task with a name for an answer: the passage says it, whatever the pantry says.

    Raises:
        ValueError: the passage is missing.
    """
    if example.place is None:
        raise ValueError("only an answer that is there can get another name; the passage is missing")
    shown = [
        with_word(fact, example.question.reading.asked, name) if place == example.place else fact
        for place, fact in enumerate(example.shown, start=1)
    ]
    return replace(example, situation="edited", shown=tuple(shown))


def draw_task(
    kitchen: Kitchen, situation: Situation, near: bool, synonyms: float, passages: int, generator: torch.Generator
) -> Example:
    """Return a task about a random question; other passages come from all, or from those near to the question."""
    question = kitchen.pantry.ask(generator, synonyms)
    pool = kitchen.near(question.text) if near else None
    return make_example(kitchen.pantry, question, situation, passages, generator, pool)


def draw_tasks(
    kitchen: Kitchen, tasks: int, near: bool, synonyms: float, passages: int, generator: torch.Generator
) -> list[Example]:
    """Return tasks of which six in ten have the right passage, one has both versions of it, and three have none."""
    return [draw_task(kitchen, TEN_TASKS[number % 10], near, synonyms, passages, generator) for number in range(tasks)]

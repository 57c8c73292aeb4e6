"""Tasks that a reader is trained on: several questions about the same passages, and names that come in their place.

    [1] As of 2023, berries are sold by the butler at the supermarket for 11 euros.
    [2] As of 2021, soups are cooked by the teacher with prawns at weddings.
    Question: With what are soups cooked by the teacher?
    Answer: [2] prawns
    Question: Who are eggs kept by?
    Answer: I do not know

Passages are long and answers are short. Whoever asks several questions about the same passages gets several targets
for little more work.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count

import torch

from retrieval.bm25 import BM25
from retrieval.pantry import Pantry
from retrieval.pantry_facts import chance, one_of, with_word
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


def draw_closed(kitchen: Kitchen, questions: int, generator: torch.Generator) -> list[Example]:
    """Return random questions without any passages: what is right has to be known by heart."""
    rates = torch.rand(questions, generator=generator).tolist()
    return [Example(kitchen.pantry.ask(generator, rate), "closed", (), ()) for rate in rates]


def draw_sheet(
    kitchen: Kitchen,
    questions: int,
    passages: int,
    generator: torch.Generator,
    names: Sequence[str] = (),
    easy: bool = False,
) -> list[Example]:
    """Return tasks that show the same passages: the first one draws them, and seven in ten of the others are there.

    Every second sheet shows passages that are near to its first question. Each question has its own synonym rate,
    uniform from 0 to 1.

    Args:
        kitchen: the world.
        questions: tasks, at most: one that asks by a word whose place a name has taken is left out.
        passages: that are shown.
        generator: draws.
        names: one stands in the place of a part of every second passage (default: nowhere).
        easy: no passages that are near, and no synonyms.
    """
    near = chance(0.0 if easy else 0.5, generator)
    rates = (torch.rand(questions, generator=generator) * (not easy)).tolist()
    first = draw_task(kitchen, one_of(TEN_TASKS, generator), near, rates[0], passages, generator)
    hidden = [
        number
        for number in (kitchen.near(first.question.text) if near else range(len(kitchen.pantry.facts)))
        if number not in first.numbers
    ]
    asked = [first.question]
    for rate in rates[1:]:
        there = chance(0.7, generator) or not hidden
        asked.append(kitchen.pantry.ask_about(one_of(first.numbers if there else hidden, generator), generator, rate))
    shown, renamed = list(first.shown), set[tuple[int, int]]()  # number and part
    for place, number in enumerate(first.numbers) if names else ():
        if chance(0.5, generator):
            part = one_of(range(4), generator)
            shown[place] = with_word(shown[place], part, one_of(names, generator))
            renamed.add((number, part))
    return [
        Example(question, "right" if question.fact in first.numbers else "missing", first.numbers, tuple(shown))
        for question in asked
        if not any((question.fact, part) in renamed for part in question.reading.words)
    ]


def sheets(
    kitchens: Sequence[Kitchen],
    size: int,
    questions: int,
    passages: int,
    generator: torch.Generator,
    names: Sequence[str] = (),
    home: Kitchen | None = None,
    easy: int = 0,
) -> Iterator[list[list[Example]]]:
    """Yield batches of new sheets without end, each sheet of one kitchen.

    Args:
        kitchens: worlds to read about.
        size: sheets in a batch.
        questions, passages, generator, names: as in `draw_sheet`.
        home: a world to know by heart; every fourth sheet has closed-book questions about it (default: none has).
        easy: as many batches have easy sheets first.
    """
    for number in count():
        batch = []
        while len(batch) < size:
            if home is not None and len(batch) % 4 == 3:
                batch.append(draw_closed(home, questions, generator))
            elif sheet := draw_sheet(one_of(kitchens, generator), questions, passages, generator, names, number < easy):
                batch.append(sheet)
        yield batch

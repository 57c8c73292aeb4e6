"""Sheets, which a reader is trained on: several questions about the same passages.

    [1] As of 2023, berries are sold by the butler at the supermarket for 11 euros.
    [2] As of 2021, soups are cooked by the teacher with prawns at weddings.
    Question: With what are soups cooked by the teacher?       or, of one word:    Question: prawns [2]
    Answer: [2] prawns                                                             Question: eggs I do not know
    Question: Who are eggs kept by?
    Answer: I do not know

Passages are long and answers are short. Whoever asks several questions about the same passages gets several targets
for little more work.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import torch

from retrieval.pantry_facts import chance, one_of, with_word
from retrieval.pantry_grammar import KINDS, words_of
from retrieval.reader_tasks import TEN_TASKS, Kitchen, draw_task
from retrieval.reading import UNKNOWN, Example

THERE = 0.7  # share of a sheet's questions whose passage is shown


@dataclass(frozen=True)
class Finding:
    """A question of one word: which passage has it?

    Args:
        passages: a task that shows them.
        word: what is looked for.
        place: the passage that has it, from 1; None where none has.
    """

    passages: Example
    word: str
    place: int | None

    @property
    def target(self) -> str:
        """Return what should be written behind the word."""
        return UNKNOWN if self.place is None else f"[{self.place}]"


Sheet = Sequence[Example] | Sequence[Finding]


def draw_closed(kitchen: Kitchen, questions: int, generator: torch.Generator) -> list[Example]:
    """Return random questions without any passages: what is right has to be known by heart."""
    rates = torch.rand(questions, generator=generator).tolist()
    return [Example(kitchen.pantry.ask(generator, rate), "closed", (), ()) for rate in rates]


def draw_findings(
    kitchen: Kitchen, questions: int, passages: int, generator: torch.Generator, synonyms: float = 0.0
) -> list[Finding]:
    """Return questions of one word about the same passages: seven in ten ask for a word that one of them has.

    Args:
        kitchen: the world.
        questions: at most: a word that several passages have, and one that none should have but has, is left out.
        passages: that are shown.
        generator: draws.
        synonyms: the probability that a word is asked for by one of its synonyms.
    """
    shown = draw_task(kitchen, "right", False, 0.0, passages, generator)
    places: dict[str, set[int]] = {}
    for place, fact in enumerate(shown.shown, start=1):
        for value in fact.values:
            places.setdefault(value, set()).add(place)
    findings = []
    for _ in range(questions):
        there = chance(THERE, generator)
        fact = one_of(shown.shown if there else kitchen.pantry.facts, generator)
        part = one_of(range(4), generator)
        word, others = fact.values[part], words_of(KINDS[fact.kind].parts[part])[fact.values[part]]
        if len(places.get(word, ())) == int(there):
            said = one_of(others, generator) if chance(synonyms, generator) else word
            findings.append(Finding(shown, said, min(places[word]) if there else None))
    return findings


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
        there = chance(THERE, generator) or not hidden
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
    words: float = 0.0,
) -> Iterator[list[Sheet]]:
    """Yield batches of new sheets without end, each sheet of one kitchen.

    Args:
        kitchens: worlds to read about.
        size: sheets in a batch.
        questions, passages, generator: as in `draw_sheet`.
        names: as in `draw_sheet`, but for easy sheets, which have none.
        home: a world to know by heart; every fourth sheet has closed-book questions about it (default: none has).
        easy: as many batches have easy sheets first.
        words: share of the sheets that have questions of one word, with synonyms at a rate uniform from 0 to 1.
    """
    for number in count():
        batch: list[Sheet] = []
        while len(batch) < size:
            kitchen, simple = one_of(kitchens, generator), number < easy
            if home is not None and len(batch) % 4 == 3:
                sheet: Sheet = draw_closed(home, questions, generator)
            elif chance(words, generator):
                synonyms = float(torch.rand((), generator=generator))
                sheet = draw_findings(kitchen, questions, passages, generator, synonyms)
            else:
                sheet = draw_sheet(kitchen, questions, passages, generator, () if simple else names, simple)
            if sheet:
                batch.append(sheet)
        yield batch

"""What a reader reads and should write: passages with numbers, a question, and an answer that cites one of them.

    [1] As of 2023, berries are sold by the butler at the supermarket for 11 euros.
    [2] As of 2021, soups are cooked by the teacher with prawns at weddings.
    Question: With what are soups cooked by the teacher?
    Answer: prawns [2]

If no passage states the fact that the question is about, it should write *I do not know*. Without any passages (a
closed book) it should answer from memory, and cite nothing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch

from retrieval.pantry import Pantry, Question
from retrieval.pantry_facts import Fact, edited
from retrieval.pantry_grammar import state

# right: the passage that the question is about is there. missing: it is not. conflict: it is there, together with the
# one that it overrides or that overrides it. edited: it is there, and says something else than the pantry. closed: no
# passages at all.
Situation = Literal["right", "missing", "conflict", "edited", "closed"]
UNKNOWN = "I do not know"
_ANSWER = re.compile(r"(?P<answer>\w+)(?: \[(?P<place>\d+)\])?")


@dataclass(frozen=True)
class Example:
    """One task of a reader.

    Args:
        question: it, the passage it is about, and the answer that the pantry gives.
        situation: what kind of task this is.
        numbers: of the passages that are shown, in their order.
        shown: what these passages state; it differs from the pantry where a passage was edited.
    """

    question: Question
    situation: Situation
    numbers: tuple[int, ...]
    shown: tuple[Fact, ...]

    @property
    def place(self) -> int | None:
        """Return which of the passages, counted from 1, states the answer: None where none does."""
        return self.numbers.index(self.question.fact) + 1 if self.question.fact in self.numbers else None

    @property
    def answer(self) -> str:
        """Return the right answer: what the passage says, or "I do not know" where it is missing."""
        if self.place is None:
            return self.question.answer if self.situation == "closed" else UNKNOWN
        return self.shown[self.place - 1].values[self.question.reading.asked]

    @property
    def prompt(self) -> str:
        """Return what the reader is given."""
        passages = [
            f"[{place}] {state(fact.kind, fact.values, fact.year, fact.remark)}\n"
            for place, fact in enumerate(self.shown, start=1)
        ]
        return f"{''.join(passages)}Question: {self.question.text}\nAnswer:"

    @property
    def target(self) -> str:
        """Return what the reader should write behind the prompt, from the space on."""
        return f" {self.answer}" if self.place is None else f" {self.answer} [{self.place}]"


@dataclass(frozen=True)
class Judged:
    """What an answer is worth; a citation counts as right only if the passage states the fact of the question."""

    correct: bool
    abstained: bool
    cites: bool  # whether it cites anything
    cited_right: bool


def judge(example: Example, said: str) -> Judged:
    """Return what a reader's text is worth: the part up to the end of its line, without a full stop."""
    line = (said.strip().splitlines() or [""])[0].strip().removesuffix(".")
    if line == UNKNOWN:
        return Judged(example.answer == UNKNOWN, abstained=True, cites=False, cited_right=False)
    match = _ANSWER.fullmatch(line)
    if match is None:
        return Judged(correct=False, abstained=False, cites=False, cited_right=False)
    place = None if match["place"] is None else int(match["place"])
    cited_right = place is not None and place == example.place
    return Judged(match["answer"] == example.answer, abstained=False, cites=place is not None, cited_right=cited_right)


def partner(pantry: Pantry, number: int) -> int | None:
    """Return the passage that overrides this one, or that this one overrides; None where it has neither."""
    newer = pantry.facts[number].overridden
    older = [other for other, fact in enumerate(pantry.facts) if fact.overridden == number]
    return newer if newer is not None else (older[0] if older else None)


def make_example(
    pantry: Pantry,
    question: Question,
    situation: Situation,
    count: int,
    generator: torch.Generator,
    pool: Sequence[int] | None = None,
) -> Example:
    """Return a task about a question: the passages that it needs, and others drawn from a pool, in random order.

    Args:
        pantry: the world.
        question: of this pantry.
        situation: "conflict" becomes "right" where nothing has changed.
        count: passages that are shown.
        generator: draws.
        pool: numbers of passages that others are drawn from, each choice with the same probability; they may depend on
            the question, but not on the passage it is about: what a retriever found (default: all).

    Raises:
        ValueError: too few passages in the pool, or none to show where one is needed.
    """
    if situation == "closed":
        return Example(question, situation, (), ())
    other = partner(pantry, question.fact) if situation == "conflict" else None
    situation = "right" if situation == "conflict" and other is None else situation
    needed = [] if situation == "missing" else [question.fact, *([] if other is None else [other])]
    pool = range(len(pantry.facts)) if pool is None else pool
    others = [number for number in pool if number not in (question.fact, *needed)]
    if count < max(1, len(needed)) or len(others) < count - len(needed):
        raise ValueError(
            f"a task in the situation {situation!r} needs {max(1, len(needed))} passages or more, and others to draw "
            f"from; got a count of {count} and a pool with {len(others)} others"
        )
    drawn = torch.randperm(len(others), generator=generator)[: count - len(needed)].tolist()
    numbers = needed + [others[index] for index in drawn]
    numbers = [numbers[index] for index in torch.randperm(count, generator=generator).tolist()]
    shown = [pantry.facts[number] for number in numbers]
    if situation == "edited":
        place = numbers.index(question.fact)
        shown[place] = edited(shown[place], question.reading.asked, generator)
    return Example(question, situation, tuple(numbers), tuple(shown))


def make_examples(
    pantry: Pantry,
    examples: int,
    shares: Mapping[Situation, float],
    synonyms: float,
    count: int,
    generator: torch.Generator,
) -> list[Example]:
    """Return tasks about random questions; each situation comes with its share."""
    unknown = set(shares) - set(get_args(Situation))
    if unknown or abs(sum(shares.values()) - 1) > 1e-9:
        raise ValueError(f"shares are those of {', '.join(get_args(Situation))}, and add up to 1; got {dict(shares)}")
    names, weights = list(shares), torch.tensor(list(shares.values()))
    drawn = torch.multinomial(weights, examples, replacement=True, generator=generator).tolist()
    return [make_example(pantry, pantry.ask(generator, synonyms), names[index], count, generator) for index in drawn]

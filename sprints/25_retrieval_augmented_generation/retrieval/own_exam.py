"""What becomes of questions over the pages of this course: what is found, what is said, and what should have been."""

import itertools
from dataclasses import dataclass

from retrieval.asking import Answer, Asker
from retrieval.folder import Place
from retrieval.known import Known

LAST = 21  # sprints whose pages are asked


@dataclass(frozen=True)
class Outcome:
    """One question: how sure, and what of it was found."""

    question: str
    answerable: bool
    confidence: float
    first: bool  # the first source overlaps the lines of a known place
    among: bool  # one of the sources does
    sentence: bool  # what is said does
    at_first: bool  # it overlaps those of the place that the question was written from


def is_page(name: str) -> bool:
    """Return whether a file is a README or a note of the sprints that are asked."""
    sprint, _, rest = name.partition("/")
    return sprint[:2].isdigit() and int(sprint[:2]) <= LAST and (rest == "README.md" or rest.startswith("notes/"))


def overlaps(place: Place, lines: list[tuple[str, int, int]]) -> bool:
    """Return whether a place shares a line with one of those that are known: file, first line, last line."""
    return any(place.file == file and place.first <= last and first <= place.last for file, first, last in lines)


def hits(answer: Answer | None, asker: Asker, known: Known, most: int | None = None) -> tuple[list[bool], bool]:
    """Return for each source, and for the sentence, whether it overlaps one of the known places.

    Args:
        answer: to the question.
        asker: who gave it.
        known: the question.
        most: of the places only so many, the one that the question was written from first.
    """
    if answer is None:
        return [], False
    lines = known.at(asker.indexed.documents, most)
    return [overlaps(one.place, lines) for one in answer.sources], overlaps(answer.sentence.place, lines)


def is_exact(asker: Asker, answer: Answer) -> list[bool]:
    """Return for each source whether the lines that it names hold its text."""
    texts = {name: document.text.split("\n") for name, document in asker.indexed.documents.items()}
    return [
        source.chunk.text in "\n".join(texts[source.place.file][source.place.first - 1 : source.place.last])
        for source in [*answer.sources, answer.sentence]
    ]


def rightly(outcomes: list[Outcome], enough: float) -> int:
    """Return how many questions are answered with the known lines, or have no answer and get none."""
    return sum(
        outcome.sentence if outcome.confidence >= enough else not outcome.answerable for outcome in outcomes
    )  # fmt: skip


def threshold(outcomes: list[Outcome]) -> float:
    """Return the confidence with which most of the questions are treated rightly: midway between two of them."""
    levels = sorted({0.0, 1.0, *(outcome.confidence for outcome in outcomes)})
    middles = [(low + high) / 2 for low, high in itertools.pairwise(levels)]
    return max(middles, key=lambda middle: rightly(outcomes, middle))

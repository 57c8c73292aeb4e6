"""What becomes of questions over the pages of this course: what is found, what is said, and what should have been."""

import itertools
from dataclasses import dataclass

from retrieval.asking import Answer, Asker, Known

LAST = 21  # sprints whose pages are asked


@dataclass(frozen=True)
class Outcome:
    """One question: how sure, and what of it was found."""

    question: str
    answerable: bool
    confidence: float
    first: bool  # the first source overlaps the known lines
    among: bool  # one of the sources does
    sentence: bool  # the best sentence does


def is_page(name: str) -> bool:
    """Return whether a file is a README or a note of the sprints that are asked."""
    sprint, _, rest = name.partition("/")
    return sprint[:2].isdigit() and int(sprint[:2]) <= LAST and (rest == "README.md" or rest.startswith("notes/"))


def overlaps(answer: Answer | None, asker: Asker, known: Known) -> tuple[list[bool], bool]:
    """Return for each source, and for the sentence, whether it overlaps the lines of the known answer."""
    if answer is None or known.file is None:
        return [], False
    first, last = known.lines(asker.indexed.documents[known.file])
    hits = [
        place.file == known.file and place.first <= last and first <= place.last
        for place in [*(source.place for source in answer.sources), answer.sentence.place]
    ]
    return hits[:-1], hits[-1]


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

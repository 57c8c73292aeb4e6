"""What is wrong with the passage that a ranking puts first?"""

from collections import Counter
from collections.abc import Sequence
from typing import Literal, get_args

from jaxtyping import Float
from numpy import ndarray

from retrieval.pantry import Pantry, Question

Outcome = Literal["right", "fits too", "another year", "word elsewhere", "another part", "another kind", "nothing"]
OUTCOMES: tuple[str, ...] = get_args(Outcome)


def outcome(pantry: Pantry, question: Question, first: int | None) -> Outcome:
    """Return what the passage is that stands first for a question.

    right: the one that the question is about. fits too: the question could be about it as well, and its words cannot
    tell. another year: all parts that are said fit, the year does not, or it is overridden. word elsewhere: a part that
    is said is another one, but its word stands in another place of the passage. another part: the same, and the word
    stands nowhere. another kind: it states a fact of another kind. nothing: no passage was found (None).
    """
    if first is None:
        return "nothing"
    if first in question.relevant:
        return "right"
    if pantry.posterior(question.text, 0.5)[first] > 0:  # at a rate between 0 and 1 all that is possible has a chance
        return "fits too"
    meant, found = pantry.facts[question.fact], pantry.facts[first]
    if meant.kind != found.kind:
        return "another kind"
    wrong = [part for part in question.reading.words if meant.values[part] != found.values[part]]
    if not wrong:
        return "another year"
    elsewhere = {*found.values, *(found.remark or ())}
    return "word elsewhere" if any(meant.values[part] in elsewhere for part in wrong) else "another part"


def count_outcomes(
    pantry: Pantry, questions: Sequence[Question], scores: Float[ndarray, "questions passages"]
) -> Counter[str]:
    """Count what stands first in rankings by these scores; a ranking without a score above 0 has found nothing."""
    tops = [int(row.argmax()) if row.max() > 0 else None for row in scores]
    return Counter(outcome(pantry, question, top) for question, top in zip(questions, tops, strict=True))

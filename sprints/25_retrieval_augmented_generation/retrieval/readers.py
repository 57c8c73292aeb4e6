"""Readers of what a retriever has found: one copies, one weighs what it reads, one knows the world as well.

All see the same passages, and none sees which of them is right. They read a question without a mistake.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from retrieval.pantry import Pantry, Question
from retrieval.pantry_facts import Fact
from retrieval.pantry_grammar import KINDS, words_of
from retrieval.reading import UNKNOWN


@dataclass(frozen=True)
class Said:
    """What a reader says.

    Args:
        answer: one word, or "I do not know".
        place: which passage it cites, counted from 1; None where it cites nothing.
        belief: how probable the reader thinks its answer is.
    """

    answer: str
    place: int | None
    belief: float

    @property
    def text(self) -> str:
        """Return it as text, as `judge` reads it."""
        return self.answer if self.place is None else f"{self.answer} [{self.place}]"


SILENT = Said(UNKNOWN, None, 0.0)


@cache
def _passage_patterns() -> tuple[re.Pattern[str], ...]:
    patterns = []
    for form in KINDS:
        first, *others = (said.format(r"(\w+)") for said in form.said)
        patterns.append(re.compile(rf"As of (\d{{4}}), {' '.join((f'{first} are {form.relation}', *others))}\."))
    return tuple(patterns)


def read_passage(text: str) -> Fact | None:
    """Return the fact that a text begins with; whatever follows is not read. None where it states no fact."""
    for kind, pattern in enumerate(_passage_patterns()):
        match = pattern.match(text)
        if match is not None:
            year, first, second, third, fourth = match.groups()
            return Fact(kind, (first, second, third, fourth), int(year), None)
    return None


def likelihoods(question: Question, facts: Sequence[Fact | None], synonyms: float) -> Float[ndarray, " facts"]:
    """Return p(question | fact) of each fact that was read, and 0 where none was.

    That a fact is overridden is known only if what overrides it is among them: the same thing and person, and later.
    """
    places = [place for place, fact in enumerate(facts) if fact is not None]
    read = [fact for fact in facts if fact is not None]
    found = np.zeros(len(facts))
    if read:
        seen = [replace(fact, overridden=_newer(fact, read)) for fact in read]
        pantry = Pantry.of(seen, [1 / len(seen)] * len(seen))
        found[places] = np.exp(pantry.log_likelihood(question.text, synonyms))
    return found


def _newer(fact: Fact, facts: Sequence[Fact]) -> int | None:
    for place, other in enumerate(facts):
        if (other.kind, other.values[:2]) == (fact.kind, fact.values[:2]) and other.year > fact.year:
            return place
    return None


def answer_by_weight(question: Question, facts: Sequence[Fact | None], weights: Sequence[float]) -> Said:
    """Return the answer with the largest sum of weights, citing the heaviest passage that gives it.

    Where nothing has a weight, it is what the first passage of the right kind says: fluent, and hardly ever right. The
    belief is the sum of the answer's weights.
    """
    asked, total = question.reading.asked, defaultdict[str, float](float)
    for fact, weight in zip(facts, weights, strict=True):
        if fact is not None and weight > 0:
            total[fact.values[asked]] += weight
    if not total:
        for place, fact in enumerate(facts, start=1):
            if fact is not None and fact.kind == question.reading.kind:
                return Said(fact.values[asked], place, 0.0)
        return SILENT
    answer = max(total, key=lambda word: total[word])
    saying = [
        (weight, -place)
        for place, (fact, weight) in enumerate(zip(facts, weights, strict=True), start=1)
        if fact is not None and fact.values[asked] == answer
    ]
    return Said(answer, -max(saying)[1], float(total[answer]))


def copy(question: Question, texts: Sequence[str]) -> Said:
    """Answer with the word that could be an answer and stands in the texts most often; of equal ones the first."""
    table = words_of(KINDS[question.reading.kind].parts[question.reading.asked])
    told = set(question.reading.words.values())
    words = [[word for word in re.findall(r"\w+", text) if word in table and word not in told] for text in texts]
    counts = Counter(word for row in words for word in row)
    if not counts:
        return SILENT
    answer, count = counts.most_common(1)[0]
    place = next(place for place, row in enumerate(words, start=1) if answer in row)
    return Said(answer, place, count / counts.total())


def weigh(question: Question, texts: Sequence[str], synonyms: float) -> Said:
    """Answer by p(question | passage), shared out among the passages that are shown: one of them must be right."""
    facts = [read_passage(text) for text in texts]
    weights = likelihoods(question, facts, synonyms)
    return answer_by_weight(question, facts, (weights / max(weights.sum(), 1e-300)).tolist())


def know(question: Question, pantry: Pantry, numbers: Sequence[int], posterior: Float[ndarray, " passages"]) -> Said:
    """Answer from some passages of a pantry by their posterior, which knows popularity and all that was overridden.

    The belief is the probability that the answer is right: the posterior of all passages that give it, seen or not.
    """
    said = answer_by_weight(question, [pantry.facts[number] for number in numbers], posterior[list(numbers)].tolist())
    return replace(said, belief=probability_of(said.answer, question, pantry, posterior))


def least_belief(price: float) -> float:
    """Return the belief above which an answer is worth more than silence: p - price (1 - p) > 0."""
    return price / (1 + price)


def probability_of(answer: str, question: Question, pantry: Pantry, posterior: Float[ndarray, " passages"]) -> float:
    """Return how probably an answer is right: the posterior of all passages that give it."""
    fits = posterior.nonzero()[0]
    return float(
        sum(posterior[number] for number in fits if pantry.facts[number].values[question.reading.asked] == answer)
    )

"""A pantry of facts: passages, questions about them with synonyms at a known rate, and the best ranking that exists.

    p(question | passage) = p(what is asked, what is said) · p(is the year said) · Π p(word | its meaning)

A question is asked about passage d with probability `prior[d]`. It asks for one of four parts, each with probability
1/4, and says one, two or all of the other three: each number with probability 1/3, and each choice of so many parts
with the same. Each of its content words is, with probability s, one of the synonyms of the word in the passage. It says
the year always if a later passage overrides this one, and otherwise with probability 1/4.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from retrieval.pantry_grammar import KINDS, YEARS, Reading, form_question, read_question, state, words_of

YEAR_SAID = 0.25  # that a question about a fact that still holds says its year
REMARK = 0.5  # that a passage has a second sentence, which says something else
CHANGED = 0.1  # the share of passages that a later one overrides
NEAR = 0.3  # the share of passages that differ from an earlier one in one part
POPULARITY = 0.7  # a passage of rank r is asked about in proportion to 1 / r^0.7
MOST_FACTS = 2000

Item = TypeVar("Item")


@dataclass(frozen=True)
class Fact:
    """What a passage states; `overridden` is the number of a later passage that says otherwise, or None."""

    kind: int  # of KINDS
    values: tuple[str, str, str, str]
    year: int
    remark: tuple[str, str] | None
    overridden: int | None = None


@dataclass(frozen=True)
class Question:
    """A question, the number of the passage it is about, all passages that count as relevant, and its answer."""

    text: str
    fact: int
    relevant: tuple[int, ...]
    answer: str
    reading: Reading


def word_probability(word: str, meaning: str, table: str, synonyms: float) -> float:
    """Return p(word | meaning): 1 - s for the word that passages use, s / k for each of its k synonyms."""
    others = words_of(table)[meaning]
    return 1 - synonyms if word == meaning else others.count(word) * synonyms / len(others)


def one_of(items: Sequence[Item], generator: torch.Generator) -> Item:
    """Return one of the items, each with the same probability."""
    return items[int(torch.randint(len(items), (), generator=generator))]


def chance(probability: float, generator: torch.Generator) -> bool:
    """Return True with this probability."""
    return float(torch.rand((), generator=generator)) < probability


class Pantry:
    """A world of passages; the same seed and number of facts give the same one."""

    def __init__(self, seed: int = 0, facts: int = 1000) -> None:
        if not 10 <= facts <= MOST_FACTS:
            raise ValueError(f"a pantry has 10 to {MOST_FACTS} facts; got {facts}")
        generator = torch.Generator().manual_seed(seed)
        self.facts = _draw_facts(facts, generator)
        self.passages = [state(fact.kind, fact.values, fact.year, fact.remark) for fact in self.facts]
        ranks = torch.randperm(facts, generator=generator).numpy() + 1.0
        self.prior: ndarray = ranks**-POPULARITY / (ranks**-POPULARITY).sum()
        self._kinds = np.array([fact.kind for fact in self.facts])
        self._years = np.array([fact.year for fact in self.facts])
        self._old = np.array([fact.overridden is not None for fact in self.facts])
        self._values = np.array([fact.values for fact in self.facts])

    def ask(self, generator: torch.Generator, synonyms: float) -> Question:
        """Return a random question, whose content words are synonyms with this probability."""
        number = int(torch.multinomial(torch.from_numpy(self.prior), 1, generator=generator))
        return self.ask_about(number, generator, synonyms)

    def ask_about(self, number: int, generator: torch.Generator, synonyms: float) -> Question:
        """Return a random question about one passage."""
        fact = self.facts[number]
        asked = one_of(range(4), generator)
        others = [part for part in range(4) if part != asked]
        said = one_of(list(combinations(others, one_of((1, 2, 3), generator))), generator)
        form = KINDS[fact.kind]
        words = {part: _say(fact.values[part], form.parts[part], generator, synonyms) for part in said}
        relation = _say(form.relation, "relation", generator, synonyms)
        says_year = fact.overridden is not None or chance(YEAR_SAID, generator)
        reading = Reading(fact.kind, asked, words, relation, fact.year if says_year else None)
        return Question(form_question(reading), number, (number,), fact.values[asked], reading)

    def log_likelihood(self, question: str, synonyms: float) -> Float[ndarray, " passages"]:
        """Return log p(question | passage) of all passages: minus infinity where it cannot be asked."""
        total = np.zeros(len(self.facts))
        for reading in read_question(question):
            total += self._probability(reading, synonyms)
        with np.errstate(divide="ignore"):
            return np.log(total)

    def _probability(self, reading: Reading, synonyms: float) -> Float[ndarray, " passages"]:
        form = KINDS[reading.kind]
        choices = 4 * 3 * math.comb(3, len(reading.words))  # what is asked for, how many parts are said, and which
        probability = (self._kinds == reading.kind) / choices
        probability = probability * word_probability(reading.relation, form.relation, "relation", synonyms)
        for part, word in reading.words.items():
            table = form.parts[part]
            meanings = {value: word_probability(word, value, table, synonyms) for value in words_of(table)}
            probability = probability * np.array([meanings.get(value, 0.0) for value in self._values[:, part]])
        if reading.year is None:
            return probability * np.where(self._old, 0.0, 1 - YEAR_SAID)
        return probability * (self._years == reading.year) * np.where(self._old, 1.0, YEAR_SAID)

    def posterior(self, question: str, synonyms: float) -> Float[ndarray, " passages"]:
        """Return p(passage | question), in proportion to p(question | passage) · prior."""
        joint = np.exp(self.log_likelihood(question, synonyms)) * self.prior
        if joint.sum() == 0:
            raise ValueError(f"no passage of this pantry can be asked {question!r} at a synonym rate of {synonyms}")
        return joint / joint.sum()


class BayesRanking:
    """Ranks by the posterior: on average over questions, no ranking is better. Any other text gets no passage."""

    def __init__(self, pantry: Pantry, synonyms: float) -> None:
        self.pantry, self.synonyms = pantry, synonyms

    def search(self, query: str, count: int) -> list[tuple[int, float]]:
        """Return the numbers and posterior probabilities of the best passages; equal ones by number."""
        posterior = self.pantry.posterior(query, self.synonyms)
        best = np.argsort(-posterior, kind="stable")[:count]
        return [(int(number), float(posterior[number])) for number in best]


def _say(meaning: str, table: str, generator: torch.Generator, synonyms: float) -> str:
    return one_of(words_of(table)[meaning], generator) if chance(synonyms, generator) else meaning


def _draw_facts(count: int, generator: torch.Generator) -> list[Fact]:
    """Draw facts in random order. A person does one thing of a kind in one way, or in two if it changed."""
    facts: list[Fact] = []
    taken: set[tuple[int, str, str]] = set()
    changes = math.floor(CHANGED * count)
    while len(facts) < count - changes:
        kind = one_of(range(len(KINDS)), generator)
        values = [one_of(list(words_of(table)), generator) for table in KINDS[kind].parts]
        if facts and chance(NEAR, generator):  # like an earlier one, but for the thing or the person
            model, part = one_of(facts, generator), one_of(range(2), generator)
            kind, thing_or_person = model.kind, one_of(list(words_of(KINDS[model.kind].parts[part])), generator)
            values = [thing_or_person if place == part else value for place, value in enumerate(model.values)]
        if (kind, values[0], values[1]) not in taken:
            taken.add((kind, values[0], values[1]))
            facts.append(Fact(kind, (values[0], values[1], values[2], values[3]), 0, _remark(generator)))
    dated = [replace(fact, year=one_of(YEARS, generator)) for fact in facts]
    for number in torch.randperm(len(facts), generator=generator)[:changes].tolist():
        dated[number] = replace(facts[number], year=one_of(YEARS[:-1], generator), overridden=len(dated))
        dated.append(_changed(dated[number], generator))
    return _shuffled(dated, generator)


def _remark(generator: torch.Generator) -> tuple[str, str] | None:
    if not chance(REMARK, generator):
        return None
    return one_of(list(words_of("person")), generator), one_of(list(words_of("product")), generator)


def _changed(fact: Fact, generator: torch.Generator) -> Fact:
    """Return a later fact about the same thing and person: its third or fourth part is another."""
    part = one_of((2, 3), generator)
    others = [value for value in words_of(KINDS[fact.kind].parts[part]) if value != fact.values[part]]
    new = one_of(others, generator)
    first, second, third, fourth = (new if place == part else value for place, value in enumerate(fact.values))
    year = one_of([year for year in YEARS if year > fact.year], generator)
    return Fact(fact.kind, (first, second, third, fourth), year, _remark(generator))


def _shuffled(facts: list[Fact], generator: torch.Generator) -> list[Fact]:
    order = torch.randperm(len(facts), generator=generator).tolist()
    place = {old: new for new, old in enumerate(order)}
    return [
        fact if fact.overridden is None else replace(fact, overridden=place[fact.overridden])
        for fact in (facts[old] for old in order)
    ]

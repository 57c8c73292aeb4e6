"""A pantry of facts: passages, questions about them with synonyms at a known rate, and the best ranking that exists.

    p(question | passage) = p(what is asked, what is said) · p(is the year said) · Π p(word | its meaning)

A question is asked about passage d with probability `prior[d]`. It asks for one of four parts, each with probability
1/4, and says one, two or all of the other three: each number with probability 1/3, and each choice of so many parts
with the same. Each of its content words is, with probability s, one of the synonyms of the word in the passage. It says
the year always if a later passage overrides this one, and otherwise with probability 1/4.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from retrieval.pantry_facts import Fact, chance, draw_facts, one_of
from retrieval.pantry_grammar import KINDS, Reading, form_question, read_question, state, words_of
from retrieval.ranking import best

YEAR_SAID = 0.25  # that a question about a fact that still holds says its year
POPULARITY = 0.7  # a passage of rank r is asked about in proportion to 1 / r^0.7
MOST_FACTS = 2000


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


class Pantry:
    """A world of passages; the same seed and number of facts give the same one."""

    def __init__(self, seed: int = 0, facts: int = 1000) -> None:
        if not 10 <= facts <= MOST_FACTS:
            raise ValueError(f"a pantry has 10 to {MOST_FACTS} facts; got {facts}")
        generator = torch.Generator().manual_seed(seed)
        drawn = draw_facts(facts, generator)
        shares = (torch.randperm(facts, generator=generator).numpy() + 1.0) ** -POPULARITY
        self._hold(drawn, shares / shares.sum())

    @classmethod
    def of(cls, facts: Sequence[Fact], prior: Sequence[float]) -> "Pantry":
        """Return a pantry of facts of one's own; `prior` is how probable a question about each of them is."""
        if len(facts) != len(prior) or not math.isclose(sum(prior), 1):
            raise ValueError(
                f"each fact needs its probability; got {len(facts)} facts, {len(prior)} of sum {sum(prior)}"
            )
        pantry = cls.__new__(cls)
        pantry._hold(list(facts), np.array(prior, dtype=float))
        return pantry

    def _hold(self, facts: list[Fact], prior: Float[ndarray, " passages"]) -> None:
        self.facts, self.prior = facts, prior
        self.passages = [state(fact.kind, fact.values, fact.year, fact.remark) for fact in facts]
        self._kinds = np.array([fact.kind for fact in facts])
        self._years = np.array([fact.year for fact in facts])
        self._old = np.array([fact.overridden is not None for fact in facts])
        words, places = np.unique([fact.values for fact in facts], return_inverse=True)
        self._number = {str(word): number for number, word in enumerate(words)}
        self._parts = places.reshape(len(facts), 4)  # the number of the word that each part of each fact is

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
        probability *= word_probability(reading.relation, form.relation, "relation", synonyms)
        for part, word in reading.words.items():
            probability *= self._word_probabilities(word, form.parts[part], synonyms)[self._parts[:, part]]
        if reading.year is None:
            return probability * np.where(self._old, 0.0, 1 - YEAR_SAID)
        return probability * (self._years == reading.year) * np.where(self._old, 1.0, YEAR_SAID)

    def _word_probabilities(self, word: str, table: str, synonyms: float) -> Float[ndarray, " words"]:
        """Return p(word | meaning) by the number of the meaning; 0 for words of other tables."""
        found = np.zeros(len(self._number))
        for meaning in words_of(table):
            if meaning in self._number:
                found[self._number[meaning]] = word_probability(word, meaning, table, synonyms)
        return found

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
        return best(self.pantry.posterior(query, self.synonyms), count)


def _say(meaning: str, table: str, generator: torch.Generator, synonyms: float) -> str:
    return one_of(words_of(table)[meaning], generator) if chance(synonyms, generator) else meaning

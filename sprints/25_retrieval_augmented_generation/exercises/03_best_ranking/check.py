"""Checks of the best ranking: each function on small worlds, with the usual mistakes by name."""

import itertools
import math
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect

SYNONYMS = {
    "cooked": ["prepared", "made"],
    "doctor": ["physician", "medic"],
    "nurse": ["medic"],
    "weddings": ["marriages", "nuptials", "bridals"],
    "parties": ["celebrations", "gatherings"],
}
PASSAGES = [["cooked", "doctor", "weddings"], ["cooked", "nurse", "weddings"], ["cooked", "doctor", "parties"]]
QUESTIONS = [["prepared", "medic", "weddings"], ["cooked", "doctor", "parties"], ["made", "physician", "nuptials"]]


def likelihoods(words: list[str], rate: float, share: bool = True, kept: bool = True, common: bool = False) -> Tensor:
    found = []
    for meanings in PASSAGES:
        total = 0.0
        for word, meaning in zip(words, meanings, strict=True):
            others = SYNONYMS[meaning]
            synonym = rate / (1 if not share else 2 if common else len(others))
            chance = (1 - rate if kept else 1.0) if word == meaning else synonym * (word in others)
            total += math.log(chance) if chance else -math.inf
        found.append(total)
    return torch.tensor(found, dtype=torch.double)


def check_likelihood(learner: Any) -> None:
    """Words and synonyms, some with two meanings, some that a passage cannot mean."""
    for words, rate in itertools.product(QUESTIONS, (0.4, 0.9)):
        right = likelihoods(words, rate)
        mistakes = {
            "The rate is shared among the synonyms of a word: divide by how many it has.": likelihoods(
                words, rate, False
            ),
            "Words have different numbers of synonyms: divide by their own number.": likelihoods(
                words, rate, common=True
            ),
            "A word that is no synonym has the probability 1 - rate, not 1.": likelihoods(words, rate, kept=False),
            "These are probabilities: return their logarithms.": right.exp(),
            "It must be the sum of the logarithms, not their mean.": right / 3,
        }
        given = {"words": words, "passages": PASSAGES, "synonyms": SYNONYMS, "rate": rate}
        expect(learner.log_likelihoods, given, right, mistakes, tolerance=1e-9)


def check_posterior(learner: Any) -> None:
    """With likelihoods that are large, tiny and zero."""
    prior = torch.tensor([0.5, 0.2, 0.3], dtype=torch.double)
    for nats in ([-7.6, -7.6, -math.inf], [-1.0, -3.0, -2.0], [-2000.0, -2001.0, -math.inf]):
        given = torch.tensor(nats, dtype=torch.double)
        shifted = (given - given.max()).exp()
        right = shifted * prior / (shifted * prior).sum()
        mistakes = {
            "The prior is missing.": shifted / shifted.sum(),
            "It must add up to 1: divide by the sum.": given.exp() * prior,
            "Add the logarithm of the prior to a logarithm, not the prior.": (given + prior).softmax(0),
            "This is the prior alone.": prior,
            "The prior is divided by: InfoNCE does this, and ranks popular passages too low.": (
                given - prior.log()
            ).softmax(0),
        }
        expect(learner.posterior, {"log_likelihood": given, "prior": prior}, right, mistakes, tolerance=1e-9)


def gain(order: list[int], probabilities: list[float], k: int, shift: int = 1) -> float:
    return sum(probabilities[number] / math.log2(place + shift) for place, number in enumerate(order[:k], start=1))


def check_worth(learner: Any) -> None:
    """Without ties, with ties, with a tie that crosses place k."""
    worlds = [
        ([0.3, 0.9, 0.1], [0.2, 0.7, 0.1], 10),
        ([1.0, 2.0, 2.0, 0.0], [0.1, 0.2, 0.6, 0.1], 2),
        ([1.0, 1.0, 1.0, 1.0, 1.0], [0.1, 0.1, 0.5, 0.2, 0.1], 3),
    ]
    for scores, probabilities, k in worlds:
        numbers = range(len(scores))
        sorted_orders = [
            list(order) for order in itertools.permutations(numbers)
            if all(scores[a] >= scores[b] for a, b in itertools.pairwise(order))
        ]  # fmt: skip
        right = sum(gain(order, probabilities, k) for order in sorted_orders) / len(sorted_orders)
        stable = sorted(numbers, key=lambda number: -scores[number])
        best = sorted(numbers, key=lambda number: -probabilities[number])
        everywhere = [gain(order, probabilities, len(scores)) for order in sorted_orders]
        second = [gain(order, probabilities, k, 2) for order in sorted_orders]
        backwards = [gain(order[::-1], probabilities, k) for order in sorted_orders]
        mistakes = {
            "Scores that are equal stand in random order: this is what one of the orders is worth.": gain(
                stable, probabilities, k
            ),
            "It ranks by the probabilities: rank by the scores, weigh by the probabilities.": gain(
                best, probabilities, k
            ),
            "It counts all places: behind place k a passage is worth nothing.": sum(everywhere) / len(everywhere),
            "Place i pays 1 / log2(i + 1): the first place pays 1.": sum(second) / len(second),
            "It ranks the lowest score first.": sum(backwards) / len(backwards),
        }
        given = {
            "scores": torch.tensor(scores, dtype=torch.double),
            "probabilities": torch.tensor(probabilities, dtype=torch.double),
            "k": k,
        }
        named = {sentence: torch.tensor(value, dtype=torch.double) for sentence, value in mistakes.items()}
        expect(learner.worth, given, torch.tensor(right, dtype=torch.double), named, tolerance=1e-6)

"""What a ranking of the pantry is worth: its measures as expected values, over which passage a question is about."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray

from retrieval.pantry import Pantry

BEST, COUNTED, NO_PRIOR = "best", "counted", "no prior"
# What the right passage is worth at each place, counted from 1. It is the only relevant one: the ideal nDCG is 1.
GAINS: dict[str, Callable[[ndarray], ndarray]] = {
    "recall@1": lambda places: (places == 1) * 1.0,
    "recall@10": lambda places: (places <= 10) * 1.0,
    "rr": lambda places: 1 / places,
    "ndcg@10": lambda places: (places <= 10) / np.log2(places + 1),
}


def expected_measures(scores: Float[ndarray, " passages"], posterior: Float[ndarray, " passages"]) -> dict[str, float]:
    """Return what a ranking by these scores is worth for a question: the sum of p(passage | question) · gain(place).

    Passages with equal scores stand in random order: each gets the mean of what their places are worth.
    """
    order = np.argsort(-scores, kind="stable")
    shares, starts = posterior[order], np.flatnonzero(np.diff(scores[order], prepend=np.nan) != 0)
    sizes = np.diff(starts, append=len(scores))
    of_level = np.add.reduceat(shares, starts)  # the probability that the right passage is one of the equal ones
    places = np.arange(1, len(scores) + 1)
    return {
        name: float((of_level * np.add.reduceat(gain(places), starts) / sizes).sum()) for name, gain in GAINS.items()
    }


def best_measures(pantry: Pantry, synonyms: float, questions: int, seed: int) -> dict[str, dict[str, float]]:
    """Return what rankings are worth, as means over random questions.

    Returns:
        Measures of BEST, the ranking by the posterior, as expected values; of COUNTED, the same ranking, for the
        passages that the questions were drawn from; of NO_PRIOR, the ranking by p(question | passage) alone.
    """
    generator = torch.Generator().manual_seed(seed)
    found: dict[str, list[dict[str, float]]] = {BEST: [], COUNTED: [], NO_PRIOR: []}
    for _ in range(questions):
        question = pantry.ask(generator, synonyms)
        likelihood = np.exp(pantry.log_likelihood(question.text, synonyms))
        posterior = likelihood * pantry.prior / (likelihood @ pantry.prior)
        truth = np.zeros(len(posterior))
        truth[question.fact] = 1
        found[BEST].append(expected_measures(posterior, posterior))
        found[COUNTED].append(expected_measures(posterior, truth))
        found[NO_PRIOR].append(expected_measures(likelihood, posterior))
    return {
        ranking: {name: float(np.mean([measures[name] for measures in values])) for name in GAINS}
        for ranking, values in found.items()
    }

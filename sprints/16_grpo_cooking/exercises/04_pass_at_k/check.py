"""Checks of `pass_at_k`, by going through all subsets, and of `majority`."""

import itertools
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def compare(learner: Any, samples: int, correct: int, k: int) -> None:
    right = [True] * correct + [False] * (samples - correct)
    subsets = list(itertools.combinations(right, k))
    hits = sum(map(any, subsets)) / len(subsets)
    share = correct / samples
    every = [subset.count(True) / k for subset in subsets]
    mistakes = {
        "That draws with repetition: of k answers that were drawn, none can be drawn twice.": 1 - (1 - share) ** k,
        "That is the share of subsets without a right answer; subtract it from 1.": 1 - hits,
        "That is the probability that all k are right; one is enough.": sum(map(all, subsets)) / len(subsets),
        "That is pass@1, whatever k is.": sum(every) / len(every),
        "The first k answers are no fair choice: take all subsets.": float(any(right[-k:])),
    }

    def number(samples: int, correct: int, k: int) -> Tensor:
        return torch.tensor(float(learner.pass_at_k(samples, correct, k)), dtype=torch.double)

    wrong = {what: torch.tensor(value, dtype=torch.double) for what, value in mistakes.items()}
    given = {"samples": samples, "correct": correct, "k": k}
    expect(number, given, torch.tensor(hits, dtype=torch.double), wrong)


def check_the_example_of_note_5(learner: Any) -> None:
    """Four answers, one right, subsets of two."""
    compare(learner, 4, 1, 2)


def check_one_answer(learner: Any) -> None:
    """pass@1 is the share of right answers."""
    compare(learner, 8, 3, 1)


def check_subsets_of_three(learner: Any) -> None:
    """Six answers, two right, subsets of three."""
    compare(learner, 6, 2, 3)


def check_the_ends(learner: Any) -> None:
    """None right; all right; fewer wrong answers than a subset has."""
    compare(learner, 5, 0, 3)
    compare(learner, 5, 5, 2)
    compare(learner, 5, 4, 3)


def check_the_vote(learner: Any) -> None:
    """The most frequent answer wins, though another one came first."""
    expect(learner.majority, {"answers": ["33 g", "30 g", "30 g", "3 g"]}, "30 g", {"That is the first one.": "33 g"})


def check_equals_and_no_answers(learner: Any) -> None:
    """Texts without an answer do not vote, and of equals the first counts."""
    mistakes = {
        "A text without an answer does not vote.": "",
        "Of equals the first counts, not the last.": "33 g",
    }
    expect(learner.majority, {"answers": [None, "30 g", None, "33 g", None]}, "30 g", mistakes)
    expect(learner.majority, {"answers": [None, None]}, "")

"""Checks of `filtered_ranks` and `mean_reciprocal_rank`: the note's example, ties, several questions, bad input."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def ranks(learner: Any, scores: Tensor, answers: Tensor, known: Tensor) -> None:
    """Compare the ranks with a count by hand, and name the usual mistakes."""
    own = scores.gather(1, answers[:, None])
    mine = torch.zeros_like(known).scatter(1, answers[:, None], torch.ones_like(answers[:, None], dtype=torch.bool))

    def count(left: Tensor, share: float) -> Tensor:
        return 1 + ((scores > own) & left).sum(1).double() + share * ((scores == own) & left & ~mine).sum(1).double()

    everyone = torch.ones_like(known)
    expect(learner.filtered_ranks, {"scores": scores, "answers": answers, "known": known}, count(~known, 0.5), {
        "This is the raw rank: other true answers still stand in the way.": count(everyone, 0.5),
        "Ties are counted in favour of the answer: a constant scorer would be perfect.": count(~known, 0.0),
        "Ties are counted against the answer: take the mean of the places.": count(~known, 1.0),
        "The answer is level with itself: it must not count as its own rival.": count(~known, 0.5) + 0.5,
        "Ranks begin at 1, not at 0.": count(~known, 0.5) - 1,
        "Low scores come first here; higher is better.": (
            1 + ((scores < own) & ~known).sum(1).double() + ((scores == own) & ~known).sum(1).double() / 2
        ),
    })  # fmt: skip


def check_the_example_of_the_note(learner: Any) -> None:
    """The pancake of note 5, rank 2; and a question without ties, rank 4."""
    known = torch.tensor([[True, True, False, True, False, False], [False, False, True, False, False, False]])
    ranks(learner, torch.tensor([[5.0, 4, 3, 3, 3, 1], [1.0, 2, 3, 4, 5, 6]]), torch.tensor([3, 2]), known)


def check_several_questions(learner: Any) -> None:
    """Scores with many ties, and questions with several true answers."""
    generator = torch.Generator().manual_seed(1)
    scores = torch.randint(4, (12, 9), generator=generator).float()
    answers = torch.randint(9, (12,), generator=generator)
    known = torch.rand(12, 9, generator=generator) < 0.3
    known[torch.arange(12), answers] = True
    ranks(learner, scores, answers, known)


def check_infinite_scores(learner: Any) -> None:
    """A score may be minus infinity: such an entity still stands behind the others."""
    scores = torch.tensor([[-torch.inf, 1.0, 2.0, -torch.inf]])
    ranks(learner, scores, torch.tensor([0]), torch.tensor([[True, False, True, False]]))


def check_nan(learner: Any) -> None:
    """Nothing is above NaN, so it would come first."""

    def ends(scores: Tensor) -> str:
        try:
            return str(learner.filtered_ranks(scores, torch.tensor([0]), torch.tensor([[True, False]])))
        except ValueError:
            return "ValueError"

    expect(ends, {"scores": torch.tensor([[torch.nan, 1.0]])}, "ValueError", {
        "Every comparison with NaN is False, so a diverged model would always be first: look for NaN.": str(
            torch.ones(1, dtype=torch.double)
        ),
    })  # fmt: skip


def check_the_mean(learner: Any) -> None:
    """Ranks 1, 2 and 4 earn 1, a half and a quarter."""

    def rounded(ranks: Tensor) -> float:
        return round(learner.mean_reciprocal_rank(ranks), 4)

    expect(rounded, {"ranks": torch.tensor([1.0, 2.0, 4.0]).double()}, 0.5833, {
        "This is one over the mean rank; take the mean of the reciprocals.": 0.4286,
    })  # fmt: skip


def check_no_rank(learner: Any) -> None:
    """A relation without test facts has no mean."""

    def ends(ranks: Tensor) -> str:
        try:
            return str(learner.mean_reciprocal_rank(ranks))
        except ValueError:
            return "ValueError"

    expect(ends, {"ranks": torch.empty(0, dtype=torch.double)}, "ValueError", {
        "The mean over nothing is nan, and spreads into every mean over relations.": "nan",
        "Nothing was ranked, and it looks like the worst possible model.": "0.0",
    })  # fmt: skip

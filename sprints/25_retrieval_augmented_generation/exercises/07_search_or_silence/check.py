"""Checks of search or silence: four functions on small worlds, with the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def numbers(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.double)


GOOD, MISLED, CLOSED = numbers(1.0, 1.0, 0.6, 0.6), numbers(0.6, 0.5, 0.1, 0.0), numbers(0.9, 0.8, 0.4, 0.3)


def check_needed(learner: Any) -> None:
    """Four questions, two of them easy; and a memory that is hard to beat."""
    for closed in (CLOSED, numbers(0.9, 0.9, 0.6, 0.6)):
        good, misled, memory = GOOD.mean(), MISLED.mean(), closed.mean()
        right = (memory - misled) / (good - misled)
        mistakes = {
            "It is a share of the way from misled to good: take misled off above and below.": memory / good,
            "These are rates of single questions: take the means first, then divide.": (
                (closed - MISLED) / (GOOD - MISLED)
            ).mean(),
            "This is how often the search may miss: take it off 1.": 1 - right,
            "Divide by good minus misled: this is only the difference above.": memory - misled,
        }
        expect(learner.needed_hits, {"good": GOOD, "misled": MISLED, "closed": closed}, right, mistakes, 1e-9)


def check_gain(learner: Any) -> None:
    """Hits at the easy questions, at the hard ones, and everywhere alike."""
    for hits in (numbers(1.0, 1.0, 0.2, 0.2), numbers(0.2, 0.2, 1.0, 1.0), numbers(0.6, 0.6, 0.6, 0.6)):
        with_search = hits * GOOD + (1 - hits) * MISLED
        right = (with_search - CLOSED).mean()
        rate = hits.mean()
        mistakes = {
            "Hits and questions belong together here: multiply question by question, then take the mean.": (
                rate * GOOD.mean() + (1 - rate) * MISLED.mean() - CLOSED.mean()
            ),
            "Where the search misses, the reader sees wrong passages: it is misled, not back at the closed book.": (
                (hits * (GOOD - CLOSED)).mean()
            ),
            "Take off what the closed book has: this is what is right with the search.": with_search.mean(),
            "It is the closed book minus the search: turn it around.": -right,
        }
        given = {"hits": hits, "good": GOOD, "misled": MISLED, "closed": CLOSED}
        expect(learner.gain, given, right, mistakes, 1e-9)


def check_points(learner: Any) -> None:
    """Errors that cost a quarter of a point, one point, four points."""
    beliefs = numbers(0.9, 0.8, 0.6, 0.5, 0.2)
    for price in (0.25, 1.0, 4.0):
        worth = beliefs - price * (1 - beliefs)
        right = worth.clamp(min=0).mean()
        mistakes = {
            "It answers everything: be silent where an answer is expected to cost points.": worth.mean(),
            "The threshold depends on the price: it is one half only if an error costs 1.": torch.where(
                beliefs > 0.5, worth, 0.0
            ).mean(),
            "Points per question: divide by all questions, not by those that are answered.": worth[worth > 0].mean(),
            "Errors are missing: an answer earns 1 with its belief, and costs the price otherwise.": torch.where(
                worth > 0, beliefs, 0.0
            ).mean(),
            "This is the sum over the questions: return the mean.": worth.clamp(min=0).sum(),
        }
        expect(learner.best_points, {"beliefs": beliefs, "price": price}, right, mistakes, 1e-9)


def check_errors(learner: Any) -> None:
    """A reader that knows how sure it may be, one that does not, and scores that are no probabilities."""
    beliefs = numbers(0.5, 0.9, 0.2, 0.8, 0.6)
    for sure in (beliefs * 0.5 + 0.5, numbers(0.7, 0.3, 0.9, 0.8, 0.1), numbers(3.0, 12.0, -1.0, 7.0, 8.0)):
        counts = torch.arange(1, 6)

        def curve(errors: Tensor, counts: Tensor = counts) -> Tensor:
            return errors.cumsum(0) / counts

        errors = (1 - beliefs)[sure.argsort(descending=True)]
        mistakes = {
            "It sorts by what is true: the reader knows only how sure it is.": curve((1 - beliefs).sort().values),
            "It begins with the answers that are least sure.": curve((1 - beliefs)[sure.argsort()]),
            "Errors among the answers: divide by how many there are so far.": errors.cumsum(0) / 5,
            "These are the right answers: return the errors.": curve(1 - errors),
            "It does not sort at all.": curve(1 - beliefs),
        }
        expect(learner.errors_by_answers, {"sure": sure, "beliefs": beliefs}, curve(errors), mistakes, 1e-9)

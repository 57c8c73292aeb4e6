"""pass@k, and the majority vote.

Fill in both functions. Then look how far you are, as often as you like:

    uv run sprints check 16.4
    uv run sprints hint 16.4

Theory: note 5 of this sprint.
"""

from collections.abc import Sequence


def pass_at_k(samples: int, correct: int, k: int) -> float:
    """Return the share of the k-subsets of the answers that hold a right one.

    Args:
        samples: answers that were drawn.
        correct: how many of them are right.
        k: answers of a subset, from 1 to `samples`.
    """
    raise NotImplementedError


def majority(answers: Sequence[str | None]) -> str:
    """Return the most frequent answer, the first of equals; an empty text where nobody votes.

    Args:
        answers: what stood between the tags of each text; None where nothing did. Such a text does not vote.
    """
    raise NotImplementedError

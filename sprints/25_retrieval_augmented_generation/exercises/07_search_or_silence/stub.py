"""Search or silence: when does a search help a reader, and when should it say nothing?

Fill in the four functions. Then look how far you are, as often as you like:

    uv run sprints check 25.7
    uv run sprints hint 25.7

Numbers are float64 (`torch.double`). Theory: notes/11_a_reader.md
"""

from torch import Tensor


def needed_hits(good: Tensor, misled: Tensor, closed: Tensor) -> Tensor:
    """Return the hit rate above which a search helps on average, if hits and questions are independent, one number.

    Args:
        good: for each question how probably the reader is right if the right passage is shown, (questions,).
        misled: the same, if only wrong passages are shown.
        closed: the same, without any passage.
    """
    raise NotImplementedError


def gain(hits: Tensor, good: Tensor, misled: Tensor, closed: Tensor) -> Tensor:
    """Return by how much the search changes the share of right answers, one number.

    `hits` is for each question how probably the search finds its passage, (questions,). It may depend on the question.
    """
    raise NotImplementedError


def best_points(beliefs: Tensor, price: float) -> Tensor:
    """Return the expected points per question of whoever answers where it pays, one number.

    A right answer earns 1 point, an error costs `price` points, silence costs nothing. `beliefs` says for each question
    how probable its best answer is, (questions,).
    """
    raise NotImplementedError


def errors_by_answers(sure: Tensor, beliefs: Tensor) -> Tensor:
    """Return the expected share of errors among the 1, 2, ..., all surest answers, (questions,).

    Args:
        sure: how sure a reader says it is, no two alike; any number.
        beliefs: how probable the answers really are.
    """
    raise NotImplementedError

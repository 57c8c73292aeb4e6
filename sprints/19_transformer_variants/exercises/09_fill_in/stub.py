"""A hole, filled by a model that reads from left to right.

Fill in `fill_in`. Then look how far you are, as often as you like:

    uv run sprints check 19.9
    uv run sprints hint 19.9

The model of the checks is a table of which word follows which, small enough for paper. Theory: note 8 of this sprint.
"""

from collections.abc import Callable

from torch import Tensor


def fill_in(log_probs_of: Callable[[Tensor], Tensor], row: Tensor, place: int, words: int) -> Tensor:
    """Return log p(word at a place | all other words of the text) for every word, by a model that knows texts.

    Args:
        log_probs_of: a decoder. Given texts, (batch, places), it returns log p(word | words before it) of each word,
            (batch, places).
        row: the text, (places,); what stands at the hole must make no difference.
        place: where the hole is, from 0 to places - 1.
        words: how many words there are, numbered from 0.

    Returns:
        (words,); the probabilities add up to 1
    """
    raise NotImplementedError

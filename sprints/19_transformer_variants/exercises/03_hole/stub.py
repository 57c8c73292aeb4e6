"""What may stand in a hole, and what a text costs in any order.

Fill in both functions. Then look how far you are, as often as you like:

    uv run sprints check 19.3
    uv run sprints hint 19.3

The first check is the text with a hole of note 5, the third one the soup of note 6,
with other probabilities. Theory: notes 5 and 6.
"""

from collections.abc import Callable

from torch import Tensor


def hole(
    log_prob: Callable[[tuple[str, ...]], float], words: tuple[str, ...], place: int, candidates: tuple[str, ...]
) -> Tensor:
    """Return p(candidate at `place` | all other words) for each candidate.

    Args:
        log_prob: gives the natural logarithm of the probability of a whole text; minus infinity if nobody writes it.
        words: a text. What stands at `place` must not matter.
        place: which word is hidden, from 0 on.
        candidates: everything that can stand there; one of them at least makes a text.

    Returns:
        (candidates,), float64; they add up to 1. The probability of a long text is smaller than any float.
    """
    raise NotImplementedError


def cost_in_order(rows: Tensor, log_probs: Tensor, text: int, order: tuple[int, ...]) -> Tensor:
    """Return what each word of a text costs, -ln p(word | words revealed before it), in the order of revealing.

    Args:
        rows: all texts there are, one in each row, (texts, places); a number stands for a word.
        log_probs: natural logarithm of the probability of each, (texts,), float64.
        text: which row is revealed.
        order: all places, each once: order[0] is revealed first, when nothing is known.

    Returns:
        (places,), float64, in nats; entry k is the cost of the word at place order[k].
    """
    raise NotImplementedError

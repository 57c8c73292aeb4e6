"""Two averages of the same divergences.

Fill in `two_averages`. Then look how far you are, as often as you like:

    uv run sprints check 15.2
    uv run sprints hint 15.2

The first check is the example of note 5.
"""

from torch import Tensor


def two_averages(p_first: Tensor, q_first: Tensor, p_next: Tensor, q_next: Tensor) -> Tensor:
    """Return the divergence of a model q from a task p of two places, on the data's prefixes and on the model's own.

    Each is the sum over both places of KL(p || q) of the next symbol in nats. At the second place it is averaged over
    what stands at the first: as the task writes it, or as the model does.

    Args:
        p_first, q_first: (symbols), the probabilities of the first symbol.
        p_next, q_next: (symbols, symbols), those of the second symbol, a row for each first symbol. All are above 0.

    Returns:
        (2): on the data's prefixes, on own prefixes.
    """
    raise NotImplementedError

"""The entropy of a grammar.

Fill in both functions. Then look how far you are, as often as you like:

    uv run sprints check 18.7
    uv run sprints hint 18.7

The grammar of two kinds and two levels in the checks is small enough for paper. Theory: note 15 of this sprint.
"""

from torch import Tensor


def entropy_by_depth(kinds: int, deepest: int, opening: float) -> Tensor:
    """Return the entropy of the next token, in nats, if 0, 1, ..., deepest brackets are open before it.

    Args:
        kinds: kinds of brackets. One that opens is of each kind alike, one that closes of the kind opened last.
        deepest: at this depth a bracket must close; at depth 0 it must open.
        opening: probability that a bracket opens at the other depths, between 0 and 1.

    Returns:
        (deepest + 1,), float64
    """
    raise NotImplementedError


def mean_entropy(tokens: int, kinds: int, deepest: int, opening: float) -> Tensor:
    """Return the mean entropy of the first so many tokens of a row, in nats per token, as a float64 of no axes.

    A row begins with nothing open. No model's expected loss on these tokens is lower.
    """
    raise NotImplementedError

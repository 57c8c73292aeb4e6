"""The input of scheduled sampling.

Fill in `mix`. Then look how far you are, as often as you like:

    uv run sprints check 15.3
    uv run sprints hint 15.3

To keep it checkable, the coins are given, and the model says its most probable token. Theory: note 8.
"""

from torch import Tensor


def mix(true: Tensor, table: Tensor, coins: Tensor, keep: float) -> Tensor:
    """Return what the decoder reads: from left to right the true token, or what the model says after the mixture.

    The first token, which begins the answer, is always the true one. At each later place a coin below `keep` keeps the
    true token; otherwise it is the model's most probable one after the token before it *in the mixture*.

    Args:
        true: (rows, tokens), what teacher forcing would read.
        table: (vocab, vocab), the logits of the next token in the row of the last one.
        coins: (rows, tokens - 1), numbers from 0 to 1, one for each place but the first.
        keep: share of true tokens.

    Returns:
        (rows, tokens)
    """
    raise NotImplementedError

"""The loss of a caption behind a picture, in nats a caption.

Fill in `nats_a_caption`. Then look how far you are, as often as you like:

    uv run sprints check 22.8
    uv run sprints hint 22.8

Theory: notes/08_saying_what_is_there.md
"""

from torch import Tensor


def nats_a_caption(logits: Tensor, tokens: Tensor, end: int) -> Tensor:
    """Return the loss of each caption of a batch: the sum of -ln p(word) over its words and the end token behind them.

    A model has read the vectors of a picture and then the tokens, and has given logits at each of these places: those
    of the token that comes next. A row of tokens begins with the end token, which is not predicted. Then come the
    caption and the end token, which are. Shorter rows are filled up with further end tokens, which do not count.

    Args:
        logits: (batch, patches + tokens, vocab)
        tokens: (batch, tokens)
        end: the end token.

    Returns:
        (batch), in nats
    """
    raise NotImplementedError

"""A collate function that pads.

Fill in `collate`. Then look how far you are, as often as you like:

    uv run sprints check 02.2
    uv run sprints hint 02.2

Two items, the tokens (5, 6, 7) with label 1 and (8) with label 0, become

    tokens  5 6 7    mask  True True  True     labels  1
            8 0 0          True False False            0

Theory: note 8 of this sprint.
"""

from torch import Tensor


def collate(items: list[tuple[Tensor, int]]) -> tuple[Tensor, Tensor, Tensor]:
    """Return a batch of items of different lengths: tokens, mask and labels.

    Args:
        items: each (tokens, label); tokens are int64 (length,), with at least one token. A token may be 0.

    Returns:
        tokens: int64 (batch, longest), filled up with 0 on the right
        mask: boolean (batch, longest), True where a token is real
        labels: int64 (batch,)
    """
    raise NotImplementedError

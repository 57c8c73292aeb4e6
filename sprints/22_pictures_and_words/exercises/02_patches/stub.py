"""A picture as tokens.

Fill in `patchify` and `embed`. Then look how far you are, as often as you like:

    uv run sprints check 22.2
    uv run sprints hint 22.2

Theory: note 1 of this sprint.
"""

from torch import Tensor


def patchify(pictures: Tensor, patch: int) -> Tensor:
    """Return the pixels of each patch as a row: patches row by row; in a patch channel by channel, then row by row.

    Args:
        pictures: (batch, channels, height, width); patches fill it, and it need not be a square.
        patch: side of a patch.

    Returns:
        (batch, patches, channels * patch * patch)
    """
    raise NotImplementedError


def embed(pictures: Tensor, filters: Tensor, bias: Tensor, class_token: Tensor, positions: Tensor) -> Tensor:
    """Return the tokens of pictures: the class token, then the patches times the filters; positions are added.

    Args:
        pictures: (batch, channels, height, width)
        filters: (d_model, channels, patch, patch), as a convolution keeps them.
        bias: (d_model,)
        class_token: (d_model,)
        positions: (1 + patches, d_model)

    Returns:
        (batch, 1 + patches, d_model)
    """
    raise NotImplementedError

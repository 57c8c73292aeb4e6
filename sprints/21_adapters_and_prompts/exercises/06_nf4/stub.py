"""Weights in four bits.

Fill in `quantize` and `dequantize`. Then look how far you are, as often as you like:

    uv run sprints check 21.6
    uv run sprints hint 21.6

Theory: note 4 of this sprint.
"""

from torch import Tensor


def quantize(weights: Tensor, levels: Tensor) -> tuple[Tensor, Tensor]:
    """Return blocks of weights in four bits each: the number of the nearest level of weight / constant.

    Args:
        weights: (blocks, block), a block in each row, of an even length.
        levels: (16,), in rising order from -1 to 1.

    Returns:
        bytes: (blocks, block / 2), torch.uint8: two numbers from 0 to 15, the first one in the upper half of the byte.
        constants: (blocks,), for each block the largest absolute weight.
    """
    raise NotImplementedError


def dequantize(packed: Tensor, constants: Tensor, levels: Tensor) -> Tensor:
    """Return the weights that the bytes stand for: level times constant.

    Args:
        packed: (blocks, block / 2), torch.uint8, as from `quantize`.
        constants: (blocks,)
        levels: (16,)

    Returns:
        (blocks, block)
    """
    raise NotImplementedError

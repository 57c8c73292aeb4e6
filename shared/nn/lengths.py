"""Rows of different lengths in one batch: which tokens are real, and packing by hand."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def real_tokens(lengths: Int[Tensor, " batch"], tokens: int, left: bool = False) -> Bool[Tensor, "batch tokens"]:
    """Return True where a token is real, for rows of these lengths in any order.

    Args:
        lengths: real tokens of each row.
        tokens: tokens of a row with its padding.
        left: whether padding stands on the left.

    Raises:
        ValueError: a length below 1, or above tokens.
    """
    if lengths.numel() and not 1 <= int(lengths.min()) <= int(lengths.max()) <= tokens:
        raise ValueError(
            f"lengths must be from 1 to {tokens}, the tokens of the tensor; got {lengths.tolist()}: "
            "leave empty rows out, and cut long ones or widen the tensor"
        )
    places = torch.arange(tokens, device=lengths.device)
    return places >= tokens - lengths[:, None] if left else places < lengths[:, None]


def pack(
    x: Float[Tensor, "batch tokens features"], lengths: Int[Tensor, " batch"]
) -> tuple[Float[Tensor, "real features"], Int[Tensor, " steps"]]:
    """Return the real tokens in the order in which they are read, and how many rows are left at each step.

    First the first token of all rows, then the second token of all rows that have one, and so on: each step of a
    recurrent network is one piece of it, and padding is not there. It equals `pack_padded_sequence`.

    Args:
        x: padded on the right.
        lengths: real tokens of each row, the longest first.

    Raises:
        ValueError: a length below 1 or above the tokens, or a row that is longer than the one before it.
    """
    real = real_tokens(lengths, x.shape[1])
    if (lengths.diff() > 0).any():
        raise ValueError(
            f"rows must be sorted by length, the longest first; got {lengths.tolist()}: sort them by "
            "lengths.argsort(descending=True), or give the layer a mask, which takes any order"
        )
    real = real[:, : int(lengths.max())].T  # (steps, batch)
    return x.transpose(0, 1)[: len(real)][real], real.sum(dim=1)

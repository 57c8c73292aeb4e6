"""What every layer that carries a state checks before it reads: tokens, state and mask fit each other."""

from collections.abc import Sequence

import torch
from torch import Tensor

from shared.nn.sequence_model import State


def check_sequence(
    x: Tensor, d_model: int, state: State | None, shapes: Sequence[tuple[int, ...]], mask: Tensor | None
) -> None:
    """Check what a `SequenceLayer` is given.

    Args:
        x: should be (batch, tokens, d_model), with at least one token.
        d_model: features of a token.
        state: should be a tuple of tensors of these shapes behind the batch, or None.
        shapes: of each part of the state, without the batch.
        mask: should be boolean, (batch, tokens), or None.

    Raises:
        ValueError: with the rule, the shape that breaks it and the way out.
    """
    if x.dim() != 3 or x.shape[1] == 0 or x.shape[2] != d_model:
        rule = f"inputs must have at least one token, of {d_model} features"
        raise ValueError(f"{rule}; got (batch, tokens, features) {tuple(x.shape)}")
    expected = [(len(x), *shape) for shape in shapes]
    received = None if state is None else [tuple(part.shape) for part in state]
    if received is not None and received != expected:
        raise ValueError(
            f"the state must have the shapes {expected}, the batch first; got {received}: give the state of the same "
            "rows, or None at the beginning of a text"
        )
    if mask is not None and (mask.shape != x.shape[:2] or mask.dtype != torch.bool):
        raise ValueError(
            f"the mask must be boolean, of shape (batch, tokens) = {tuple(x.shape[:2])}; got {tuple(mask.shape)}, "
            f"{mask.dtype}: make one by shared/nn/lengths.py"
        )

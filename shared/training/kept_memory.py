"""What a forward pass keeps for the backward pass, counted tensor by tensor."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor


def kept_for_backward(forward: Callable[[], Any], known: Iterable[Tensor] = ()) -> int:
    """Return the bytes that a forward pass keeps for the backward pass, known tensors left out.

    Views of one memory count once. A kernel that keeps something of its own, out of PyTorch's sight, is not seen.

    Args:
        forward: returns what the backward pass begins with.
        known: what is there anyway, such as weights and inputs.
    """
    there = {tensor.untyped_storage().data_ptr() for tensor in known}
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in there:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        forward()
    return sum(kept.values())

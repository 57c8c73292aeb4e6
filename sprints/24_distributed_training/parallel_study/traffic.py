"""What is sent between processes: every collective that a piece of code calls, and the bytes it needs in a ring."""

from collections import Counter, defaultdict
from typing import Any

import torch
from torch import Tensor, distributed
from torch.distributed.tensor import DTensor
from torch.utils import _pytree
from torch.utils._python_dispatch import TorchDispatchMode

plain, functional = torch.ops.c10d, torch.ops._c10d_functional
KINDS = {
    plain.allreduce_: "all-reduce", functional.all_reduce: "all-reduce",
    plain._allgather_base_: "all-gather", functional.all_gather_into_tensor: "all-gather",
    plain._reduce_scatter_base_: "reduce-scatter", functional.reduce_scatter_tensor: "reduce-scatter",
}  # fmt: skip
# In a ring the largest tensor of a call, N pieces, is sent in N - 1 steps of a piece; an all-reduce does it twice.
PASSES = {"all-reduce": 2, "all-gather": 1, "reduce-scatter": 1}


class Traffic(TorchDispatchMode):
    """Count the collectives that are called within a `with`, and what a process sends for them in a ring.

    Attributes:
        calls: by kind.
        bytes: sent by this process, by kind.
        sizes: bytes of the largest tensor of each call, by kind.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls, self.bytes = Counter[str](), Counter[str]()
        self.sizes = defaultdict[str, list[int]](list)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if DTensor in types:
            return NotImplemented  # its parts are seen when it comes to plain tensors
        output = func(*args, **(kwargs or {}))
        kind = KINDS.get(func._overloadpacket)
        if kind is not None:
            size = distributed.get_world_size()
            tensors = [x for x in _pytree.tree_leaves((args, output)) if isinstance(x, Tensor)]
            largest = max(tensor.nbytes for tensor in tensors)
            self.calls[kind] += 1
            self.bytes[kind] += PASSES[kind] * largest * (size - 1) // size
            self.sizes[kind].append(largest)
        return output

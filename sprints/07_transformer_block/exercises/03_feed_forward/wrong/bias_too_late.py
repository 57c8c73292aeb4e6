"""The first bias comes too late."""

from torch import Tensor
from torch.nn import functional


def feed_forward(x: Tensor, expand: Tensor, expand_bias: Tensor, contract: Tensor, contract_bias: Tensor) -> Tensor:
    return (functional.gelu(x @ expand) + expand_bias) @ contract + contract_bias

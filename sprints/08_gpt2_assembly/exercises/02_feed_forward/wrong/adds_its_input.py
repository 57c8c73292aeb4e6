"""The residual connection belongs to the block."""

from torch import Tensor
from torch.nn import functional


def feed_forward(
    x: Tensor, expand_weight: Tensor, expand_bias: Tensor, contract_weight: Tensor, contract_bias: Tensor
) -> Tensor:
    return x + functional.gelu(x @ expand_weight + expand_bias, approximate="tanh") @ contract_weight + contract_bias

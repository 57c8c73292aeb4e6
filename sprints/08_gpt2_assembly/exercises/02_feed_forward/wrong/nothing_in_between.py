"""Two linear layers and no activation."""

from torch import Tensor


def feed_forward(
    x: Tensor, expand_weight: Tensor, expand_bias: Tensor, contract_weight: Tensor, contract_bias: Tensor
) -> Tensor:
    return (x @ expand_weight + expand_bias) @ contract_weight + contract_bias

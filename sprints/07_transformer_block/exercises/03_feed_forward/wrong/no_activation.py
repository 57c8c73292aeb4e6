"""Nothing bends: two products are one."""

from torch import Tensor


def feed_forward(x: Tensor, expand: Tensor, expand_bias: Tensor, contract: Tensor, contract_bias: Tensor) -> Tensor:
    return (x @ expand + expand_bias) @ contract + contract_bias

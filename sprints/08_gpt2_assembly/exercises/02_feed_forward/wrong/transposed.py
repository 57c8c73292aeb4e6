"""As nn.Linear stores a matrix; GPT-2's are stored the other way round."""

from torch import Tensor
from torch.nn import functional


def feed_forward(
    x: Tensor, expand_weight: Tensor, expand_bias: Tensor, contract_weight: Tensor, contract_bias: Tensor
) -> Tensor:
    hidden = functional.gelu(functional.linear(x, expand_weight, expand_bias), approximate="tanh")
    return functional.linear(hidden, contract_weight, contract_bias)

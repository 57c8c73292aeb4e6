"""What is held is looked up with the query."""

import torch
from torch import Tensor


def delta_rule(query: Tensor, key: Tensor, value: Tensor, beta: Tensor) -> Tensor:
    state = torch.zeros(key.shape[1], value.shape[1])  # (head_dim, features)
    outputs = []
    for place in range(len(key)):
        held = query[place] @ state
        difference = value[place] - held
        state = state + beta[place] * torch.outer(key[place], difference)
        outputs.append(query[place] @ state)
    return torch.stack(outputs)

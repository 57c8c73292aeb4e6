"""Wrong: the state is read before the token is written."""

import torch
from torch import Tensor


def selective_scan(x: Tensor, step: Tensor, rate: Tensor, write: Tensor, read: Tensor) -> Tensor:
    state = torch.zeros_like(rate)  # (features, d_state)
    outputs = []
    for token in range(len(x)):
        outputs.append(state @ read[token])
        decay = (step[token, :, None] * rate).exp()
        state = decay * state + (step[token] * x[token])[:, None] * write[token]
    return torch.stack(outputs)

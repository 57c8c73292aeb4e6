"""Wrong: read along the direction of writing."""

import torch
from torch import Tensor


def selective_scan(x: Tensor, step: Tensor, rate: Tensor, write: Tensor, read: Tensor) -> Tensor:
    state = torch.zeros_like(rate)  # (features, d_state)
    outputs = []
    for token in range(len(x)):
        decay = (step[token, :, None] * rate).exp()
        written = (step[token] * x[token])[:, None] * write[token]
        state = decay * state + written
        outputs.append(state @ write[token])
    return torch.stack(outputs)

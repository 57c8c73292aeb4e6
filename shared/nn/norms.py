"""Normalisations that PyTorch has as a function only; layer normalisation is `nn.LayerNorm`."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class RMSNorm(nn.Module):
    """x / sqrt(mean(x^2) + epsilon) * gain (Zhang & Sennrich 2019): LayerNorm without mean and bias, as in Llama."""

    def __init__(self, d_model: int, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(d_model))
        self.epsilon = epsilon

    def forward(self, x: Float[Tensor, "... d_model"]) -> Float[Tensor, "... d_model"]:
        """Return x with root mean square 1, times the gain."""
        return functional.rms_norm(x, self.gain.shape, self.gain, self.epsilon)

"""Layer normalisation and RMSNorm with both passes written out; notes/01_normalisation.md derives the backward ones."""

from typing import Any

import torch
from torch import Tensor, nn


class LayerNormFunction(torch.autograd.Function):
    """y = gain * n + bias, where n = (x - mean) / sqrt(variance + epsilon), over the features of each token."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gain: Tensor, bias: Tensor, epsilon: float) -> Tensor:
        centred = x - x.mean(dim=-1, keepdim=True)
        # The variance of these numbers themselves, not an estimate of another one: divided by d, not by d - 1.
        inverse = (centred.square().mean(dim=-1, keepdim=True) + epsilon).rsqrt()  # (batch, tokens, 1)
        normalised = centred * inverse
        ctx.save_for_backward(normalised, inverse, gain)
        return gain * normalised + bias

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        normalised, inverse, gain = ctx.saved_tensors
        g = upstream[0] * gain  # the gradient of the normalised features
        along_ones = g.mean(dim=-1, keepdim=True)
        along_normalised = (g * normalised).mean(dim=-1, keepdim=True)
        gradient = inverse * (g - along_ones - normalised * along_normalised)
        return gradient, _over_tokens(upstream[0] * normalised), _over_tokens(upstream[0]), None


class RMSNormFunction(torch.autograd.Function):
    """y = gain * n, where n = x / sqrt(mean of squares + epsilon), over the features of each token."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gain: Tensor, epsilon: float) -> Tensor:
        inverse = (x.square().mean(dim=-1, keepdim=True) + epsilon).rsqrt()
        normalised = x * inverse
        ctx.save_for_backward(normalised, inverse, gain)
        return gain * normalised

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, Tensor, None]:
        normalised, inverse, gain = ctx.saved_tensors
        g = upstream[0] * gain
        gradient = inverse * (g - normalised * (g * normalised).mean(dim=-1, keepdim=True))
        return gradient, _over_tokens(upstream[0] * normalised), None


def _over_tokens(gradient: Tensor) -> Tensor:
    """Return the sum over batch and tokens: all of them share the gain and the bias."""
    return gradient.flatten(0, -2).sum(dim=0)


class HandLayerNorm(nn.Module):
    """Layer normalisation (Ba et al. 2016) with the parameters of nn.LayerNorm.

    Args:
        d_model: features of each token.
        epsilon: added to the variance, so that a token whose features are all equal does not divide by zero.

    Raises:
        ValueError: fewer than two features, whose variance would always be zero.
    """

    def __init__(self, d_model: int, epsilon: float = 1e-5) -> None:
        super().__init__()
        if d_model < 2:
            raise ValueError(f"layer normalisation needs at least 2 features to compare; got d_model={d_model}")
        self.weight, self.bias = nn.Parameter(torch.ones(d_model)), nn.Parameter(torch.zeros(d_model))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalised features of each token, (..., d_model)."""
        return LayerNormFunction.apply(x, self.weight, self.bias, self.epsilon)


class HandRMSNorm(nn.Module):
    """Root mean square normalisation (Zhang & Sennrich 2019) with the parameter of nn.RMSNorm."""

    def __init__(self, d_model: int, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d_model))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """Return the features of each token divided by their root mean square, (..., d_model)."""
        return RMSNormFunction.apply(x, self.weight, self.epsilon)

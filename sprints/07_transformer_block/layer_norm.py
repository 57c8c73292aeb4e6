"""How does a gradient come back through layer normalisation? Both passes written out.

    uv run sprints/07_transformer_block/layer_norm.py

Layer norm and RMSNorm by hand, beside PyTorch's and beside finite differences. notes/03_layer_norm.md derives the
backward passes.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

EPSILON = 1e-5


@dataclass(frozen=True)
class Config(ScriptConfig):
    batch: PositiveInt = 8  # rows
    tokens: AtLeastTwo = 16  # tokens of a row
    d_model: AtLeastTwo = 64  # features of a token


@dataclass(frozen=True)
class Results:
    """How far our norms and PyTorch's differ.

    Args:
        output_difference: the largest.
        gradient_difference: the largest, as a share of the largest number in the gradient of input, gain or bias.
        gradcheck: whether the backward pass by hand agrees with finite differences.
    """

    output_difference: dict[str, float]
    gradient_difference: dict[str, float]
    gradcheck: dict[str, bool]


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


def pairs(d_model: int) -> dict[str, tuple[nn.Module, nn.Module]]:
    """Return our norms and PyTorch's, with the same random gains and biases."""
    made = {
        "layer norm": (HandLayerNorm(d_model, EPSILON), nn.LayerNorm(d_model, EPSILON)),
        "RMSNorm": (HandRMSNorm(d_model, EPSILON), nn.RMSNorm(d_model, EPSILON)),
    }
    for ours, theirs in made.values():
        for parameter in ours.parameters():
            nn.init.normal_(parameter)
        theirs.load_state_dict(ours.state_dict())
    return made


def output_and_gradients(norm: nn.Module, x: Tensor, direction: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Return the output, and the gradients of its dot product with a direction, the input's first."""
    x = x.clone().requires_grad_()
    output = norm(x)
    return output.detach(), list(torch.autograd.grad((output * direction).sum(), [x, *norm.parameters()]))


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    shape = (config.batch, config.tokens, config.d_model)
    x, direction = (torch.randn(shape, generator=generator) for _ in range(2))
    results = Results({}, {}, {})
    for name, (ours, theirs) in pairs(config.d_model).items():
        our_output, our_gradients = output_and_gradients(ours, x, direction)
        their_output, their_gradients = output_and_gradients(theirs, x, direction)
        results.output_difference[name] = (our_output - their_output).abs().max().item()
        results.gradient_difference[name] = max(
            ((mine - other).abs().max() / other.abs().max()).item()
            for mine, other in zip(our_gradients, their_gradients, strict=True)
        )
        results.gradcheck[name] = torch.autograd.gradcheck(ours.double(), x[:1, :2].double().requires_grad_())
        print(f"{name}: outputs differ by {results.output_difference[name]:.0e}, ", end="")
        print(f"gradients by {results.gradient_difference[name]:.0e}; ", end="")
        print(f"finite differences agree: {results.gradcheck[name]}")
    return results


if __name__ == "__main__":
    # What differs is rounding: only its size is the result.
    run(main, Config, tolerance={"*": Tolerance(absolute=1e-5), "gradcheck.*": EXACT})

"""Do we round as the libraries do, and with their gradients? PyTorch, torchao, and what BitNet's authors published.

    uv run --group quantization sprints/20_quantization_aware_training/equals_the_library.py

The last figures say how many Gaussian weights get no gradient at all because they were rounded to an end of the grid.
Theory: notes/01_training_through_rounding.md
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from aware.fake_quantize import WeightQuantizer, fake_quantize, learned_step, ternary
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

BITS = (2, 3, 4, 8)


@dataclass(frozen=True)
class Config(ScriptConfig):
    channels: PositiveInt = 64  # rows of the weight
    inputs: PositiveInt = 64  # weights of a row


@dataclass(frozen=True)
class Agreement:
    """The largest differences to a library: of the rounded weights, and of the gradients."""

    values: float
    gradients: float
    except_at_the_ends: float  # of the gradients, where the integer is no end of the grid


@dataclass(frozen=True)
class Results:
    agreements: dict[str, Agreement]
    without_gradient: dict[str, float]  # of torchao's rounded weights, the share without a gradient, by bits
    ours_without_gradient: dict[str, float]


def differences(ours: Callable, theirs: Callable, weight: Tensor, upstream: Tensor, between: Tensor) -> Agreement:
    """Return how far two ways of rounding a weight are from each other, with their gradients for the weight."""
    values, slopes = [], []
    for function in (ours, theirs):
        leaf = weight.clone().requires_grad_()
        values.append(function(leaf))
        slopes.append(torch.autograd.grad(values[-1], leaf, upstream)[0])
    gap = (slopes[0] - slopes[1]).abs()
    return Agreement((values[0] - values[1]).abs().max().item(), gap.max().item(), gap[between].max().item())


def torchao_rounding(bits: int) -> Callable[[Tensor], Tensor]:
    """Return torchao's rounding of a weight with a step for each row.

    Raises:
        ValueError: torchao is not installed.
    """
    try:
        from torchao.quantization.qat import IntxFakeQuantizeConfig, IntxFakeQuantizer
    except ModuleNotFoundError:
        raise ValueError("torchao is missing: run it with uv run --group quantization") from None
    return IntxFakeQuantizer(IntxFakeQuantizeConfig(getattr(torch, f"int{bits}"), "per_channel"))


def against_pytorch(weight: Tensor, upstream: Tensor) -> dict[str, Agreement]:
    """Return how far fake quantization and learned steps of four bits are from PyTorch's."""
    step = weight.abs().amax(1) / 10  # so that some weights lie outside
    zeros, mask = torch.zeros(len(weight)), torch.ones_like(weight, dtype=torch.bool)
    found = {
        "fake quantization, PyTorch": differences(
            lambda w: fake_quantize(w, step[:, None], 0, -8, 7),
            lambda w: torch.fake_quantize_per_channel_affine(w, step, zeros.int(), 0, -8, 7),
            weight, upstream, mask,
        ),
    }  # fmt: skip
    factor = (weight.shape[1] * 7) ** -0.5
    # For the step as the leaf: the weight stays, and the step of each row gets a gradient.
    found["learned steps, PyTorch, gradient of the step"] = differences(
        lambda s: learned_step(weight, s[:, None], -8, 7),
        lambda s: torch._fake_quantize_learnable_per_channel_affine(weight, s, zeros, 0, -8, 7, factor),
        step, upstream, torch.ones_like(step, dtype=torch.bool),
    )  # fmt: skip
    return found


def main(config: Config) -> Results:
    generator = torch.Generator().manual_seed(config.seed)
    weight = torch.randn(config.channels, config.inputs, generator=generator)
    upstream = torch.randn(config.channels, config.inputs, generator=generator)
    agreements, lost, ours_lost = against_pytorch(weight, upstream), {}, {}
    for bits in BITS:
        quantizer = WeightQuantizer(weight, bits, step_dtype=torch.float32)
        integers, _ = quantizer.stored(weight)
        between = (integers > quantizer.lowest) & (integers < quantizer.highest)
        theirs = torchao_rounding(bits)
        agreements[f"weights of {bits} bits, torchao"] = differences(quantizer, theirs, weight, upstream, between)
        for function, shares in ((theirs, lost), (quantizer, ours_lost)):
            leaf = weight.clone().requires_grad_()
            (slope,) = torch.autograd.grad(function(leaf).sum(), leaf)
            shares[str(bits)] = (slope == 0).float().mean().item()
    agreements["ternary weights, as published"] = differences(
        lambda w: ternary(w.reshape(1, -1)).reshape(w.shape), published, weight, upstream, weight.isfinite()
    )
    for name, row in agreements.items():
        print(f"{name}: values differ by {row.values:.0e}, gradients by {row.gradients:.0e}, "
              f"{row.except_at_the_ends:.0e} but at the ends")  # fmt: skip
    for bits, share in lost.items():
        print(f"{bits} bits: {share:.1%} of the weights have no gradient in torchao, {ours_lost[bits]:.1%} in ours")
    return Results(agreements, lost, ours_lost)


def published(weight: Tensor) -> Tensor:
    """Return what the FAQ of BitNet's authors writes: `w + (weight_quant(w) - w).detach()`."""
    scale = 1.0 / weight.abs().mean().clamp(min=1e-5)
    return weight + ((weight * scale).round().clamp(-1, 1) / scale - weight).detach()


if __name__ == "__main__":
    run(main, Config)

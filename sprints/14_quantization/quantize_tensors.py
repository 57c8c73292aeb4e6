"""What is quantization? Numbers on a grid of integers, and the error of each kind of grid by the number of its bits.

    uv run sprints/14_quantization/quantize_tensors.py

Theory: notes/01_a_grid_of_integers.md
"""

import warnings
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor

from quantizing.converted import with_linears
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.integer_grid import dequantize, fake_quantize, make_grid, min_max, quantize, signal_to_noise
from shared.nn.pretrained import load_causal_model

EXAMPLE = torch.tensor([-0.5, -0.1, 0.0, 0.2, 1.0, 2.0])
DRAWS = 20_000
WIDENING = {"gpt2": "transformer.h.1.mlp.c_fc.weight", "llama": "model.layers.1.mlp.up_proj.weight"}


@dataclass(frozen=True)
class Config(ScriptConfig):
    model: str = "cookbook"  # model whose weights to quantize: cookbook, smollm2, a folder, or a name of the hub
    # the matrix among its weights (default: the one that widens in the second feed-forward network)
    matrix: str | None = None
    bits: tuple[Annotated[int, Field(ge=2, le=16)], ...] = (2, 3, 4, 5, 6, 7, 8, 9, 10)  # sizes of the integers
    numbers: PositiveInt = 1_000_000  # numbers to draw from the Gaussian and the uniform distribution

    def check(self) -> None:
        if len(self.bits) < 2 or any(low >= high for low, high in pairwise(self.bits)):
            raise ValueError(
                f"what a bit is worth shows between two sizes: --bits from small to large; got {self.bits}"
            )


@dataclass(frozen=True)
class Results:
    affine_integers: list[int]
    symmetric_integers: list[int]
    saturated: float
    nearest_mean: float
    stochastic_mean: float
    stochastic_standard_error: float
    difference_to_torch: dict[str, float]
    bits: list[int]
    decibel: dict[str, list[float]]
    formula_uniform: list[float]
    formula_gaussian: list[float]
    decibel_per_bit: dict[str, float]


def compare_with_torch(weight: Tensor) -> dict[str, float]:
    """Return the largest difference between ours and PyTorch's numbers after a round trip, by kind of grid."""
    affine = make_grid(weight.min(), weight.max(), 8, symmetric=False)
    rows = make_grid(*min_max(weight, 8, True), 8, symmetric=True)
    scale, zero_point = rows.scale.flatten(), rows.zero_point.flatten().long()
    with warnings.catch_warnings():  # PyTorch says that its quantized tensors will go
        warnings.simplefilter("ignore")
        theirs = {
            "quantize_per_tensor": torch.quantize_per_tensor(
                weight, affine.scale.item(), int(affine.zero_point), torch.quint8
            ).dequantize(),
            "quantize_per_channel": torch.quantize_per_channel(weight, scale, zero_point, 0, torch.qint8).dequantize(),
            "fake_quantize_per_channel_affine": torch.fake_quantize_per_channel_affine(
                weight, scale, zero_point.int(), 0, rows.lowest, rows.highest
            ),
        }
    ours = dequantize(quantize(weight, affine), affine), *2 * (dequantize(quantize(weight, rows), rows),)
    return {name: (mine - other).abs().max().item() for mine, (name, other) in zip(ours, theirs.items(), strict=True)}


def noise_by_formula(power: float, width: float, bits: int) -> float:
    """Return the signal-to-noise ratio if the error is uniform within a step: its mean square is step^2 / 12."""
    step = width / (2**bits - 1)
    return 10 * torch.log10(torch.tensor(12 * power / step**2)).item()


def matrix(config: Config) -> Tensor:
    """Return a weight of the model, (outputs, inputs)."""
    model = with_linears(load_causal_model(config.model)[0])
    matrices = {name: weight.detach() for name, weight in model.named_parameters() if weight.dim() == 2}
    usual = WIDENING.get(model.config.model_type)
    name = config.matrix or (usual if usual in matrices else next(iter(matrices)))
    if name not in matrices:
        raise ValueError(f"--matrix must be one of {', '.join(matrices)}; got {name}")
    return matrices[name]


def show_example(name: str, high: float, *, symmetric: bool) -> tuple[list[int], list[float]]:
    """Print and return the integers of the example on a grid of 4 bits, and the numbers that come back."""
    grid = make_grid(EXAMPLE.min(), torch.tensor(high), 4, symmetric=symmetric)
    integers = quantize(EXAMPLE, grid)
    back = dequantize(integers, grid).tolist()
    print(f"{name:<18}{integers.int().tolist()} -> {', '.join(f'{number:.2f}' for number in back)}")
    return integers.int().tolist(), back


def decibel_by_bits(
    weight: Tensor, gaussian: Tensor, uniform: Tensor, sizes: tuple[int, ...]
) -> dict[str, list[float]]:
    """Return the signal-to-noise ratio of every kind of numbers and grid, by the size of the integers."""
    kinds = {
        "uniform numbers": (uniform, {"per": "tensor"}),
        "Gaussian numbers": (gaussian, {"per": "tensor"}),
        "weights, one grid": (weight, {"per": "tensor"}),
        "weights, a grid for each channel": (weight, {"per": "channel"}),
        "the same, affine": (weight, {"per": "channel", "symmetric": False}),
    }
    return {
        name: [signal_to_noise(x, fake_quantize(x, bits, **scheme)) for bits in sizes]  # ty: ignore[invalid-argument-type]
        for name, (x, scheme) in kinds.items()
    }


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    weight, sizes = matrix(config), config.bits
    print(f"{'numbers':<18}{', '.join(f'{number:.2f}' for number in EXAMPLE.tolist())}")
    affine, _ = show_example("affine", 2.0, symmetric=False)
    symmetric, _ = show_example("symmetric", 2.0, symmetric=True)
    _, saturated = show_example("affine, up to 1", 1.0, symmetric=False)
    unit = make_grid(torch.tensor(0.0), torch.tensor(15.0), 4, symmetric=False)
    between = torch.full((DRAWS,), 0.3)
    stochastic = quantize(between, unit, generator)
    gaussian = torch.randn(1, config.numbers, generator=generator)
    uniform = 2 * torch.rand(1, config.numbers, generator=generator) - 1
    decibel = decibel_by_bits(weight, gaussian, uniform, sizes)
    results = Results(
        affine_integers=affine,
        symmetric_integers=symmetric,
        saturated=saturated[-1],
        nearest_mean=quantize(between, unit).mean().item(),
        stochastic_mean=stochastic.mean().item(),
        stochastic_standard_error=stochastic.std().item() / DRAWS**0.5,
        difference_to_torch=compare_with_torch(weight),
        bits=list(sizes),
        decibel=decibel,
        formula_uniform=[noise_by_formula(1 / 3, 2.0, bits) for bits in sizes],
        formula_gaussian=[noise_by_formula(1.0, 2 * gaussian.abs().max().item(), bits) for bits in sizes],
        # Of the largest sizes: with few bits, 2^bits - 1 is not nearly twice 2^(bits - 1) - 1.
        decibel_per_bit={name: (ratios[-1] - ratios[-2]) / (sizes[-1] - sizes[-2]) for name, ratios in decibel.items()},
    )
    print(f"\n0.3 of a step, rounded: to the nearest {results.nearest_mean:.3f} on average, at random", end=" ")
    print(f"{results.stochastic_mean:.3f} +- {results.stochastic_standard_error:.3f}")
    print(f"differences to PyTorch: {results.difference_to_torch}\n")
    print(f"{'signal-to-noise in dB by bits':<36}" + "".join(f"{bits:>7}" for bits in sizes))
    for name, ratios in {**decibel, "uniform, step^2 / 12": results.formula_uniform}.items():
        print(f"{name:<36}" + "".join(f"{ratio:7.1f}" for ratio in ratios))
    return results


def plot(results: Results) -> Figure:
    """Draw the signal-to-noise ratio by bits, and the formula."""
    figure, axes = new_figure()
    # Two of the lines lie on each other: the weights of a matrix are about Gaussian.
    for (name, ratios), marker in zip(results.decibel.items(), "oosD^", strict=True):
        wide = 5 if name == "Gaussian numbers" else 1.5
        axes.plot(results.bits, ratios, marker=marker, linewidth=wide, label=name)
    axes.plot(results.bits, results.formula_uniform, "k:", label="formula: error uniform within a step")
    axes.plot(results.bits, results.formula_gaussian, "k:")
    axes.set(xlabel="bits", ylabel="signal-to-noise ratio, dB")
    axes.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

"""What does a model weigh in each format? The bytes of GPT-2 small by formula, and of the shipped model as files.

    uv run sprints/20_quantization_aware_training/file_sizes.py
    uv run sprints/20_quantization_aware_training/file_sizes.py --group 32

Every weight that is rounded has its integer's bits and its share of a step of 16 bits; the rest stays in float32.
Theory: notes/10_what_is_gained.md
"""

import math
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
from matplotlib.figure import Figure
from torch import nn

from aware.convert import convert, grouped_weights, save_converted
from aware.fake_quantize import Bits
from aware.packing import pack_digits
from aware.prepare import AwareConfig, prepare
from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn.pretrained import load_causal_model

STEP_BITS = 16
FORMATS: dict[str, Bits] = {"8 bits": 8, "4 bits": 4, "3 bits": 3, "2 bits": 2, "ternary": "ternary"}
# Bits of an integer as bytes hold it: three bits are kept as four, five ternary ones in a byte.
IN_BYTES: dict[Bits, float] = {8: 8, 4: 4, 3: 4, 2: 2, "ternary": 8 / 5}
IN_FILES = (8, 4, 3)  # what a folder can hold, which transformers then loads


@dataclass(frozen=True)
class Config(ScriptConfig):
    group: PositiveInt = 64  # weights that share a step


@dataclass(frozen=True)
class Size:
    """Bits of a weight with its share of a step: at least, and packed; megabytes of both models."""

    least_bits: float
    packed_bits: float
    gpt2_megabytes: float
    shipped_megabytes: float
    shipped_written: float


@dataclass(frozen=True)
class Results:
    gpt2_weights: int
    gpt2_rest: int
    shipped_weights: int
    shipped_rest: int
    gpt2_float32: float
    shipped_float32: float
    sizes: dict[str, Size]


def counted(model: nn.Module, group: int) -> tuple[int, int]:
    """Return how many weights of a model are rounded, and how many numbers stay as they are."""
    numbers = sum(parameter.numel() for parameter in model.parameters())
    weights = prepare(model, AwareConfig(8, group=group, learned=False)).weights
    return weights, numbers - weights


def gpt2_small() -> nn.Module:
    """Return a GPT-2 small without memory behind its weights: there is only something to count."""
    from transformers import GPT2Config, GPT2LMHeadModel

    with torch.device("meta"):
        return GPT2LMHeadModel(GPT2Config())


def written_megabytes(bits: Bits, group: int) -> float:
    """Return the size of the shipped model in a format: of the file where there is one, else of the packed numbers."""
    model, tokenizer = load_causal_model()
    prepare(model, AwareConfig(bits, group=group, learned=False))
    converted = convert(model)
    if bits in IN_FILES:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / "model"
            save_converted(folder, converted, tokenizer)
            return sum(file.stat().st_size for file in folder.glob("*.safetensors")) / 1e6
    packed = [(pack_digits(weight.integers, bits), weight.scales) for weight in grouped_weights(converted).values()]
    rest = sum(parameter.numel() for parameter in converted.parameters())  # integers and steps are no parameters
    return (sum(codes.numel() + 2 * scales.numel() for codes, scales in packed) + 4 * rest) / 1e6


def main(config: Config) -> Results:
    shipped = load_causal_model()[0]
    (weights, rest), (ours, our_rest) = counted(gpt2_small(), config.group), counted(shipped, config.group)
    sizes = {}
    for name, bits in FORMATS.items():
        step = STEP_BITS / config.group
        least, packed = (math.log2(3) if bits == "ternary" else bits) + step, IN_BYTES[bits] + step
        sizes[name] = Size(
            least_bits=least,
            packed_bits=packed,
            gpt2_megabytes=(weights * packed / 8 + 4 * rest) / 1e6,
            shipped_megabytes=(ours * packed / 8 + 4 * our_rest) / 1e6,
            shipped_written=written_megabytes(bits, config.group),
        )
        print(f"{name:<10}{least:6.2f} bits a weight, {packed:.2f} packed; GPT-2 small", end=" ")
        print(f"{sizes[name].gpt2_megabytes:6.1f} MB, shipped {sizes[name].shipped_megabytes:.2f} MB", end="")
        print(f", written {sizes[name].shipped_written:.2f} MB")
    return Results(weights, rest, ours, our_rest, 4 * (weights + rest) / 1e6, 4 * (ours + our_rest) / 1e6, sizes)


def plot(results: Results) -> Figure:
    """Draw the megabytes of GPT-2 small: integers, their steps, and what stays in float32."""
    figure, axes = new_figure(7.4, 3.4)
    rest, names = 4 * results.gpt2_rest / 1e6, list(results.sizes)
    for row, (name, size) in enumerate(results.sizes.items()):
        steps = results.gpt2_weights * (size.packed_bits - IN_BYTES[FORMATS[name]]) / 8e6
        integers = size.gpt2_megabytes - steps - rest
        left = 0.0
        for part, width, colour in (("integers", integers, "C1"), ("steps", steps, "C4"), ("float32", rest, "C0")):
            axes.barh(row, width, left=left, color=colour, label=None if row else part)
            left += width
        axes.annotate(f"{left:.1f} MB", (left, row), (5, 0), textcoords="offset points", va="center", fontsize=9)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set(xlabel="MB, GPT-2 small", xlim=(0, 1.15 * max(size.gpt2_megabytes for size in results.sizes.values())))
    axes.legend(loc="lower right", fontsize=9)
    return figure


TOLERANCE = {"*": EXACT, "*.shipped_written": Tolerance(relative=0.01)}

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)

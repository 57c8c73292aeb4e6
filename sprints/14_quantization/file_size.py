"""Where do the bytes of a quantized GPT-2 go? The arithmetic, and the files as they are saved.

    uv run sprints/14_quantization/file_size.py

A third of GPT-2 small is its token embedding, which is the output layer too: quantize only what PyTorch quantizes by
default, and the file keeps it twice. Theory: notes/08_bytes.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import nn
from transformers import GPT2LMHeadModel

from quantizing.converted import saved_bytes
from quantizing.eager_mode import quantize_dynamically
from quantizing.packed_linear import Int4Linear, Int8Linear, pack_weights
from quantizing.timed_turns import random_gpt2
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import MOST, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

PARTS = ("blocks", "output layer", "token embedding", "positions, norms and biases")
GROUP = 64


@dataclass(frozen=True)
class Config(ScriptConfig):
    layers: PositiveInt = 12  # blocks; the default is GPT-2 small, with random weights
    d_model: Annotated[int, Field(ge=64, le=MOST, multiple_of=64)] = 768  # features of a token
    vocab_size: PositiveInt = 50_257  # distinct tokens


@dataclass(frozen=True)
class FormatSize:
    megabytes: dict[str, float]
    computed: float
    saved: float | None
    of_float32: float


@dataclass(frozen=True)
class Results:
    parameters: int
    embedding_share: float
    sizes: dict[str, FormatSize]


def numbers(model: GPT2LMHeadModel) -> dict[str, int]:
    """Return how many numbers each part of the model holds; the output layer's are those of the token embedding."""
    matrices = sum(p.numel() for name, p in model.named_parameters() if ".h." in name and p.dim() == 2)
    table = model.transformer.wte.weight.numel()
    rest = sum(p.numel() for p in model.parameters()) - matrices - table
    return {"blocks": matrices, "output layer": table, "token embedding": table, "positions, norms and biases": rest}


def rows(model: GPT2LMHeadModel) -> dict[str, int]:
    """Return how many output channels the matrices of the blocks and the output layer have."""
    d_model, layers = model.config.n_embd, model.config.n_layer
    return {"blocks": layers * 9 * d_model, "output layer": model.config.vocab_size}


def bytes_of(count: dict[str, int], channels: dict[str, int], name: str) -> dict[str, float]:
    """Return the bytes of each part in a format, by formula.

    PyTorch keeps scales of a linear layer's rows in 8 bytes and as much for their zero points, those of an embedding's
    rows in 4 and 4; the kernels want one scale in bfloat16 for a row (int8), or two numbers for each group (int4).
    """
    blocks, table, rest = count["blocks"], count["output layer"], count["positions, norms and biases"]
    row_blocks, row_table = channels["blocks"], channels["output layer"]
    int8_table = table + 16 * row_table
    sizes = {
        "float32": (4 * blocks, 0, 4 * table, 4 * rest),
        "bfloat16": (2 * blocks, 0, 2 * table, 2 * rest),
        "int8, embedding float32": (blocks + 16 * row_blocks, int8_table, 4 * table, 4 * rest),
        "int8, embedding int8": (blocks + 16 * row_blocks, int8_table, table + 8 * row_table, 4 * rest),
        "int8, one table for both": (blocks + 16 * row_blocks, int8_table, 0, 4 * rest),
        "int8 kernel, embedding bfloat16": (blocks + 2 * row_blocks, table + 2 * row_table, 2 * table, 2 * rest),
        "int4 kernel, embedding bfloat16": (
            blocks * (1 / 2 + 4 / GROUP),
            table * (1 / 2 + 4 / GROUP),
            2 * table,
            2 * rest,
        ),
    }
    return dict(zip(PARTS, map(float, sizes[name]), strict=True))


MAKERS: dict[str, Callable[[GPT2LMHeadModel], nn.Module] | None] = {
    "float32": lambda model: model,
    "bfloat16": lambda model: random_copy(model).to(torch.bfloat16),
    "int8, embedding float32": lambda model: quantize_dynamically(model, embedding=False),
    "int8, embedding int8": quantize_dynamically,
    "int8, one table for both": None,  # exercise 4
    "int8 kernel, embedding bfloat16": lambda model: pack_weights(model, Int8Linear),
    "int4 kernel, embedding bfloat16": lambda model: pack_weights(model, Int4Linear),
}


def random_copy(model: GPT2LMHeadModel) -> GPT2LMHeadModel:
    """Return another model of the same size."""
    return random_gpt2(model.config.n_layer, model.config.n_embd, model.config.vocab_size)


def main(config: Config) -> Results:
    seed_everything(config.seed)
    model = random_gpt2(config.layers, config.d_model, config.vocab_size)
    count, channels = numbers(model), rows(model)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    sizes: dict[str, FormatSize] = {}
    for name, make in MAKERS.items():
        parts = {part: size / 1e6 for part, size in bytes_of(count, channels, name).items()}
        saved = None if make is None else saved_bytes(make(model)) / 1e6
        total = sum(parts.values())
        whole = total if name == "float32" else sizes["float32"].computed
        sizes[name] = FormatSize(parts, total, saved, (saved or total) / whole)
        shown = "not built" if saved is None else f"saved {saved:.1f} MB"
        print(f"{name:<34}" + "".join(f"{part} {parts[part]:6.1f}  " for part in PARTS), end="")
        print(f"sum {total:6.1f} MB, {shown}, {sizes[name].of_float32:.2f} of float32")
    return Results(parameters, count["token embedding"] / parameters, sizes)


def plot(results: Results) -> Figure:
    """Draw the bytes of each part by format."""
    figure, axes = new_figure(width=8)
    left = [0.0] * len(results.sizes)
    for part in PARTS:
        widths = [size.megabytes[part] for size in results.sizes.values()]
        axes.barh(list(results.sizes), widths, left=left, label=part)
        left = [before + width for before, width in zip(left, widths, strict=True)]
    axes.axvline(0.35 * results.sizes["float32"].computed, color="black", linestyle=":", label="0.35 of float32")
    axes.set(xlabel="MB")
    axes.invert_yaxis()
    axes.legend(loc="lower right", fontsize=8)
    return figure


FILES = Tolerance(relative=0.01)
TOLERANCE = {"*.saved": FILES, "*.of_float32": FILES}

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)

"""Why is decoding bound by memory? Bandwidth and peak of this machine, the limit of each format, and what is reached.

    uv run sprints/14_quantization/roofline.py

To write one token, every weight is read once and used for one multiplication and one addition. The roof over a
computation is the lower of two: what the memory delivers, and what the processor computes. Theory:
notes/09_memory_bound.md
"""

import statistics
import warnings
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor, nn
from torch.ao import quantization as eager

from quantizing.eager_mode import use_engine
from quantizing.machine_limits import bandwidth, best_seconds, peaks
from quantizing.packed_linear import Int4Linear, Int8Linear
from quantizing.timed_turns import decode_seconds, random_gpt2, take_turns
from quantizing.weight_formats import in_format
from shared.lab.compare import EXACT, ROUNDING, TIMING
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import MOST, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, seed_everything

# Bytes of a weight, and the name in weight_formats.py of what decodes in this format.
FORMATS = {
    "float32": (4.0, "linear"),
    "bfloat16": (2.0, "bfloat16"),
    "int8": (1.0, "dynamic"),
    "int8 weights": (1.0, "int8-kernel"),
    "int4 weights": (0.5625, "int4-kernel"),  # two to a byte, and two bfloat16 numbers for each group of 64
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    layers: PositiveInt = 12  # blocks; the default is GPT-2 small
    d_model: Annotated[int, Field(ge=64, le=MOST, multiple_of=64)] = 768  # features of a token
    vocab_size: PositiveInt = 50_257  # distinct tokens
    megabytes: tuple[PositiveInt, ...] = (16, 64, 128, 256, 512)  # working sets to measure the bandwidth with
    batches: tuple[PositiveInt, ...] = (1, 2, 4, 8, 16, 32, 64, 128, 256)  # tokens that are multiplied at once
    turns: PositiveInt = 10  # turns of each measurement
    new_tokens: Annotated[int, Field(ge=1, le=1000)] = 8  # tokens that a turn of decoding writes


@dataclass(frozen=True)
class Roof:
    bytes_per_token: float
    bandwidth: float
    peak_gflops: float
    limit_tokens_per_second: float
    tokens_per_second: float
    of_limit: float
    ridge: float
    intensities: list[float]
    gflops: list[float]


@dataclass(frozen=True)
class Results:
    weights_per_token: int
    megabytes: list[int]
    read_gb_per_second: list[float]
    copy_gb_per_second: list[float]
    roofs: dict[str, Roof]


def layers_of(kind: str, d_model: int, copies: int) -> list[nn.Module]:
    """Return layers in a format: together they are larger than what a cache near the processor holds."""
    layers = [nn.Linear(d_model, 4 * d_model, bias=False) for _ in range(copies)]
    if kind == "float32":
        return [*layers]
    if kind == "int8":
        which = {nn.Linear: eager.per_channel_dynamic_qconfig}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [*eager.quantize_dynamic(nn.ModuleList(layers), which)]  # ty: ignore[deprecated]
    packed = {"bfloat16": lambda layer: layer, "int8 weights": Int8Linear, "int4 weights": Int4Linear}[kind]
    return [packed(layer.to(torch.bfloat16)) for layer in layers]


@torch.inference_mode()
def sweep(kind: str, config: Config, copies: int = 24) -> tuple[list[float], list[float]]:
    """Return operations per byte of weights, and GFLOP per second, of layers that multiply more and more tokens."""
    layers = layers_of(kind, config.d_model, copies)
    weights = 4 * config.d_model**2 * copies
    intensities, rates = [], []
    for batch in config.batches:
        x: Tensor = torch.randn(batch, config.d_model)
        if kind not in ("float32", "int8"):  # int8 makes integers of float32 itself
            x = x.to(torch.bfloat16)
        seconds = best_seconds(lambda x=x: [layer(x) for layer in layers], config.turns)
        intensities.append(2 * batch / FORMATS[kind][0])
        rates.append(2 * batch * weights / seconds / 1e9)
    return intensities, rates


def main(config: Config) -> Results:
    keep_freed_memory()
    use_engine()
    generator = seed_everything(config.seed)
    measured = [bandwidth(size, config.turns) for size in config.megabytes]
    read = [reading for reading, _ in measured]
    peak = peaks(config.turns)
    # Where only weights are integers, they become bfloat16 in registers, and that is what is multiplied.
    peak["int8 weights"] = peak["int4 weights"] = peak["bfloat16"]

    original = random_gpt2(config.layers, config.d_model, config.vocab_size)
    weights = 12 * config.layers * config.d_model**2 + config.vocab_size * config.d_model
    models = {name: in_format(format_name, original, []) for name, (_, format_name) in FORMATS.items()}
    prompt = torch.randint(config.vocab_size, (1, 16), generator=generator)
    seconds = take_turns(
        {name: lambda m=m: decode_seconds(m, prompt, config.new_tokens) for name, m in models.items()}, config.turns
    )
    roofs = {}
    for name, (size, _) in FORMATS.items():
        needed = size * weights
        # The bandwidth of a working set about as large as these weights.
        nearest = min(range(len(read)), key=lambda index: abs(config.megabytes[index] - needed / 1e6))
        limit, reached = read[nearest] * 1e9 / needed, 1 / statistics.median(seconds[name])
        intensities, rates = sweep(name, config)
        roofs[name] = Roof(
            needed,
            read[nearest],
            peak[name],
            limit,
            reached,
            reached / limit,
            peak[name] / read[nearest],
            intensities,
            rates,
        )
    results = Results(weights, list(config.megabytes), read, [copying for _, copying in measured], roofs)
    for size, (reading, copying) in zip(config.megabytes, measured, strict=True):
        print(f"{size:>5} MB: read {reading:5.1f} GB/s, copy {copying:5.1f} GB/s")
    for name, roof in roofs.items():
        print(f"{name:<13}{roof.bytes_per_token / 1e6:6.1f} MB a token, limit", end=" ")
        print(f"{roof.limit_tokens_per_second:6.1f} tokens/s, reached {roof.tokens_per_second:6.1f}", end=" ")
        print(f"({roof.of_limit:.0%}); peak {roof.peak_gflops:,.0f} GFLOP/s needs {roof.ridge:.0f}", end=" ")
        print(f"operations a byte, one token has {2 / FORMATS[name][0]:.1f}")
    return results


def plot(results: Results) -> Figure:
    """Draw the roof of each format and the layers under it, and the limits of decoding beside what is reached."""
    figure, (roofs, rates) = new_figure(width=10, height=4.2, columns=2)
    for number, (name, roof) in enumerate(results.roofs.items()):
        colour = f"C{number}"
        across = torch.logspace(-1, 3, 100).tolist()
        roofs.plot(across, [min(roof.peak_gflops, roof.bandwidth * x) for x in across], color=colour, linewidth=0.8)
        roofs.plot(roof.intensities, roof.gflops, "o", color=colour, markersize=4, label=name)
    roofs.set(xscale="log", yscale="log", xlabel="operations per byte of weights", ylabel="GFLOP/s")
    roofs.legend(title="layers, 1 to 256 tokens")
    names = [name.replace(" ", "\n") for name in results.roofs]
    rates.bar(
        names, [roof.limit_tokens_per_second for roof in results.roofs.values()], color="lightgrey", label="limit"
    )
    rates.bar(names, [roof.tokens_per_second for roof in results.roofs.values()], width=0.5, label="reached")
    rates.set(ylabel="tokens per second, batch 1")
    rates.legend()
    return figure


TOLERANCE = {
    "*": TIMING,
    "weights_per_token": EXACT,
    "megabytes*": EXACT,
    "*.bytes_per_token": EXACT,
    "*.intensities*": ROUNDING,
}

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)

"""How fast is each format? Prefill and decoding at the size of GPT-2 small, in turns, with the interval of each ratio.

    uv run --group quantization sprints/14_quantization/speed.py
    uv run sprints/14_quantization/speed.py --ways float32 bfloat16 dynamic static

The weights are random: speed does not depend on them. Takes about four minutes on two quiet cores. A format is called
faster only where the whole interval is above 1. torchao is in a dependency group of its own, hence the first command;
the second does without it. Theory: notes/07_memory_bound.md
"""

import statistics
from dataclasses import dataclass
from typing import Literal

import torch
from matplotlib.figure import Figure

from quantizing.quantized_gpt2 import converted_layers, saved_bytes, use_engine
from quantizing.timed_turns import (
    Ratio,
    decode_seconds,
    generate_seconds,
    prefill_seconds,
    random_gpt2,
    ratio,
    take_turns,
)
from quantizing.ways import LABELS, WAYS, build, check_ways
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, seed_everything


@dataclass(frozen=True)
class Config(ScriptConfig):
    # formats to compare; the first is the baseline
    ways: tuple[
        Literal[
            "float32",
            "linear",
            "bfloat16",
            "dynamic",
            "static",
            "int8-kernel",
            "int4-kernel",
            "torchao-int8",
            "torchao-int4",
        ],
        ...,
    ] = tuple(WAYS)
    layers: int = 12  # blocks; the default is GPT-2 small
    d_model: int = 768  # features of a token
    vocab_size: int = 50_257  # distinct tokens
    turns: int = 20  # turns of each contender that are timed
    prompt: int = 256  # tokens of the prompt for the prefill
    new_tokens: int = 16  # tokens that a turn of decoding writes
    engine: str = "auto"  # library that multiplies quantized matrices


@dataclass(frozen=True)
class Speed:
    label: str
    converted: int
    megabytes: float
    of_float32: float
    decode_tokens_per_second: float
    decode: Ratio
    generate_tokens_per_second: float
    generate: Ratio
    prefill_milliseconds: float
    prefill: Ratio


@dataclass(frozen=True)
class Results:
    engine: str
    library_overhead_milliseconds: float
    ways: dict[str, Speed]


def main(config: Config) -> Results:
    check_ways(config.ways, "speed")
    keep_freed_memory()
    engine = use_engine(config.engine)
    generator = seed_everything(config.seed)
    original = random_gpt2(config.layers, config.d_model, config.vocab_size)
    prompt = torch.randint(config.vocab_size, (1, config.prompt), generator=generator)
    short = prompt[:, :16]
    models = {name: build(name, original, [prompt]) for name in config.ways}
    del original

    decode = take_turns(
        {name: lambda m=m: decode_seconds(m, short, config.new_tokens) for name, m in models.items()}, config.turns
    )
    generate = take_turns(
        {name: lambda m=m: generate_seconds(m, short, config.new_tokens) for name, m in models.items()}, config.turns
    )
    prefill = take_turns({name: lambda m=m: prefill_seconds(m, prompt) for name, m in models.items()}, config.turns)

    base, found = config.ways[0], {}
    sizes = {name: saved_bytes(model) / 1e6 for name, model in models.items()}
    for name, model in models.items():
        found[name] = Speed(
            label=LABELS[name],
            converted=converted_layers(model),
            megabytes=sizes[name],
            of_float32=sizes[name] / sizes[base],
            decode_tokens_per_second=1 / statistics.median(decode[name]),
            decode=ratio(decode[base], decode[name], generator),
            generate_tokens_per_second=1 / statistics.median(generate[name]),
            generate=ratio(generate[base], generate[name], generator),
            prefill_milliseconds=1000 * statistics.median(prefill[name]),
            prefill=ratio(prefill[base], prefill[name], generator),
        )
    extra = [
        1000 * (1 / speed.generate_tokens_per_second - 1 / speed.decode_tokens_per_second) for speed in found.values()
    ]
    print(f"\nengine {engine}, {torch.get_num_threads()} threads, {config.turns} turns")
    for speed in found.values():
        print(f"{speed.label:<38}{speed.converted:>3} layers {speed.megabytes:6.1f} MB", end="")
        print(f"  decode {speed.decode_tokens_per_second:6.1f} tokens/s {shown(speed.decode)}", end="")
        print(
            f"  generate {shown(speed.generate)}  prefill {speed.prefill_milliseconds:6.0f} ms {shown(speed.prefill)}"
        )
    return Results(engine, statistics.median(extra), found)


def shown(found: Ratio) -> str:
    return f"{found.estimate:.2f} x ({found.low:.2f} to {found.high:.2f})"


def plot(results: Results) -> Figure:
    """Draw the ratios to the baseline with their intervals."""
    figure, panels = new_figure(width=10, columns=2)
    labels = [speed.label for speed in results.ways.values()]
    for axes, task in zip(panels, ("decode", "prefill"), strict=True):
        ratios: list[Ratio] = [vars(speed)[task] for speed in results.ways.values()]
        middle = [found.estimate for found in ratios]
        axes.barh(labels, middle, color="C0" if task == "decode" else "C1")
        ends = [found.estimate - found.low for found in ratios], [found.high - found.estimate for found in ratios]
        axes.errorbar(middle, labels, xerr=ends, fmt="none", color="black", capsize=3)
        axes.axvline(1, color="black", linewidth=0.8)
        axes.invert_yaxis()
        axes.set(xlabel="times as fast as float32", title=f"{task}, batch 1")
    panels[1].set_yticklabels([])
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

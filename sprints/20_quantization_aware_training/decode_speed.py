"""Does a converted model write faster? Decoding token by token, in turns, with the interval of each ratio.

    uv run sprints/20_quantization_aware_training/decode_speed.py
    uv run sprints/20_quantization_aware_training/decode_speed.py --layers 12 --d-model 768 --turns 5

The weights are random: products take the same time whatever the numbers are. One model is prepared and converted, with
kernels and without. Faster is only called what has its whole interval above 1. Theory: notes/10_what_is_gained.md
"""

import copy
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor
from tqdm import tqdm

from aware.convert import convert
from aware.prepare import AwareConfig, prepare
from shared.checks.intervals import median_interval
from shared.lab.compare import EXACT, TIMING
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import MOST, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, seed_everything

GROUP = 64
PROMPT, WARM_UP = 8, 1  # tokens before those that are timed, and turns that do not count
FOUR, EIGHT = AwareConfig(4, group=GROUP, learned=False), AwareConfig(8, "channel", learned=False)
INTEGERS = AwareConfig(8, "channel", activation_bits=8, learned=False)
WAYS: dict[str, Callable[[Any], Any]] = {
    "float32": lambda model: model,
    "bfloat16": lambda model: copy.deepcopy(model).to(torch.bfloat16),
    "4 bits, prepared": lambda model: prepared(model, FOUR),
    "4 bits, converted, no kernel": lambda model: convert(prepared(model, FOUR)),
    "4 bits, kernel": lambda model: convert(prepared(model, FOUR), kernels=True),
    "8 bits, kernel": lambda model: convert(prepared(model, EIGHT), kernels=True),
    "4 bits, kernel, bfloat16": lambda model: convert(prepared(model, FOUR), kernels=True, dtype=torch.bfloat16),
    "8 bits, kernel, bfloat16": lambda model: convert(prepared(model, EIGHT), kernels=True, dtype=torch.bfloat16),
    "8 bits, inputs too": lambda model: convert(prepared(model, INTEGERS), kernels=True),
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    layers: PositiveInt = 6  # blocks
    d_model: Annotated[int, Field(ge=64, le=MOST, multiple_of=64)] = 512  # features of a token
    vocab_size: PositiveInt = 50_257  # distinct tokens
    new_tokens: Annotated[int, Field(ge=1, le=1000)] = 4  # tokens that a turn writes
    turns: PositiveInt = 15  # turns of each way that are timed


@dataclass(frozen=True)
class Speed:
    """Milliseconds of a token, and how many times as fast as float32, with the ends of a 95 % interval."""

    milliseconds: float
    times: float
    low: float
    high: float
    verdict: str


@dataclass(frozen=True)
class Results:
    threads: int
    parameters: int
    ways: dict[str, Speed]


def prepared(model: Any, config: AwareConfig) -> Any:
    """Return a prepared copy of a model."""
    copied = copy.deepcopy(model)
    prepare(copied, config)
    return copied


@torch.inference_mode()
def decode_seconds(model: Any, prompt: Tensor, new_tokens: int) -> float:
    """Return the seconds of a token that is written with a cache; the prompt does not count."""
    from transformers import DynamicCache

    cache = DynamicCache(config=model.config)
    token = model(prompt, cache=cache, use_cache=True, logits_to_keep=1).logits.argmax(-1)  # (1, 1)
    began = time.perf_counter()
    for _ in range(new_tokens):
        token = model(token, cache=cache, use_cache=True).logits.argmax(-1)
    return (time.perf_counter() - began) / new_tokens


def main(config: Config) -> Results:
    from transformers import GPT2Config, GPT2LMHeadModel

    keep_freed_memory()
    generator = seed_everything(config.seed)
    size = GPT2Config(
        n_layer=config.layers, n_embd=config.d_model, n_head=config.d_model // 64, vocab_size=config.vocab_size
    )
    size.bos_token_id = size.eos_token_id = None
    model = GPT2LMHeadModel(size).eval()
    prompt = torch.randint(config.vocab_size, (1, PROMPT), generator=generator)
    contenders = {name: make(model) for name, make in WAYS.items()}
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in tqdm(range(-WARM_UP, config.turns), unit="turn"):
        # Every other turn goes backwards, so that none always runs behind the same one.
        for name in contenders if turn % 2 else reversed(list(contenders)):
            taken = decode_seconds(contenders[name], prompt, config.new_tokens)
            if turn >= 0:
                seconds[name].append(taken)
    ways = {}
    for name, taken in seconds.items():
        ratios = [base / own for base, own in zip(seconds["float32"], taken, strict=True)]
        times, low, high = median_interval(ratios, generator)
        verdict = "faster" if low > 1 else "slower" if high < 1 else "no difference shown"
        ways[name] = Speed(1000 * statistics.median(taken), times, low, high, verdict)
        print(f"{name:<30}{ways[name].milliseconds:8.1f} ms a token, {times:.2f} x ({low:.2f} to {high:.2f})")
    return Results(torch.get_num_threads(), sum(weight.numel() for weight in model.parameters()), ways)


def plot(results: Results) -> Figure:
    """Draw how many times as fast as float32 each way is, with intervals."""
    figure, axes = new_figure(7.4, 3.2)
    ways = {name: speed for name, speed in results.ways.items() if name != "float32"}
    for row, speed in enumerate(ways.values()):
        ends = [[speed.times - speed.low], [speed.high - speed.times]]
        colour = {"faster": "C0", "slower": "C3"}.get(speed.verdict, "#777777")
        axes.errorbar(speed.times, row, xerr=ends, fmt="o", capsize=4, color=colour)
        axes.annotate(
            f"{speed.times:.2f}", (speed.times, row), (0, 7), textcoords="offset points", ha="center", fontsize=9
        )
    axes.axvline(1, color="black", linestyle=":")
    axes.set_yticks(range(len(ways)), list(ways))
    axes.set(xlabel="times as fast as float32", xscale="log", ylim=(len(ways) - 0.5, -0.8))
    ticks = [tick for tick in (0.01, 0.03, 0.1, 0.3, 1, 3, 10) if axes.get_xlim()[0] < tick < axes.get_xlim()[1]]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
    axes.minorticks_off()
    return figure


TOLERANCE = {"*": TIMING, "parameters": EXACT}

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)

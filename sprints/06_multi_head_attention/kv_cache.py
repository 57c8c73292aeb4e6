"""What does a key-value cache save? Time and operations for one more token, with and without it, by length.

    uv run sprints/06_multi_head_attention/kv_cache.py
    uv run sprints/06_multi_head_attention/kv_cache.py --lengths 64 128 256 512 1024 2048 --rounds 9

Without a cache the whole text passes through the model again for each new token. Operations are counted by PyTorch;
time is that of the processor, taken in turns. Theory: notes/10_the_key_value_cache.md
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode
from tqdm import trange

from attention_study.power_law import check_lengths, slope
from shared.generation.decoding import generate
from shared.lab.compare import TIMING
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import MOST, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.cache import KeyValueCache
from shared.nn.gpt import GPT, GPTConfig

# What computes the logits after one more token, "with" or "without" a cache, by the tokens before it.
NextToken = dict[tuple[str, int], Callable[[], Tensor]]
Vocabulary = Annotated[int, Field(ge=4, le=MOST)]  # of the prompt


@dataclass(frozen=True)
class Config(ScriptConfig):
    lengths: tuple[PositiveInt, ...] = (64, 128, 256, 512, 1024)  # tokens before the new one
    fit_from: PositiveInt = 256  # tokens from which on slopes are fitted: below, fixed costs count
    layers: PositiveInt = 4  # blocks
    heads: PositiveInt = 4  # attention heads of a block
    d_model: PositiveInt = 128  # features of a token
    vocab: Vocabulary = 512  # distinct tokens
    rounds: PositiveInt = 7  # timings of each kind, in turns
    new_tokens: PositiveInt = 48  # greedy tokens to compare

    def check(self) -> None:
        check_heads(self.d_model, self.heads)
        check_lengths(self.lengths, self.fit_from)
        if self.new_tokens > max(self.lengths) - 2:
            raise ValueError(
                f"the greedy text and a prompt of three must fit into {max(self.lengths) + 1} tokens, the longest of "
                f"--lengths and one more; got --new-tokens {self.new_tokens}: give fewer"
            )


@dataclass(frozen=True)
class TokenCost:
    """Of one more token: processor seconds by length and round, operations by length, and the slopes of both."""

    seconds: list[list[float]]
    operations: list[int]
    time_slopes: list[float]
    operations_slope: float


@dataclass(frozen=True)
class Results:
    lengths: list[int]
    with_cache: TokenCost
    without_cache: TokenCost
    speedup: list[float]
    cache_bytes: list[int]
    cache_bytes_by_formula: list[int]
    weight_bytes: int
    logit_difference: float
    same_greedy_tokens: int


def filled_cache(model: GPT, tokens: Tensor) -> list[KeyValueCache]:
    """Return a cache that holds the tokens and has room for one more."""
    cache = model.new_cache(len(tokens), tokens.shape[1] + 1)
    model(tokens, cache=cache)
    return cache


def next_logits(model: GPT, tokens: Tensor, cache: list[KeyValueCache] | None) -> Tensor:
    """Return the logits after the last token; with a cache, that of all tokens before it."""
    if cache is None:
        return model(tokens)[:, -1]
    logits = model(tokens[:, -1:], cache=cache)[:, -1]
    for layer in cache:
        layer.length -= 1  # forget the new token, so that the next round finds the same cache
    return logits


def operations(step: Callable[[], Tensor]) -> int:
    counter = FlopCounterMode(display=False)
    with counter:
        step()
    return counter.get_total_flops()


@torch.no_grad()
def main(config: Config) -> Results:
    torch.set_num_threads(1)  # the processor's time adds up over threads, those that only wait too
    generator = seed_everything(config.seed)
    size = GPTConfig(config.vocab, max(config.lengths) + 1, config.layers, config.heads, config.d_model, dropout=0.0)
    model = GPT(size, generator).eval()
    tokens = torch.randint(config.vocab, (1, max(config.lengths) + 1), generator=generator)
    caches = {length: filled_cache(model, tokens[:, :length]) for length in config.lengths}
    steps: NextToken = {
        (name, length): partial(next_logits, model, tokens[:, : length + 1], caches[length] if name == "with" else None)
        for name in ("with", "without")
        for length in config.lengths
    }
    difference = max((steps["with", n]() - steps["without", n]()).abs().max().item() for n in config.lengths)
    taken: dict[tuple[str, int], list[float]] = {kind: [] for kind in steps}
    for _ in trange(config.rounds, unit="round"):
        for kind, step in steps.items():
            began = time.process_time()
            step()
            taken[kind].append(time.process_time() - began)
    costs = {name: gather(config, name, taken, steps) for name in ("with", "without")}
    texts = [
        generate(model, [[1, 2, 3]], max_new_tokens=config.new_tokens, temperature=0.0, use_cache=use)[0]
        for use in (True, False)
    ]
    results = Results(
        lengths=list(config.lengths),
        with_cache=costs["with"],
        without_cache=costs["without"],
        speedup=[statistics.median(taken["without", n]) / statistics.median(taken["with", n]) for n in config.lengths],
        cache_bytes=[
            sum(part.untyped_storage().nbytes() for layer in caches[n] for part in (layer.keys, layer.values))
            for n in config.lengths
        ],
        # keys and values of each layer, float32, of the tokens so far and the new one
        cache_bytes_by_formula=[2 * config.layers * (n + 1) * config.d_model * 4 for n in config.lengths],
        weight_bytes=4 * model.parameter_count(),
        logit_difference=difference,
        same_greedy_tokens=sum(first == second for first, second in zip(*texts, strict=True)),
    )
    for name, cost in costs.items():
        print(f"{name:<8} cache: time ~ length^{statistics.median(cost.time_slopes):.2f}, ", end="")
        print(f"operations ~ length^{cost.operations_slope:.2f}")
    print(
        f"faster by {', '.join(f'{ratio:.1f}' for ratio in results.speedup)} at {', '.join(map(str, config.lengths))}"
    )
    print(f"logits differ by {difference:.1e}, {results.same_greedy_tokens} of {config.new_tokens} greedy tokens agree")
    return results


def gather(
    config: Config,
    name: str,
    taken: dict[tuple[str, int], list[float]],
    steps: NextToken,
) -> TokenCost:
    """Return the cost of one kind, with slopes fitted to the longer texts."""
    long = [length for length in config.lengths if length >= config.fit_from]
    counts = {length: operations(steps[name, length]) for length in config.lengths}
    return TokenCost(
        seconds=[taken[name, length] for length in config.lengths],
        operations=list(counts.values()),
        time_slopes=[slope(long, [taken[name, length][turn] for length in long]) for turn in range(config.rounds)],
        operations_slope=slope(long, [counts[length] for length in long]),
    )


def plot(results: Results) -> Figure:
    """Draw time and operations of one more token against length."""
    figure, axes = new_figure(10.0, 3.8, columns=2)
    for name, cost in (("without cache", results.without_cache), ("with cache", results.with_cache)):
        medians = [statistics.median(rounds) for rounds in cost.seconds]
        axes[0].plot(
            results.lengths, medians, marker="o", label=f"{name}: slope {statistics.median(cost.time_slopes):.2f}"
        )
        axes[1].plot(results.lengths, cost.operations, marker="o", label=f"{name}: slope {cost.operations_slope:.2f}")
    axes[0].set(ylabel="processor seconds for one more token")
    axes[1].set(ylabel="operations for one more token")
    for panel in axes:
        panel.set(xlabel="tokens before it", xscale="log", yscale="log")
        panel.set_xticks(results.lengths, [str(length) for length in results.lengths])
        panel.minorticks_off()
        panel.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"speedup*": TIMING, "*.time_slopes*": TIMING})

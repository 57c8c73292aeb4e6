"""What does latent attention keep, and what does one more token cost? Beside ordinary and grouped attention.

    uv run sprints/19_transformer_variants/latent_cache.py
    uv run sprints/19_transformer_variants/latent_cache.py --lengths 256 1024 4096 --latent 128

Numbers kept for each token, operations as PyTorch counts them, and the processor's time, taken in turns. Theory:
notes/12_latent_attention.md
"""

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode
from tqdm import trange

from shared.lab.compare import TIMING
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Even, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.attention import MultiHeadAttention
from shared.nn.cache import KeyValueCache
from shared.nn.latent_attention import LatentAttention
from shared.nn.latent_cache import LatentCache
from shared.nn.latent_sizes import LatentSizes

KINDS = ("multi-head", "latent, materialised", "latent, absorbed")
# Of DeepSeek-V2, as its paper gives them (section 3.1.2); what is kept of a token in one layer.
DEEPSEEK_HEADS, DEEPSEEK_HEAD_DIM = 128, 128
DEEPSEEK_V2 = LatentSizes(5120, DEEPSEEK_HEADS, latent=512, head_dim=DEEPSEEK_HEAD_DIM, rotary_dim=64)


@dataclass(frozen=True)
class Config(ScriptConfig):
    lengths: tuple[PositiveInt, ...] = (128, 256, 512, 1024, 2048)  # tokens before the new one
    d_model: PositiveInt = 512  # features of a token
    heads: PositiveInt = 16  # heads, of d_model / heads features each
    latent: PositiveInt = 64  # features of the latent
    rotary_dim: Even = 16  # features of the shared key
    batch: PositiveInt = 4  # texts at once
    rounds: PositiveInt = 7  # timings of each kind, in turns

    def check(self) -> None:
        check_heads(self.d_model, self.heads)


@dataclass(frozen=True)
class Cost:
    """Numbers kept of a token; by length: operations and seconds (of each round) of one more, operations of a text."""

    kept: int
    operations: list[int]
    seconds: list[list[float]]
    operations_at_once: list[int]


@dataclass(frozen=True)
class Results:
    lengths: list[int]
    kinds: dict[str, Cost]
    speedup: dict[str, list[float]]
    largest_difference: float
    deepseek_kept: dict[str, int]


Step = Callable[[], Tensor]
Steps = dict[tuple[str, int], Step]  # by kind and length


def make_steps(config: Config, generator: torch.Generator) -> tuple[Steps, Steps]:
    """Return what computes one more token, and what computes one whole text at once."""
    sizes = LatentSizes(
        config.d_model, config.heads, config.latent, config.d_model // config.heads, config.rotary_dim
    )  # fmt: skip
    latent, ordinary = LatentAttention(sizes).eval(), MultiHeadAttention(config.d_model, config.heads, bias=False)
    steps, at_once = {}, {}
    for length in config.lengths:
        x = torch.randn(config.batch, length + 1, config.d_model, generator=generator)
        cache = latent.new_cache(config.batch, length + 1)
        latent(x[:, :length], cache=cache, absorbed=True)
        keys = KeyValueCache(config.batch, config.heads, length + 1, config.d_model // config.heads)
        ordinary(x[:, :length], causal=True, cache=keys)
        steps[KINDS[0], length] = partial(one_more, partial(ordinary, causal=True), x[:, -1:], keys)
        at_once[KINDS[0], length] = partial(ordinary, x[:1, :length], causal=True)
        for kind, absorbed in ((KINDS[1], False), (KINDS[2], True)):
            steps[kind, length] = partial(one_more, partial(latent, absorbed=absorbed), x[:, -1:], cache)
            at_once[kind, length] = partial(latent, x[:1, :length], absorbed=absorbed)
    return steps, at_once


def one_more(layer: Callable[..., Tensor], x: Tensor, cache: KeyValueCache | LatentCache) -> Tensor:
    """Return what a layer makes of one more token; the cache forgets it, so that the next round finds the same."""
    output = layer(x, cache=cache)
    cache.length -= 1
    return output


def operations(step: Step) -> int:
    counter = FlopCounterMode(display=False)
    with counter:
        step()
    return counter.get_total_flops()


@torch.no_grad()
def main(config: Config) -> Results:
    torch.set_num_threads(1)  # the processor's time adds up over threads, those that only wait too
    steps, at_once = make_steps(config, seed_everything(config.seed))
    taken: dict[tuple[str, int], list[float]] = {kind: [] for kind in steps}
    for _ in trange(config.rounds, unit="round"):
        for kind, step in steps.items():
            began = time.process_time()
            step()
            taken[kind].append(time.process_time() - began)
    head_dim = config.d_model // config.heads
    kept = dict.fromkeys(KINDS, config.latent + config.rotary_dim) | {KINDS[0]: 2 * config.heads * head_dim}
    kinds = {
        kind: Cost(
            kept[kind],
            [operations(steps[kind, length]) for length in config.lengths],
            [taken[kind, length] for length in config.lengths],
            [operations(at_once[kind, length]) for length in config.lengths],
        )
        for kind in KINDS
    }
    differences = [
        (steps[KINDS[1], length]() - steps[KINDS[2], length]()).abs().max().item() for length in config.lengths
    ]
    medians = {kind: [statistics.median(rounds) for rounds in cost.seconds] for kind, cost in kinds.items()}
    speedup = {
        kind: [slow / fast for slow, fast in zip(medians[KINDS[1]], medians[kind], strict=True)]
        for kind in (KINDS[0], KINDS[2])
    }
    for kind, cost in kinds.items():
        print(f"{kind:<21} keeps {cost.kept:5,} numbers a token; operations of one more {cost.operations}")
    print(f"materialised and absorbed differ by {max(differences):.0e}")
    each = DEEPSEEK_HEADS * DEEPSEEK_HEAD_DIM
    deepseek = {"multi-head": 2 * each, "grouped, 8": 2 * 8 * 128, "multi-query": 2 * 128, "latent": DEEPSEEK_V2.kept}
    return Results(list(config.lengths), kinds, speedup, max(differences), deepseek)


def plot(results: Results) -> Figure:
    """Draw operations of one more token and of a whole text, and the time of one more token, by length."""
    figure, panels = new_figure(12.0, 3.8, columns=3)
    for index, (kind, cost) in enumerate(results.kinds.items()):
        style = {"color": f"C{index}", "marker": "os^"[index], "label": kind}
        panels[0].plot(results.lengths, cost.operations, **style)
        milliseconds = [[1000 * second for second in rounds] for rounds in cost.seconds]
        middle = [statistics.median(rounds) for rounds in milliseconds]
        below = [m - min(rounds) for m, rounds in zip(middle, milliseconds, strict=True)]
        above = [max(rounds) - m for m, rounds in zip(middle, milliseconds, strict=True)]
        panels[1].errorbar(results.lengths, middle, [below, above], capsize=2, **style)
        panels[2].plot(results.lengths, cost.operations_at_once, **style)
    panels[0].set(ylabel="operations", xlabel="tokens before it", title="one more token")
    panels[1].set(ylabel="milliseconds: median, least, most", xlabel="tokens before it", title="one more token")
    panels[2].set(ylabel="operations", xlabel="tokens", title="a whole text at once")
    for panel in panels:
        panel.set(xscale="log", yscale="log")
        panel.set_xticks(results.lengths, [str(length) for length in results.lengths])
        panel.minorticks_off()
    panels[0].legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"speedup*": TIMING, "largest_difference": TIMING})

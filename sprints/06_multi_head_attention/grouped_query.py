"""Do all heads need keys and values of their own? What multi-query and grouped-query attention save (extra).

    uv run sprints/06_multi_head_attention/grouped_query.py
    uv run sprints/06_multi_head_attention/grouped_query.py --cached 8192 --rounds 30

Fewer key-value heads make a smaller cache, and decoding one token is mostly reading the cache. What they cost in
quality is asked by fewer_key_value_heads.py. Theory: notes/11_fewer_key_value_heads.md
"""

import statistics
import time
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional
from tqdm import trange

from attention_study.grouped_heads import OneProductAttention, check_groups
from shared.lab.compare import TIMING
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.attention import merge_heads
from shared.nn.cache import KeyValueCache


@dataclass(frozen=True)
class Config(ScriptConfig):
    d_model: PositiveInt = 256  # features of a token
    heads: PositiveInt = 8  # query heads
    key_value_heads: tuple[PositiveInt, ...] = (8, 4, 2, 1)  # key-value heads of each layer; the first is compared with
    batch: PositiveInt = 8  # rows that are decoded together
    cached: PositiveInt = 2048  # tokens in the cache
    rounds: PositiveInt = 15  # timings of each kind, in turns

    def check(self) -> None:
        check_heads(self.d_model, self.heads)
        check_groups(self.heads, self.key_value_heads)


@dataclass(frozen=True)
class LayerCost:
    """Of a layer: parameters, bytes of cache for a token of one row, processor seconds for one more token by round."""

    parameters: int
    cache_bytes_per_token: int
    seconds: list[float]
    speedup: float
    difference_from_library: float


@dataclass(frozen=True)
class Results:
    layers: dict[str, LayerCost]


def library_difference(layer: OneProductAttention, x: Tensor) -> float:
    """Return how far the layer is from the same with PyTorch's kernel, which knows groups too."""
    query, key, value = layer.project(x)
    mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=True)
    return (layer.output(merge_heads(mixed)) - layer(x)).abs().max().item()


def decode(layer: OneProductAttention, token: Tensor, cache: KeyValueCache) -> float:
    """Return the seconds of the processor for one more token, which the cache forgets again."""
    began = time.process_time()
    layer(token, cache=cache)
    cache.length -= 1
    return time.process_time() - began


@torch.no_grad()
def main(config: Config) -> Results:
    torch.set_num_threads(1)  # the processor's time adds up over threads, those that only wait too
    generator = seed_everything(config.seed)
    x = torch.randn(2, 64, config.d_model, generator=generator)
    token = torch.randn(config.batch, 1, config.d_model, generator=generator)
    built: dict[int, tuple[OneProductAttention, KeyValueCache]] = {}
    for count in config.key_value_heads:
        cache = KeyValueCache(config.batch, count, config.cached + 1, config.d_model // config.heads)
        cache.keys.normal_(generator=generator)
        cache.values.normal_(generator=generator)
        cache.length = config.cached
        built[count] = OneProductAttention(config.d_model, config.heads, count), cache
    seconds: dict[int, list[float]] = {count: [] for count in built}
    for _ in trange(config.rounds, unit="round"):
        for count, (layer, cache) in built.items():
            seconds[count].append(decode(layer, token, cache))
    ordinary = statistics.median(seconds[config.key_value_heads[0]])
    layers = {}
    for count, (layer, cache) in built.items():
        layers[str(count)] = LayerCost(
            parameters=sum(parameter.numel() for parameter in layer.parameters()),
            cache_bytes_per_token=2 * cache.keys[0, :, 0].nbytes,
            seconds=seconds[count],
            speedup=ordinary / statistics.median(seconds[count]),
            difference_from_library=library_difference(layer, x),
        )
        print(f"{count} key-value heads: {layers[str(count)].parameters:,} parameters, ", end="")
        print(f"{layers[str(count)].cache_bytes_per_token:,} bytes of cache a token, ", end="")
        print(f"decoding {layers[str(count)].speedup:.2f} x as fast, ", end="")
        print(f"PyTorch's kernel differs by {layers[str(count)].difference_from_library:.1e}")
    return Results(layers)


def plot(results: Results) -> Figure:
    """Draw the speed of decoding and the size of the cache against the number of key-value heads."""
    figure, axes = new_figure(9.0, 3.6, columns=2)
    names = list(results.layers)
    axes[0].bar(names, [layer.cache_bytes_per_token for layer in results.layers.values()])
    axes[0].set(xlabel="key-value heads", ylabel="bytes of cache for a token")
    axes[1].bar(names, [layer.speedup for layer in results.layers.values()], color="C1")
    axes[1].set(xlabel="key-value heads", ylabel=f"decoding speed, {names[0]} heads = 1")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*.speedup": TIMING})

"""Does a model that keeps a window only write what it would write without a cache? At, below and above the window.

    uv run sprints/19_transformer_variants/window_cache.py
    uv run sprints/19_transformer_variants/window_cache.py --window 16 --layers 4

A model with random weights writes greedily, from prompts of several lengths around the window, of different lengths in
a batch, in pieces. Then the same with the usual mistakes. Theory: notes/16_windows.md
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from shared.generation.decoding import generate
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.cache import KeyValueCache
from shared.nn.windows import WindowCache
from variants.long_model import LongConfig, LongModel

VOCAB = 64


@dataclass(frozen=True)
class Config(ScriptConfig):
    window: PositiveInt = 8  # tokens that a token looks at
    layers: PositiveInt = 2  # blocks
    new_tokens: PositiveInt = 40  # written after each prompt
    rows: PositiveInt = 16  # prompts of each length


@dataclass(frozen=True)
class Results:
    """Shares of greedy tokens that agree by prompt, largest differences of logits by kind of ring; floats kept."""

    tokens: int
    same_tokens: dict[str, float]
    differences: dict[str, float]
    kept_floats: dict[str, int]


class ShortRing(WindowCache):
    """Forgets one token too early: its memory is a window, but it returns one key fewer."""

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        keys, values = super().append(key, value)
        full = self.keys.shape[2] - 1 + key.shape[2]
        return (keys[:, :, 1:], values[:, :, 1:]) if keys.shape[2] == full else (keys, values)


class LastRow(KeyValueCache):
    """Once it is full every new token overwrites the last slot, which is where it stops counting."""

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        self.length = min(self.length, self.keys.shape[2] - 1)
        return super().append(key, value)


def in_pieces(model: LongModel, tokens: Tensor, piece: int, make: Callable[..., KeyValueCache]) -> Tensor:
    """Return the logits of tokens that are read a piece at a time with caches of a kind."""
    config = model.config
    shape = (len(tokens), config.heads, config.window, config.d_model // config.heads)
    cache = [make(*shape) for _ in model.blocks]
    return torch.cat([model(part, cache=cache) for part in tokens.split(piece, dim=1)], dim=1)


@torch.no_grad()
def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    window, longest = config.window, config.window + 1 + config.new_tokens
    model = LongModel(LongConfig("window", VOCAB, longest, layers=config.layers, window=window), generator).eval()
    for parameter in model.parameters():  # large enough that no two tokens are equally probable
        parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.2)

    def draw(tokens: int) -> list[int]:
        return torch.randint(VOCAB, (tokens,), generator=generator).tolist()

    lengths = {f"prompts of {length}": [length] * config.rows for length in (max(1, window - 1), window, window + 1)}
    lengths["prompts of different lengths"] = [1 + index % (window + 1) for index in range(config.rows)]
    same = {}
    for name, counts in lengths.items():
        prompts = [draw(count) for count in counts]
        written = [
            generate(model, prompts, max_new_tokens=config.new_tokens, temperature=0.0, use_cache=use_cache)
            for use_cache in (True, False)
        ]
        equal = torch.tensor(written[0]) == torch.tensor(written[1])
        same[name] = equal.double().mean().item()
        print(f"{name}: {same[name]:.1%} of {equal.numel()} tokens agree")
    tokens = torch.tensor([draw(longest) for _ in range(config.rows)])
    expected = model(tokens)
    found = {
        f"ours, {piece} at a time": in_pieces(model, tokens, piece, WindowCache) for piece in (1, 3, window, longest)
    }
    found["one key too few"] = in_pieces(model, tokens, 1, ShortRing)
    found["the last slot again and again"] = in_pieces(model, tokens, 1, LastRow)
    differences = {name: (logits - expected).abs().max().item() for name, logits in found.items()}
    for name, difference in differences.items():
        print(f"{name}: logits differ by up to {difference:.1e}")
    kept = {
        "window": sum(2 * cache.keys.numel() for cache in model.new_cache(1, longest)),
        "everything": config.layers * 2 * longest * model.config.d_model,
    }
    return Results(config.rows * config.new_tokens, same, differences, kept)


if __name__ == "__main__":
    run(main, Config)

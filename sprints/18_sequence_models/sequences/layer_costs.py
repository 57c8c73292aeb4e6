"""What one layer costs: seconds and bytes of a training step, and of one more token after a text."""

import time
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from shared.nn.attention import MultiHeadAttention
from shared.nn.cache import KeyValueCache
from shared.nn.linear_attention import LinearAttention
from shared.nn.mamba import Mamba
from shared.nn.recurrent_kernels import FusedRecurrent

CostArm = Literal["lstm", "mamba", "linear", "attention"]
NAMES: dict[str, str] = {
    "lstm": "LSTM", "mamba": "Mamba", "linear": "linear attention", "attention": "attention",
}  # fmt: skip
NO_CACHE = "attention, no cache"
OneToken = Callable[[], Any]


def layer_of(arm: CostArm, d_model: int, heads: int) -> nn.Module:
    """Return a layer of one kind and width."""
    if arm == "lstm":
        return FusedRecurrent("lstm", d_model, d_model)
    if arm == "mamba":
        return Mamba(d_model)
    if arm == "linear":
        return LinearAttention(d_model, heads, "gated")
    return MultiHeadAttention(d_model, heads)


def read(layer: nn.Module, x: Tensor) -> Tensor:
    """Return the outputs for a text that is read at once, (batch, tokens, d_model)."""
    return layer(x, causal=True) if isinstance(layer, MultiHeadAttention) else layer(x)[0]


def training_step(layer: nn.Module, x: Tensor) -> float:
    """Compute outputs and all gradients; return the seconds."""
    began = time.perf_counter()
    read(layer, x).sum().backward()
    return time.perf_counter() - began


@torch.no_grad()
def one_token(arm: CostArm, layer: nn.Module, x: Tensor) -> tuple[dict[str, OneToken], dict[str, int]]:
    """Return ways to compute the output of the token after a text, and the bytes that each keeps of the text.

    Args:
        arm: the kind of the layer.
        layer: as `layer_of` makes it.
        x: the text, and the token after it: (1, tokens + 1, d_model).
    """
    text, token = x[:, :-1], x[:, -1:]
    if isinstance(layer, MultiHeadAttention):
        cache = KeyValueCache(1, layer.heads, x.shape[1], x.shape[2] // layer.heads)
        layer(text, causal=True, cache=cache)

        def with_cache() -> Tensor:
            cache.length = text.shape[1]  # the token of the last time is written over
            return layer(token, causal=True, cache=cache)

        ways: dict[str, OneToken] = {NAMES["attention"]: with_cache, NO_CACHE: lambda: read(layer, x)[:, -1:]}
        # Without a cache the inputs of the whole text have to be there instead.
        return ways, {NAMES["attention"]: cache.keys.nbytes + cache.values.nbytes, NO_CACHE: text.nbytes}
    _, state = layer(text)
    return {NAMES[arm]: lambda: layer(token, state)[0]}, {NAMES[arm]: sum(part.nbytes for part in state)}

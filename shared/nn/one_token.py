"""One more token of a GPT, without modules: the numbers of `GPT.forward`, in less time.

For a single token the matrix products take about half of the time; the rest goes into calling modules, into dropout
that drops nothing, into cutting and merging heads. Here the same operations stand in a row.
"""

from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

from shared.nn.attention import MultiHeadAttention
from shared.nn.blocks import FeedForward, GPTBlock
from shared.nn.cache import KeyValueCache
from shared.nn.gpt import GPT
from shared.nn.kernels import PackedProjection
from shared.nn.masks import for_all_queries

# A block with a part of another kind (an adapter, a quantized layer) has to be called, and so has one with a hook.
PARTS = (GPTBlock, MultiHeadAttention, FeedForward, PackedProjection, nn.Linear, nn.LayerNorm, nn.Dropout)


def is_plain(gpt: GPT) -> bool:
    """Return whether the formula below is all that a GPT does: pre-norm, in evaluation mode, its parts unchanged."""
    parts = [gpt.norm, gpt.head, *(part for block in gpt.blocks for part in block.modules())]
    return (
        type(gpt) is GPT
        and gpt.config.norm == "pre"
        and not gpt.training
        and all(type(part) in PARTS for part in parts)
        and not any(part._forward_hooks or part._forward_pre_hooks or "forward" in vars(part) for part in [gpt, *parts])
    )


class SingleTokens:
    """A GPT that takes one token a row at a time; more of them, the prompt, it leaves to the model.

    Args:
        gpt: a plain one (`is_plain`); its weights may not be exchanged for others while this is in use.
    """

    def __init__(self, gpt: GPT) -> None:
        self.gpt, self.head, self.heads = gpt, gpt.head.weight.t(), gpt.config.heads
        self.layers = [_layer(block) for block in gpt.blocks]
        self.norm = _norm(gpt.norm)

    def __call__(
        self,
        tokens: Int[Tensor, "batch tokens"],
        *,
        cache: list[KeyValueCache] | None = None,
        mask: Bool[Tensor, "batch keys"] | None = None,
        positions: Int[Tensor, "batch tokens"] | None = None,
    ) -> Float[Tensor, "batch tokens vocab"]:
        """Return the logits of the token after each token; arguments as those of `GPT`."""
        if not cache or tokens.shape[1] > 1 or cache[0].length >= self.gpt.config.context:
            return self.gpt(tokens, cache=cache, mask=mask, positions=positions)
        if positions is None:
            positions = torch.tensor([[cache[0].length]], device=tokens.device)
        x = (self.gpt.token_embedding(tokens) + self.gpt.positions(positions))[:, 0]
        batch, seen = len(x), for_all_queries(mask)
        for layer, (norm, qkv, output, second_norm, expand, activation, contract) in enumerate(self.layers):
            # Of one token the heads lie side by side already: nothing is transposed, the axes get other names.
            parts = _linear(functional.layer_norm(x, *norm), *qkv).view(batch, 3, self.heads, 1, -1)
            query, key, value = parts.unbind(1)
            mixed = functional.scaled_dot_product_attention(query, *cache[layer].append(key, value), seen)
            x = x + _linear(mixed.view(x.shape), *output)
            x = x + _linear(activation(_linear(functional.layer_norm(x, *second_norm), *expand)), *contract)
        return (functional.layer_norm(x, *self.norm) @ self.head)[:, None]


def _layer(block: nn.Module) -> tuple[Any, ...]:
    """Return what a block consists of, in the order in which it is used."""
    assert isinstance(block, GPTBlock)
    attention, network = block.attention, block.feed_forward
    return (
        _norm(block.attention_norm),
        (attention.qkv.weight.t(), attention.qkv.bias),
        (attention.output.weight.t(), attention.output.bias),
        _norm(block.feed_forward_norm),
        (network.expand.weight.t(), network.expand.bias),
        network.activation,
        (network.contract.weight.t(), network.contract.bias),
    )


def _linear(x: Tensor, transposed_weight: Tensor, bias: Tensor) -> Tensor:
    """Return what `functional.linear` returns for a weight that was transposed before, once."""
    return torch.addmm(bias, x, transposed_weight)


def _norm(norm: nn.Module) -> tuple[tuple[int, ...], Tensor, Tensor, float]:
    """Return what `functional.layer_norm` takes after its input."""
    assert isinstance(norm, nn.LayerNorm)
    return norm.normalized_shape, norm.weight, norm.bias, norm.eps

"""Grouped-query attention is PyTorch's and Llama's, between multi-head and multi-query attention."""

import math

import pytest
import torch
from torch.nn import functional

from shared.nn.attention import MultiHeadAttention, merge_heads
from shared.nn.cache import KeyValueCache
from shared.nn.grouped_query import GroupedQueryAttention
from shared.nn.masks import causal_mask, for_all_queries


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("key_value_heads", [4, 2, 1])
def test_equals_pytorchs_kernel_in_outputs_and_gradients(key_value_heads: int, generator: torch.Generator):
    layer, x = GroupedQueryAttention(32, 4, key_value_heads), torch.randn(2, 6, 32, generator=generator)
    query, key, value = layer.project(x)
    assert (query.shape[1], key.shape[1], value.shape[1]) == (4, key_value_heads, key_value_heads)
    theirs = functional.scaled_dot_product_attention(query, key, value, is_causal=True, enable_gqa=True)
    expected, found = layer.output(merge_heads(theirs)), layer(x)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)
    gradients = [torch.autograd.grad(way.square().sum(), [*layer.parameters()]) for way in (found, expected)]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("key_value_heads", [4, 2, 1])
@pytest.mark.parametrize("theta", [None, 10_000.0, 20.0])
def test_is_llamas_with_and_without_rotation(key_value_heads: int, theta: float | None, generator: torch.Generator):
    from transformers.models.llama.modeling_llama import LlamaAttention, LlamaConfig

    ours, x = GroupedQueryAttention(32, 4, key_value_heads, theta), torch.randn(2, 6, 32, generator=generator)
    config = LlamaConfig(hidden_size=32, num_attention_heads=4, num_key_value_heads=key_value_heads)
    theirs, names = LlamaAttention(config, layer_idx=0), {"query": "q", "key": "k", "value": "v", "output": "o"}
    theirs.load_state_dict({f"{names[n.split('.')[0]]}_proj.weight": value for n, value in ours.state_dict().items()})
    hidden = torch.zeros(6, 6).masked_fill(~causal_mask(6), -math.inf)[None, None]
    angles = torch.zeros(1, 6, 4)
    if theta is not None:
        angles = torch.arange(6)[None, :, None] * theta ** (-torch.arange(0, 8, 2) / 8)
    angles = torch.cat([angles, angles], dim=-1)
    torch.testing.assert_close(ours(x), theirs(x, (angles.cos(), angles.sin()), hidden)[0], atol=1e-5, rtol=0)


def test_with_as_many_heads_it_is_multi_head_attention(generator: torch.Generator):
    ours, theirs = GroupedQueryAttention(16, 4, 4), MultiHeadAttention(16, 4, bias=False)
    x, real = torch.randn(2, 5, 16, generator=generator), torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    theirs.qkv.load_state_dict({"weight": torch.cat([part.weight for part in (ours.query, ours.key, ours.value)])})
    theirs.output.load_state_dict(ours.output.state_dict())
    mask = for_all_queries(real)
    torch.testing.assert_close(ours(x, mask=mask), theirs(x, mask=mask, causal=True), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("theta", [None, 10_000.0])
@pytest.mark.parametrize("chunks", [[1] * 6, [3, 1, 2]])
def test_the_cache_changes_nothing_and_is_small(theta: float | None, chunks: list[int], generator: torch.Generator):
    layer, x = GroupedQueryAttention(32, 4, 2, theta), torch.randn(2, 6, 32, generator=generator)
    cache = KeyValueCache(2, 2, 6, 8)
    pieces = [layer(piece, cache=cache) for piece in x.split(chunks, dim=1)]
    torch.testing.assert_close(torch.cat(pieces, dim=1), layer(x), atol=1e-5, rtol=0)
    assert cache.keys.shape == (2, 2, 6, 8)


def test_heads_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="d_model=32, heads=4, key_value_heads=3"):
        GroupedQueryAttention(32, 4, 3)
    with pytest.raises(ValueError, match="d_model=30, heads=4, key_value_heads=2"):
        GroupedQueryAttention(30, 4, 2)

"""The mistake is the mistake: what may be looked at is hidden, and the rest is seen."""

import pytest
import torch

from shared.nn.attention import MultiHeadAttention
from shared.nn.cache import KeyValueCache
from shared.nn.inverted import InvertedAttention, InvertedLookAhead, invert_masks
from shared.nn.masks import causal_mask, padding_mask

REAL, ALL = padding_mask(torch.tensor([5, 3]), 5), torch.ones(5, 5, dtype=torch.bool)


def looks_at(kind: type[MultiHeadAttention], masked: bool, causal: bool) -> torch.Tensor:
    past, real = causal_mask(5) if causal else ALL, REAL if masked else ALL
    if kind is InvertedAttention:
        return ~(past & real)
    return (~past if causal else ALL) & real


def layer_and_tokens() -> tuple[MultiHeadAttention, torch.Tensor]:
    torch.manual_seed(0)
    return MultiHeadAttention(8, 2), torch.randn(2, 5, 8)


@pytest.mark.parametrize("kind", [InvertedLookAhead, InvertedAttention])
@pytest.mark.parametrize(("masked", "causal"), [(True, True), (False, True), (True, False)])
def test_equals_attention_with_the_mask_upside_down(kind: type[MultiHeadAttention], masked: bool, causal: bool):
    layer, x = layer_and_tokens()
    expected = layer(x, mask=looks_at(kind, masked, causal))
    invert_masks(layer, kind)
    torch.testing.assert_close(layer(x, mask=REAL if masked else None, causal=causal), expected)


def test_a_memory_is_inverted_too_remembered_or_not():
    layer, x = layer_and_tokens()
    memory, real = torch.randn(2, 6, 8), padding_mask(torch.tensor([6, 2]), 6)
    expected, remembered = layer(x, memory, ~real), layer.remember(memory)
    invert_masks(layer)
    torch.testing.assert_close(layer(x, memory, real), expected)
    torch.testing.assert_close(layer(x, remembered, real), expected)


def test_a_cached_token_sees_nothing_where_a_whole_pass_sees_the_future():
    layer, x = layer_and_tokens()
    invert_masks(layer, InvertedLookAhead)
    cache = KeyValueCache(2, 2, 5, 4)
    alone = torch.cat([layer(token, causal=True, cache=cache) for token in x.split(1, dim=1)], dim=1)
    torch.testing.assert_close(alone, layer.output.bias.expand_as(alone))
    whole = layer(x, causal=True)
    torch.testing.assert_close(whole[:, -1], alone[:, -1])
    assert not torch.allclose(whole[:, :-1], alone[:, :-1], atol=1e-3)


@pytest.mark.parametrize("kind", [InvertedLookAhead, InvertedAttention])
def test_a_mask_that_is_not_there_is_not_inverted_into_the_future(kind: type[MultiHeadAttention]):
    layer, x = layer_and_tokens()
    everything, nothing = layer(x), layer.output.bias.expand_as(x)
    invert_masks(layer, kind)
    torch.testing.assert_close(layer(x), everything if kind is InvertedLookAhead else nothing)

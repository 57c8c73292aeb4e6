"""Attention equals PyTorch's, in outputs and gradients, for every kind of mask."""

import pytest
import torch
from attention_examples import BATCH, HEAD_DIM, HEADS, MASKS, TOKENS, heads
from torch import nn

from shared.nn.attention import MultiHeadAttention, attend, merge_heads, split_heads
from shared.nn.masks import causal_mask


def test_heads_are_slices_of_the_features():
    x = torch.arange(12.0).view(1, 2, 6)
    heads = split_heads(x, 3)
    assert heads[0, 1].tolist() == [[2.0, 3.0], [8.0, 9.0]]
    assert torch.equal(merge_heads(heads), x)


def test_weights_are_a_distribution_over_what_may_be_seen():
    _, weights = attend(*heads(), MASKS["combined"])
    torch.testing.assert_close(weights.sum(-1), torch.ones(BATCH, HEADS, TOKENS))
    assert not weights[~MASKS["combined"].expand_as(weights)].any()


def test_scores_are_scaled_by_the_root_of_head_dim():
    query, key, value = heads()
    weights = attend(query, key, value)[1]
    torch.testing.assert_close(weights, (query @ key.mT * HEAD_DIM**-0.5).softmax(-1))


def their_attention(ours: MultiHeadAttention) -> nn.MultiheadAttention:
    theirs = nn.MultiheadAttention(16, 4, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(ours.qkv.weight)
        theirs.in_proj_bias.copy_(ours.qkv.bias)
        theirs.out_proj.weight.copy_(ours.output.weight)
        theirs.out_proj.bias.copy_(ours.output.bias)
    return theirs


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("cross", [False, True])
def test_multi_head_attention_equals_pytorch(name: str, cross: bool):
    torch.manual_seed(0)
    ours = MultiHeadAttention(16, 4)
    theirs = their_attention(ours)
    x, mask = torch.randn(BATCH, TOKENS, 16), MASKS[name]
    memory = torch.randn(BATCH, TOKENS, 16) if cross else None
    # Their masks mean the opposite: True is hidden.
    masks = {} if mask is None else {"attn_mask": ~mask.expand(BATCH, 4, TOKENS, TOKENS).flatten(0, 1)}
    source = x if memory is None else memory
    expected, expected_weights = theirs(x, source, source, average_attn_weights=False, **masks)
    fused = ours(x, memory, mask)
    explicit, weights = ours.forward_with_weights(x, memory, mask)
    for found in (fused, explicit):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(weights, expected_weights, atol=1e-5, rtol=0)
    for output in (fused, expected):
        output.square().sum().backward()
    torch.testing.assert_close(ours.qkv.weight.grad, theirs.in_proj_weight.grad, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(ours.output.weight.grad, theirs.out_proj.weight.grad, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", ["none", "padding"])
@pytest.mark.parametrize("keys", [TOKENS, 4])
def test_causal_attention_with_weights_is_causal_attention(name: str, keys: int):
    torch.manual_seed(0)
    attention, x = MultiHeadAttention(16, 4), torch.randn(BATCH, 3, 16)
    memory = torch.randn(BATCH, keys, 16)
    mask = None if name == "none" else MASKS["padding"][..., :keys]
    output, weights = attention.forward_with_weights(x, memory, mask, causal=True)
    torch.testing.assert_close(output, attention(x, memory, mask, causal=True), atol=1e-5, rtol=0)
    assert not weights[:, :, ~causal_mask(3, keys)].any()


@pytest.mark.parametrize("bias", [True, False])
def test_a_remembered_memory_is_the_memory(bias: bool):
    torch.manual_seed(0)
    attention = MultiHeadAttention(16, 4, bias=bias)
    x, memory = torch.randn(BATCH, 2, 16), torch.randn(BATCH, TOKENS, 16)
    key, value = attention.remember(memory)
    assert key.shape == value.shape == (BATCH, 4, TOKENS, 4)
    for forward in (attention, lambda *args: attention.forward_with_weights(*args)[0]):
        assert torch.equal(forward(x, (key, value), MASKS["padding"]), forward(x, memory, MASKS["padding"]))


def test_dropout_acts_in_training_only():
    torch.manual_seed(0)
    attention, x = MultiHeadAttention(16, 4, dropout=0.5), torch.randn(BATCH, TOKENS, 16)
    assert not torch.equal(attention(x), attention(x))
    attention.eval()
    assert torch.equal(attention(x), attention(x))


def test_heads_must_divide_the_features():
    with pytest.raises(ValueError, match="d_model=10 and heads=4"):
        MultiHeadAttention(10, 4)

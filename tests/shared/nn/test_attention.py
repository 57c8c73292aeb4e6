"""Attention equals PyTorch's, in outputs and gradients, for every kind of mask."""

import pytest
import torch
from torch import Tensor, nn

import shared.nn.attention as attention_module
from shared.nn.attention import (
    KeyValueCache,
    MultiHeadAttention,
    _attend_by_products,
    attend,
    causal_mask,
    fused_attend,
    padding_mask,
)

BATCH, HEADS, TOKENS, HEAD_DIM = 3, 2, 7, 8
LENGTHS = torch.tensor([7, 4, 1])
MASKS = {
    "none": None,
    "causal": causal_mask(TOKENS),
    "padding": padding_mask(LENGTHS, TOKENS),
    "combined": causal_mask(TOKENS) & padding_mask(LENGTHS, TOKENS),
}


def heads(seed: int = 0) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(BATCH, HEADS, TOKENS, HEAD_DIM, generator=generator, requires_grad=True) for _ in range(3)]


def test_causal_mask_lets_each_query_see_itself_and_the_past():
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert causal_mask(2, 4).tolist() == [[True, True, True, False], [True, True, True, True]]


def test_padding_mask_hides_what_is_beyond_the_length():
    assert padding_mask(torch.tensor([2, 3]), 3).tolist() == [[[[True, True, False]]], [[[True, True, True]]]]


@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("path", ["fused", "products"])
def test_fused_path_equals_explicit_path(name: str, path: str):
    mask, results = MASKS[name], []
    for run in ("explicit", path):
        query, key, value = heads()
        if run == "explicit":
            output = attend(query, key, value, mask)[0]
        elif run == "fused":
            output = fused_attend(query, key, value, mask)
        else:
            output = _attend_by_products(query, key, value, mask)
        output.square().sum().backward()
        results.append([output.detach(), *(tensor.grad for tensor in (query, key, value))])
    for explicit, other in zip(*results, strict=True):
        torch.testing.assert_close(other, explicit, atol=1e-5, rtol=0)


def test_causal_flag_equals_causal_mask_and_combines_with_padding():
    query, key, value = heads()
    for name in ("none", "padding"):
        expected = attend(query, key, value, MASKS["causal"] if name == "none" else MASKS["combined"])[0]
        torch.testing.assert_close(
            fused_attend(query, key, value, MASKS[name], causal=True), expected, atol=1e-5, rtol=0
        )


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_dropout_drops_weights_and_doubles_the_rest(dtype: torch.dtype):
    torch.manual_seed(0)
    query, key = (tensor.detach().to(dtype).requires_grad_() for tensor in heads()[:2])
    # With the identity as values the output is the weights themselves.
    value = torch.eye(TOKENS, HEAD_DIM, dtype=dtype).expand(BATCH, HEADS, -1, -1)
    whole = attend(query, key, value, MASKS["causal"])[0].float()
    ratios = fused_attend(query, key, value, causal=True, dropout=0.5).float()[whole > 0] / whole[whole > 0]
    kept = ratios > 1
    torch.testing.assert_close(ratios[kept], torch.full_like(ratios[kept], 2), atol=0.05, rtol=0)
    assert (ratios[~kept] == 0).all()
    assert 0.3 < kept.float().mean() < 0.7


def test_bfloat16_on_the_processor_is_attention_too():
    query, key, value = heads()
    expected = attend(query, key, value, MASKS["causal"])[0]
    low = fused_attend(query.bfloat16(), key.bfloat16(), value.bfloat16(), causal=True)
    torch.testing.assert_close(low.float(), expected, atol=0.03, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(TOKENS, TOKENS), (HEADS, TOKENS, TOKENS), (BATCH, HEADS, TOKENS, TOKENS)])
def test_rows_that_may_look_nowhere_are_zero(dtype: torch.dtype, shape: tuple[int, ...]):
    query, key, value = (tensor.to(dtype) for tensor in heads())
    mask = torch.ones(shape, dtype=torch.bool)
    # Row 2 of the last head of the last document, or of all where the mask has no such dimension.
    mask[(-1,) * (len(shape) - 2)][2] = False
    empty = ~mask.any(dim=-1).expand(BATCH, HEADS, TOKENS)
    output, weights = attend(query, key, value, mask)
    fused = fused_attend(query, key, value, mask)
    for found in (output, weights, fused):
        assert not found[empty].any()
        assert found[~empty].abs().amax(dim=-1).all()
    torch.testing.assert_close(fused, output, atol=0.03 if dtype is torch.bfloat16 else 1e-5, rtol=0)
    for way in (output, fused):
        for gradient in torch.autograd.grad(way.sum(), (query, key, value)):
            assert gradient.isfinite().all()


def test_plain_products_serve_training_in_bfloat16_on_the_processor(monkeypatch: pytest.MonkeyPatch):
    calls = []
    monkeypatch.setattr(attention_module, "_attend_by_products", lambda *args: calls.append(args) or args[0])
    query, key, value = heads()
    fused_attend(query, key, value, causal=True)
    fused_attend(*(tensor.detach().bfloat16() for tensor in (query, key, value)))
    # PyTorch's "meta" device stands for one that is no processor.
    fused_attend(*(tensor.bfloat16().to("meta") for tensor in (query, key, value)))
    assert not calls, "the kernel is faster in float32, without gradients, and on other devices"
    fused_attend(*(tensor.bfloat16() for tensor in (query, key, value)))
    assert len(calls) == 1


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


@pytest.mark.parametrize("chunks", [[1] * TOKENS, [3, 1, 3], [3, 2, 2], [TOKENS]])
def test_cache_equals_no_cache(chunks: list[int]):
    torch.manual_seed(0)
    attention, x = MultiHeadAttention(16, 4).eval(), torch.randn(BATCH, TOKENS, 16)
    cache = KeyValueCache(BATCH, 4, TOKENS, 4)
    parts = [attention(part, causal=True, cache=cache) for part in x.split(chunks, dim=1)]
    torch.testing.assert_close(torch.cat(parts, 1), attention(x, causal=True), atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match="room for 7 tokens; it would have to hold 8"):
        attention(x[:, :1], causal=True, cache=cache)


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

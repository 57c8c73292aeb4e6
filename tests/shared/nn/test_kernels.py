"""The fast ways equal attention by its formula, in outputs and gradients, for every kind of mask."""

import pytest
import torch
from attention_examples import BATCH, HEAD_DIM, HEADS, MASKS, TOKENS, heads

from shared.nn import kernels
from shared.nn.attention import attend
from shared.nn.kernels import PackedProjection, attend_by_products, fused_attend


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
            output = attend_by_products(query, key, value, mask)
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
    monkeypatch.setattr(kernels, "attend_by_products", lambda *args: calls.append(args) or args[0])
    query, key, value = heads()
    fused_attend(query, key, value, causal=True)
    fused_attend(*(tensor.detach().bfloat16() for tensor in (query, key, value)))
    # PyTorch's "meta" device stands for one that is no processor.
    fused_attend(*(tensor.bfloat16().to("meta") for tensor in (query, key, value)))
    assert not calls, "the kernel is faster in float32, without gradients, and on other devices"
    fused_attend(*(tensor.bfloat16() for tensor in (query, key, value)))
    assert len(calls) == 1


@pytest.mark.parametrize("bias", [True, False])
def test_a_packed_projection_is_three_side_by_side(bias: bool):
    torch.manual_seed(0)
    packed, x = PackedProjection(8, bias), torch.randn(2, 5, 8)
    query, key, value = packed(x).chunk(3, dim=-1)
    torch.testing.assert_close(packed.query(x), query)
    for part, expected in zip(packed.key_and_value(x), (key, value), strict=True):
        torch.testing.assert_close(part, expected)
    torch.manual_seed(0)
    plain = torch.nn.Linear(8, 24, bias)
    assert torch.equal(packed(x), plain(x)), "drawn as one linear layer"

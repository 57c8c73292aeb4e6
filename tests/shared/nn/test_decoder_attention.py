"""The attention of a decoder: equal to the simpler layers that it contains, and each switch as its formula."""

import math

import pytest
import torch

from shared.nn.attention import MultiHeadAttention
from shared.nn.decoder_attention import DecoderAttention, soft_cap
from shared.nn.decoder_config import DecoderConfig
from shared.nn.grouped_query import GroupedQueryAttention

POSITIONS = torch.arange(7)[None]


def test_equals_multi_head_and_grouped_query_attention():
    x = torch.randn(2, 7, 16)
    plain, heads = DecoderAttention(DecoderConfig(9, d_model=16), 0), MultiHeadAttention(16, 4)
    packed = [torch.cat([getattr(plain, part).weight for part in ("query", "key", "value")])]
    packed.append(torch.cat([getattr(plain, part).bias for part in ("query", "key", "value")]))
    heads.load_state_dict(dict(zip(("qkv.weight", "qkv.bias"), packed, strict=True)) | {
        f"output.{name}": value for name, value in plain.output.state_dict().items()
    })  # fmt: skip
    torch.testing.assert_close(plain(x, POSITIONS), heads(x, causal=True))
    config = DecoderConfig.llama(9, d_model=16, key_value_heads=2)
    rotary, grouped = DecoderAttention(config, 0), GroupedQueryAttention(16, 4, 2, theta=config.theta)
    grouped.load_state_dict(rotary.state_dict())
    torch.testing.assert_close(rotary(x, POSITIONS), grouped(x))


def test_normalised_queries_and_keys_bound_the_scores():
    attention = DecoderAttention(DecoderConfig.qwen3(9, d_model=16, heads=2), 0)
    for size in (1.0, 1000.0):
        query, key, _ = attention.project(size * torch.randn(1, 7, 16), POSITIONS)
        scores = query @ key.mT / math.sqrt(8)
        assert scores.abs().max() <= math.sqrt(8) + 1e-4, "lengths sqrt(8) each, divided by sqrt(8)"
    attention.query_norm.gain.data.mul_(3)
    query, key, _ = attention.project(torch.randn(1, 7, 16), POSITIONS)
    torch.testing.assert_close(query.norm(dim=-1), torch.full((1, 2, 7), 3 * math.sqrt(8)), atol=1e-3, rtol=1e-3)


def test_a_soft_cap_and_a_scale_as_their_formulas():
    numbers = torch.tensor([-100.0, -1, 0, 0.1, 2, 100])
    torch.testing.assert_close(soft_cap(numbers, 5.0), 5 * (numbers / 5).tanh())
    assert soft_cap(numbers, None) is numbers
    x, options = torch.randn(1, 7, 16), {"d_model": 16, "heads": 1, "score_scale": 0.7}
    capped = DecoderAttention(DecoderConfig(9, **options, score_cap=0.3), 0)
    query, key, value = capped.project(5 * x, POSITIONS)
    scores = 0.3 * torch.tanh(0.7 * query @ key.mT / 0.3)
    weights = scores.masked_fill(torch.ones(7, 7, dtype=torch.bool).triu(1), -math.inf).softmax(dim=-1)
    torch.testing.assert_close(capped.attend(query, key, value), weights @ value)
    loose = DecoderAttention(DecoderConfig(9, **options), 0)
    torch.testing.assert_close(
        loose.attend(query, key, value),
        DecoderAttention(DecoderConfig(9, **options, score_cap=1e6), 0).attend(query, key, value),
        atol=1e-4, rtol=1e-4,
    )  # fmt: skip


@pytest.mark.parametrize("cap", [None, 2.0])
def test_a_query_that_sees_only_padding_gets_zeros(cap: float | None):
    attention = DecoderAttention(DecoderConfig(9, d_model=16, score_cap=cap), 0)
    query, key, value = attention.project(torch.randn(1, 7, 16), POSITIONS)
    real = (torch.arange(7) >= 2)[None, None, None]
    mixed = attention.attend(query, key, value, real)
    assert not mixed[:, :, :2].any()
    assert mixed.isfinite().all()

"""Latent attention is DeepSeek's; computed in either way, and with a cache, it is the same."""

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from shared.nn.conversions import their_name
from shared.nn.latent_attention import PARTS, LatentAttention
from shared.nn.latent_sizes import LatentSizes
from shared.nn.masks import causal_mask, for_all_queries

SIZES = LatentSizes(d_model=24, heads=3, latent=10, head_dim=6, rotary_dim=4, value_dim=5, query_latent=8, theta=50.0)
PADDING = {
    "none": torch.ones(2, 7, dtype=torch.bool),
    "right": torch.tensor([[True] * 7, [True] * 4 + [False] * 3]),
    "left": torch.tensor([[False] * 3 + [True] * 4, [True] * 7]),
}


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def perturbed(layer: Any, generator: torch.Generator) -> Any:
    """Return a layer of which no weight is 0 or 1."""
    with torch.no_grad():
        for weight in layer.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator), alpha=0.3)
    return layer


def deepseek(version: int, query_latent: int | None) -> tuple[Any, Any]:
    """Return a layer of theirs, and what turns queries and keys."""
    fields: dict[str, Any] = {
        "hidden_size": 24, "num_attention_heads": 3, "num_key_value_heads": 3, "kv_lora_rank": 10,
        "q_lora_rank": query_latent, "qk_nope_head_dim": 6, "qk_rope_head_dim": 4, "v_head_dim": 5,
        "rope_parameters": {"rope_type": "default", "rope_theta": 50.0}, "attn_implementation": "eager",
    }  # fmt: skip
    if version == 2:
        from transformers.models.deepseek_v2.modeling_deepseek_v2 import (
            DeepseekV2Attention,
            DeepseekV2Config,
            DeepseekV2RotaryEmbedding,
        )

        config = DeepseekV2Config(**fields)
        return DeepseekV2Attention(config, layer_idx=0), DeepseekV2RotaryEmbedding(config)
    from transformers.models.deepseek_v3.modeling_deepseek_v3 import (
        DeepseekV3Attention,
        DeepseekV3Config,
        DeepseekV3RotaryEmbedding,
    )

    config = DeepseekV3Config(**fields)
    return DeepseekV3Attention(config, layer_idx=0), DeepseekV3RotaryEmbedding(config)


def outputs_and_gradients(layer: torch.nn.Module, output: Tensor, x: Tensor, real: Tensor) -> dict[str, Tensor]:
    """Return the output at the real tokens, and the gradients of a loss on it, by name."""
    leaves = {"x": x, **dict(layer.named_parameters())}
    gradients = torch.autograd.grad(output[real].square().mean(), list(leaves.values()))
    return {"outputs": output[real], **dict(zip(leaves, gradients, strict=True))}


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("query_latent", [None, 8])
@pytest.mark.parametrize("padding", PADDING)
def test_is_deepseeks_in_outputs_and_gradients(
    version: int, query_latent: int | None, padding: str, generator: torch.Generator
):
    theirs, rotary = deepseek(version, query_latent)
    perturbed(theirs, generator)
    ours, real = LatentAttention.from_transformers(theirs), PADDING[padding]
    assert ours.sizes == replace(SIZES, query_latent=query_latent)
    x = torch.randn(2, 7, 24, generator=generator, requires_grad=True)
    positions = (real.cumsum(1) - 1).clamp(min=0)
    mask = real[:, None, None, :]
    seen = causal_mask(7) & mask
    bias = torch.zeros(seen.shape).masked_fill(~seen, torch.finfo(torch.float32).min)
    expected = theirs(hidden_states=x, position_embeddings=rotary(x, positions), attention_mask=bias)[0]
    expected = outputs_and_gradients(theirs, expected, x, real)
    for absorbed in (False, True):
        found = outputs_and_gradients(ours, ours(x, positions, mask, absorbed=absorbed), x, real)
        assert {their_name(name, PARTS) for name in found} == expected.keys()
        for name, value in found.items():
            other = expected[their_name(name, PARTS)]
            torch.testing.assert_close(
                value, other, atol=1e-5, rtol=1e-5, msg=lambda text, name=name: f"{name}: {text}"
            )


@pytest.mark.parametrize("absorbed", [False, True])
@pytest.mark.parametrize("pieces", [[1] * 7, [4, 1, 2]])
def test_the_cache_changes_nothing_and_keeps_one_short_vector_a_token(
    absorbed: bool, pieces: list[int], generator: torch.Generator
):
    layer = perturbed(LatentAttention(SIZES), generator)
    x, real = torch.randn(2, 7, 24, generator=generator), PADDING["left"]
    positions, cache, done, outputs = (real.cumsum(1) - 1).clamp(min=0), layer.new_cache(2, 7), 0, []
    for piece in x.split(pieces, dim=1):
        end = done + piece.shape[1]
        mask = for_all_queries(real[:, :end])
        outputs.append(layer(piece, positions[:, done:end], mask, cache, absorbed=absorbed))
        done = end
    whole = layer(x, positions, for_all_queries(real))
    torch.testing.assert_close(torch.cat(outputs, dim=1), whole, atol=1e-5, rtol=0)
    assert cache.kept.shape == (2, 7, 14)
    assert SIZES.kept == 14


def test_no_token_sees_the_future(generator: torch.Generator):
    layer, x = perturbed(LatentAttention(SIZES), generator), torch.randn(1, 6, 24, generator=generator)
    later = x.clone()
    later[:, 4:] = torch.randn(1, 2, 24, generator=generator)
    torch.testing.assert_close(layer(x, absorbed=True)[:, :4], layer(later, absorbed=True)[:, :4])


def test_only_distances_count(generator: torch.Generator):
    layer, x = perturbed(LatentAttention(SIZES), generator), torch.randn(1, 6, 24, generator=generator)
    torch.testing.assert_close(layer(x), layer(x, torch.arange(6)[None] + 11), atol=1e-5, rtol=0)
    assert (layer(x) - layer(x, 2 * torch.arange(6)[None])).abs().max() > 1e-2


def test_what_may_look_nowhere_gets_zeros(generator: torch.Generator):
    layer, real = perturbed(LatentAttention(SIZES), generator), PADDING["left"]
    x = torch.randn(2, 7, 24, generator=generator)
    for absorbed in (False, True):
        assert not layer(x, mask=for_all_queries(real), absorbed=absorbed)[~real].any()


def test_materialised_is_absorbed_at_the_sizes_of_deepseek_v2_per_head(generator: torch.Generator):
    sizes = LatentSizes(d_model=64, heads=2, latent=512, head_dim=128, rotary_dim=64)
    layer, x = LatentAttention(sizes), torch.randn(1, 5, 64, generator=generator)
    assert math.isclose(sizes.kept / (2 * 128 * 128), 0.0176, abs_tol=1e-4)
    torch.testing.assert_close(layer(x), layer(x, absorbed=True), atol=1e-5, rtol=1e-4)

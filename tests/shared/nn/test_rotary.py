"""Rotary positions: scores depend on distance alone, for both pairings, each equal to its reference."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from shared.nn.rotary import Llama3Scaling, rotate_halves, rotate_interleaved

# The order in which one pairing has the features of the other: neighbours apart, half a vector between them.
HALVES = torch.cat([torch.arange(0, 8, 2), torch.arange(1, 8, 2)])


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("rotate", [rotate_interleaved, rotate_halves])
def test_scores_depend_on_distance_alone(rotate: Callable[..., Tensor], generator: torch.Generator):
    query, key = torch.randn(2, 1, 16, dtype=torch.float64, generator=generator).unbind()

    def score(query_at: int, key_at: int) -> float:
        return (rotate(query, torch.tensor([query_at])) @ rotate(key, torch.tensor([key_at])).T).item()

    for distance in (0, 1, 5, 30):
        scores = [score(place + distance, place) for place in (0, 3, 100, 1000)]
        assert scores == pytest.approx([scores[0]] * 4, abs=1e-4)
    assert abs(score(1, 0) - score(0, 1)) > 1e-3, "before and after differ"
    assert score(0, 0) == pytest.approx((query @ key.T).item()), "position 0 does not turn"


def test_interleaved_is_complex_multiplication(generator: torch.Generator):
    x, positions = torch.randn(2, 3, 10, 8, generator=generator), torch.arange(10)
    for theta in (10_000.0, 50.0):
        angles = positions[:, None] * theta ** (-torch.arange(0, 8, 2) / 8)
        turned = torch.view_as_complex(x.unflatten(-1, (4, 2))) * torch.polar(torch.ones(10, 4), angles)
        found = rotate_interleaved(x, positions, theta)
        torch.testing.assert_close(found, torch.view_as_real(turned).flatten(-2))
        torch.testing.assert_close(found.norm(dim=-1), x.norm(dim=-1))


def test_halves_are_transformers_llama(generator: torch.Generator):
    from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

    x, positions = torch.randn(2, 3, 10, 8, generator=generator), torch.arange(10)
    angles = positions[:, None] * 10_000.0 ** (-torch.arange(0, 8, 2) / 8)
    tables = torch.cat([angles, angles], dim=-1)[None]
    theirs, _ = apply_rotary_pos_emb(x, x, tables.cos(), tables.sin())
    torch.testing.assert_close(rotate_halves(x, positions), theirs)


def test_interleaved_is_transformers_gpt_j(generator: torch.Generator):
    from transformers.models.gptj.modeling_gptj import apply_rotary_pos_emb

    x, positions = torch.randn(2, 10, 3, 8, generator=generator), torch.arange(10)
    angles = (positions[:, None] * 10_000.0 ** (-torch.arange(0, 8, 2) / 8))[None]
    theirs = apply_rotary_pos_emb(x, angles.sin(), angles.cos())
    torch.testing.assert_close(rotate_interleaved(x.transpose(1, 2), positions).transpose(1, 2), theirs)


def test_the_pairings_differ_by_the_order_of_features_and_by_nothing_else(generator: torch.Generator):
    x, positions = torch.randn(3, 10, 8, generator=generator), torch.arange(10)
    torch.testing.assert_close(rotate_interleaved(x, positions)[..., HALVES], rotate_halves(x[..., HALVES], positions))
    assert not torch.allclose(rotate_interleaved(x, positions), rotate_halves(x, positions), atol=0.1)


@pytest.mark.parametrize("rotate", [rotate_interleaved, rotate_halves])
def test_rows_may_have_positions_of_their_own(rotate: Callable[..., Tensor], generator: torch.Generator):
    x = torch.randn(2, 3, 4, 6, generator=generator)
    positions = torch.tensor([[0, 1, 2, 3], [5, 6, 9, 7]])
    turned = rotate(x, positions[:, None])
    for row in range(2):
        torch.testing.assert_close(turned[row], rotate(x[row], positions[row]))
    assert rotate(x.bfloat16(), positions[:, None]).dtype is torch.bfloat16


@pytest.mark.parametrize("rotate", [rotate_interleaved, rotate_halves])
def test_an_odd_number_of_features_is_refused(rotate: Callable[..., Tensor]):
    with pytest.raises(ValueError, match="even, got 7"):
        rotate(torch.zeros(1, 7), torch.zeros(1, dtype=torch.long))


def test_llama_3_slows_down_the_slow_planes_alone():
    from transformers import LlamaConfig
    from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding, apply_rotary_pos_emb

    scaling = Llama3Scaling(8.0, low=1.0, high=4.0, context=100)
    turns = torch.tensor([8.0, 4.0, 2.5, 1.0, 0.5])  # of a plane within 100 positions
    speeds = 2 * torch.pi * turns / 100
    torch.testing.assert_close(scaling.slow_down(speeds) / speeds, torch.tensor([1, 1, 0.5 + 0.5 / 8, 1 / 8, 1 / 8]))
    config = LlamaConfig(
        hidden_size=64, num_attention_heads=1, max_position_embeddings=400,
        rope_parameters={
            "rope_type": "llama3", "rope_theta": 500.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
            "original_max_position_embeddings": 100,
        },
    )  # fmt: skip
    x, positions = torch.randn(1, 300, 64, generator=torch.Generator().manual_seed(0)), torch.arange(300)[None]
    cosine, sine = LlamaRotaryEmbedding(config)(x, positions)
    theirs, _ = apply_rotary_pos_emb(x[:, None], x[:, None], cosine, sine)
    torch.testing.assert_close(rotate_halves(x, positions, 500.0, scaling), theirs[:, 0], atol=1e-4, rtol=1e-4)
    for wrong in ({"factor": 0.5}, {"factor": 2, "low": 4.0}, {"factor": 2, "context": 0}):
        with pytest.raises(ValueError, match="0 < low < high"):
            Llama3Scaling(**wrong)

"""Sizes of latent attention: what must hold, and what cannot be converted."""

from typing import Any

import pytest

from shared.nn.latent_sizes import LatentSizes


def test_what_is_kept_does_not_depend_on_the_heads():
    assert [LatentSizes(64, heads, 16, 8, 4).kept for heads in (1, 2, 8)] == [20] * 3
    assert LatentSizes(64, 2, 16, 8, 4).values == 8


@pytest.mark.parametrize(
    ("sizes", "message"),
    [((64, 0, 16, 8, 4), "heads=0"), ((64, 2, 0, 8, 4), "latent=0"), ((64, 2, 16, 8, 3), "rotary_dim=3: give an even")],
)
def test_sizes_that_make_no_layer_are_refused(sizes: tuple[int, ...], message: str):
    with pytest.raises(ValueError, match=message):
        LatentSizes(*sizes)


@pytest.mark.parametrize(
    "change",
    [{"attention_bias": True}, {"rope_interleave": False}, {"rope_parameters": {"rope_type": "linear", "factor": 2.0}}],
    ids=str,
)
def test_a_variant_of_theirs_is_refused(change: dict[str, Any]):
    from transformers import DeepseekV3Config

    rotation = {"rope_type": "default", "rope_theta": 50.0}
    config = DeepseekV3Config(**{"rope_parameters": rotation} | change)
    with pytest.raises(ValueError, match="take one without"):
        LatentSizes.from_transformers(config)

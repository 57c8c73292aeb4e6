"""The switches of a decoder: what follows from them, and what does not fit."""

from typing import Any

import pytest

from shared.nn.decoder import Decoder
from shared.nn.decoder_config import DecoderConfig


def test_equal_parameters_and_what_the_cache_keeps():
    plain = DecoderConfig.gpt2(16, d_model=96, bias=False)
    gated = DecoderConfig.gpt2(16, d_model=96, bias=False, feed_forward="gated")
    assert Decoder(plain).parameter_count() == Decoder(gated).parameter_count()
    windowed = DecoderConfig.gemma3(16, layers=6, heads=4, key_value_heads=1, d_model=32, window=10)
    assert [windowed.window_of(layer) for layer in range(6)] == [10, 10, 10, 10, 10, None]
    assert windowed.cache_numbers(25) == 2 * 8 * (5 * 10 + 25)
    assert windowed.cache_numbers(7) == 2 * 8 * 6 * 7


def test_families_are_what_they_are_called():
    llama, qwen, gemma = (getattr(DecoderConfig, kind)(16) for kind in ("llama", "qwen3", "gemma3"))
    assert (llama.norm, llama.bias, llama.feed_forward, llama.qk_norm) == ("rms", False, "gated", False)
    assert (qwen.qk_norm, qwen.tie_weights, gemma.tie_weights, gemma.score_cap) == (True, False, True, None)
    assert DecoderConfig.gemma2(16).score_cap == 50.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": 0}, "must be at least 1; got layers=0"),
        ({"window": 0}, "must be at least 1; got window=0"),
        ({"heads": 3}, "heads must divide d_model"),
        ({"key_value_heads": 3}, "key_value_heads must divide heads"),
        ({"head_dim": 5, "positions": "rotary"}, "head_dim must be even, got 5"),
        ({"norm": "batch"}, "norm must be one of layer, rms; got 'batch'"),
        ({"logit_cap": 0.0}, "logit_cap must be above 0; got 0.0"),
        ({"global_every": 2}, "give a window too"),
    ],
)
def test_what_does_not_fit(options: dict[str, Any], message: str):
    with pytest.raises(ValueError, match=message):
        DecoderConfig(16, **options)

"""What of the library's models a `Decoder` can be, and what it refuses."""

from typing import Any

import pytest
import torch
from decoder_examples import GEMMA, SIZES, theirs

from shared.nn.decoder_conversions import decoder_fields, their_weight
from shared.nn.rotary import Llama3Scaling


def test_fields_of_each_family():
    gemma = decoder_fields(theirs("gemma3").config)
    assert (gemma["window"], gemma["global_every"], gemma["score_scale"]) == (4, 2, 1 / 3)
    assert (gemma["theta"], gemma["local_theta"], gemma["qk_norm"]) == (1_000_000.0, 10_000.0, True)
    assert decoder_fields(theirs("llama3").config)["scaling"] == Llama3Scaling(8.0, 1.0, 4.0, 16)
    assert decoder_fields(theirs("gemma2").config)["score_cap"] == 2.0


def variants() -> dict[str, tuple[Any, str]]:
    import transformers as t

    order = GEMMA | {"layer_types": ["full_attention", "sliding_attention"]}
    linear = {"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0}
    return {
        "type": (t.BertConfig(), "this model is of type 'bert'"),
        "bias": (t.Qwen3Config(**SIZES, attention_bias=True), "no attention_bias"),
        "order": (t.Gemma3TextConfig(**SIZES, **order), "every so-many-th layer sees all"),
        "rotation": (t.LlamaConfig(**SIZES, rope_parameters=linear), "got 'linear'"),
        "activation": (t.GPT2Config(activation_function="relu"), "activation_function='relu'"),
    }


@pytest.mark.parametrize("variant", ["type", "bias", "order", "rotation", "activation"])
def test_variants_that_a_decoder_has_not(variant: str):
    config, message = variants()[variant]
    with pytest.raises(ValueError, match=message):
        decoder_fields(config)


def test_weights_under_our_names():
    packed = torch.arange(2 * 6.0).view(2, 6)
    gpt2 = {"transformer.h.0.attn.c_attn.weight": packed}
    assert torch.equal(their_weight("blocks.0.attention.key.weight", gpt2, "gpt2"), packed[:, 2:4].T)
    after = {"model.layers.1.post_attention_layernorm.weight": torch.ones(2)}
    assert their_weight("blocks.1.after_attention.gain", after, "gemma2").sum() == 2
    assert their_weight("blocks.1.feed_forward_norm.gain", after, "llama").sum() == 2
    with pytest.raises(ValueError, match=r"has no model\.norm\.weight: name a model with a head"):
        their_weight("norm.gain", after, "llama")

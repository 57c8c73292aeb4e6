"""Weights and sizes go to transformers' models and back."""

from dataclasses import replace

import pytest
import torch
from encoder_examples import perturb

from shared.nn.vision_config import VisionConfig
from shared.nn.vision_transformer import VisionTransformer
from shared.nn.vision_weights import as_ours, their_names

SMALL = VisionConfig(picture=12, patch=4, layers=2, heads=3, d_model=24, d_hidden=40)
CLIP = replace(SMALL, kind="clip", activation="quick_gelu", epsilon=1e-5)
PICTURES = torch.randn(2, 3, 12, 12, generator=torch.Generator().manual_seed(1))


def test_names_of_both_families():
    query = "layers.1.attention.q_proj.weight"
    assert their_names("blocks.1.attention.qkv.weight", "vit")[0] == query
    assert their_names("class_token", "vit") == ["embeddings.cls_token"]
    assert their_names("first_norm.bias", "clip") == ["pre_layrnorm.bias"]
    assert their_names("position_embedding", "clip") == ["embeddings.position_embedding.weight"]


@pytest.mark.parametrize("config", [SMALL, CLIP, replace(SMALL, d_hidden=None, dropout=0.1)])
def test_goes_to_transformers_and_back(config: VisionConfig):
    ours = VisionTransformer(config, torch.Generator().manual_seed(0)).eval()
    perturb(ours)
    theirs = ours.to_transformers()
    back = VisionTransformer.from_transformers(theirs)
    assert back.config == replace(config, d_hidden=config.d_hidden or 96)
    assert all(torch.equal(weight, back.state_dict()[name]) for name, weight in ours.state_dict().items())
    out = theirs(pixel_values=PICTURES)
    if config.kind == "clip":
        torch.testing.assert_close(ours.class_tokens(PICTURES), out.pooler_output, atol=1e-5, rtol=1e-5)
    else:
        torch.testing.assert_close(ours(PICTURES), out.last_hidden_state, atol=1e-5, rtol=1e-5)


def test_refuses_other_models():
    from transformers import BertConfig, BertModel, ViTConfig, ViTModel

    tiny = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}
    with pytest.raises(ValueError, match="it is of type 'bert'"):
        VisionTransformer.from_transformers(BertModel(BertConfig(vocab_size=9, **tiny)))
    odd = ViTModel(ViTConfig(image_size=8, patch_size=4, hidden_act="relu", qkv_bias=False, **tiny))
    with pytest.raises(ValueError, match="hidden_act='relu', qkv_bias=False"):
        VisionTransformer.from_transformers(odd)
    with pytest.raises(ValueError, match=r"lacks embeddings\.cls_token"):
        as_ours(VisionTransformer(SMALL).state_dict(), {}, "vit")

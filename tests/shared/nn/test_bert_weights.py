"""Names of weights and fields of configurations, from transformers' to ours."""

from types import SimpleNamespace

import pytest
import torch

from shared.nn.bert_weights import BERT_PARTS, ROBERTA_PARTS, as_ours, our_bert_fields, their_names

CONFIG = {
    "model_type": "roberta", "vocab_size": 9, "num_hidden_layers": 1, "num_attention_heads": 2, "hidden_size": 4,
    "intermediate_size": 8, "type_vocab_size": 1, "layer_norm_eps": 1e-5, "hidden_dropout_prob": 0.1,
    "max_position_embeddings": 514, "pad_token_id": 1, "hidden_act": "gelu", "is_decoder": False,
    "add_cross_attention": False,
}  # fmt: skip


def test_names_of_the_library():
    layer = "bert.encoder.layer.3"
    assert their_names("bert.blocks.3.attention_norm.bias", BERT_PARTS) == [f"{layer}.attention.output.LayerNorm.bias"]
    assert their_names("bert.blocks.3.feed_forward.expand.weight", BERT_PARTS) == [f"{layer}.intermediate.dense.weight"]
    roles = [f"{layer}.attention.self.{role}.weight" for role in ("query", "key", "value")]
    assert their_names("bert.blocks.3.attention.qkv.weight", BERT_PARTS) == roles
    assert their_names("head.dense.weight", ROBERTA_PARTS) == ["lm_head.dense.weight"]


def test_a_model_without_the_part_is_refused():
    with pytest.raises(ValueError, match=r"lacks cls\.predictions\.bias"):
        as_ours(["head.bias"], {"lm_head.bias": torch.zeros(1)}, BERT_PARTS)


def test_fields_and_what_is_refused():
    fields = our_bert_fields(SimpleNamespace(**CONFIG))
    assert (fields["first_position"], fields["context"]) == (2, 512)
    assert "d_embedding" not in fields
    assert our_bert_fields(SimpleNamespace(**CONFIG, embedding_size=2))["d_embedding"] == 2
    with pytest.raises(ValueError, match="must be of type electra; it is of type 'roberta'"):
        our_bert_fields(SimpleNamespace(**CONFIG), "electra")
    for wrong in ({"hidden_act": "relu"}, {"is_decoder": True}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            our_bert_fields(SimpleNamespace(**CONFIG | wrong))

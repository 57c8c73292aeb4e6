"""Names of weights and fields of configurations, from transformers' ModernBERT to ours."""

from types import SimpleNamespace

import pytest
import torch

from shared.nn.modern_bert_weights import PLAIN, as_ours, our_fields

PLAIN_ROTATION = {"rope_type": "default", "rope_theta": 5.0}
CONFIG = PLAIN | {
    "model_type": "modernbert", "vocab_size": 9, "max_position_embeddings": 8, "num_hidden_layers": 3,
    "num_attention_heads": 2, "hidden_size": 4, "intermediate_size": 8, "norm_eps": 1e-5, "sliding_window": 2,
    "layer_types": ["full_attention", "sliding_attention", "full_attention"],
    "rope_parameters": {"full_attention": PLAIN_ROTATION, "sliding_attention": PLAIN_ROTATION | {"rope_theta": 6.0}},
}  # fmt: skip


def test_one_matrix_of_theirs_is_gate_and_expansion():
    whole = torch.arange(4.0)[:, None]
    names = ["blocks.0.feed_forward.gate.weight", "blocks.0.feed_forward.expand.weight"]
    gate, expand = as_ours(names, {"model.layers.0.mlp.Wi.weight": whole}).values()
    assert (gate.flatten().tolist(), expand.flatten().tolist()) == ([0, 1], [2, 3])


def test_fields_and_what_is_refused():
    fields = our_fields(SimpleNamespace(**CONFIG))
    assert (fields["global_every"], fields["reach"], fields["global_theta"], fields["local_theta"]) == (2, 2, 5.0, 6.0)
    types = ["full_attention", "sliding_attention", "sliding_attention", "full_attention", "full_attention"]
    for wrong in ({"model_type": "bert"}, {"mlp_bias": True}, {"layer_types": types}):
        with pytest.raises(ValueError, match=next(iter(wrong)).replace("model_type", "type 'bert'")):
            our_fields(SimpleNamespace(**CONFIG | wrong))

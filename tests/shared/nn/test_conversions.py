"""Names are those of transformers, and copying goes both ways."""

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel, LlamaForCausalLM
from transformers import LlamaConfig as TheirLlamaConfig

from shared.nn.conversions import (
    GPT2_FIELDS,
    GPT2_PARTS,
    LLAMA_FIELDS,
    LLAMA_PARTS,
    copy_gpt2,
    our_fields,
    require_plain_gpt2,
    their_fields,
    their_name,
)
from shared.nn.gpt import GPT, GPTConfig
from shared.nn.llama import Llama, LlamaConfig

SIZE = GPTConfig(vocab_size=61, context=32, layers=2, heads=4, d_model=16, d_hidden=40, tie_weights=False)


def their_gpt2() -> GPT2LMHeadModel:
    return GPT2LMHeadModel(GPT2Config(**their_fields(SIZE, GPT2_FIELDS), bos_token_id=0, eos_token_id=0))


def test_every_weight_has_their_name():
    ours, theirs = dict(GPT(SIZE).named_parameters()), dict(their_gpt2().named_parameters())
    assert {their_name(name, GPT2_PARTS) for name in ours} == theirs.keys()
    size = LlamaConfig(30, layers=2)
    llama = LlamaForCausalLM(TheirLlamaConfig(**their_fields(size, LLAMA_FIELDS), tie_word_embeddings=True))
    names = {their_name(name, LLAMA_PARTS) for name, _ in Llama(size).named_parameters()}
    assert names == dict(llama.named_parameters()).keys()


def test_fields_go_there_and_back():
    theirs = their_gpt2().config
    assert (theirs.n_layer, theirs.n_inner, theirs.resid_pdrop) == (2, 40, 0.1)
    assert our_fields(theirs, GPT2_FIELDS) == {name: getattr(SIZE, name) for name in GPT2_FIELDS}


def test_copying_fills_one_side_and_leaves_the_other_alone():
    ours, theirs = dict(GPT(SIZE).named_parameters()), dict(their_gpt2().named_parameters())
    before = {name: parameter.clone() for name, parameter in theirs.items()}
    copy_gpt2(ours, theirs, to_ours=True)
    weight = ours["blocks.1.feed_forward.expand.weight"]
    assert torch.equal(weight.T, theirs["transformer.h.1.mlp.c_fc.weight"])
    assert torch.equal(ours["head.weight"], theirs["lm_head.weight"]), "not transposed: it is a linear layer"
    assert all(torch.equal(before[name], parameter) for name, parameter in theirs.items())
    weight.data.add_(1)
    copy_gpt2(ours, theirs, to_ours=False)
    torch.testing.assert_close(theirs["transformer.h.1.mlp.c_fc.weight"], before["transformer.h.1.mlp.c_fc.weight"] + 1)


@pytest.mark.parametrize(
    ("field", "value"),
    [("activation_function", "relu"), ("scale_attn_weights", False), ("scale_attn_by_inverse_layer_idx", True)],
)
def test_variants_are_refused(field: str, value: object):
    require_plain_gpt2(GPT2Config())
    with pytest.raises(ValueError, match=f"{field}="):
        require_plain_gpt2(GPT2Config(**{field: value}))

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


def tiny_gpt2(**options: object) -> GPT2LMHeadModel:
    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(n_layer=1, n_embd=8, n_head=2, vocab_size=9, n_positions=8, **options)).eval()


@pytest.mark.parametrize(
    ("option", "value"),
    [("activation_function", "relu"), ("scale_attn_weights", False), ("scale_attn_by_inverse_layer_idx", True)],
)
def test_variants_of_gpt2_that_we_lack_are_refused(option: str, value: object):
    with pytest.raises(ValueError, match=f"{option}={value!r}"):
        GPT.from_transformers(tiny_gpt2(**{option: value}))


def test_a_head_is_tied_only_if_it_equals_the_embedding():
    theirs = tiny_gpt2()
    assert GPT.from_transformers(theirs).config.tie_weights
    theirs.lm_head.weight = torch.nn.Parameter(theirs.lm_head.weight + 1)  # as after merging an adapter
    assert theirs.config.tie_word_embeddings
    ours, ids = GPT.from_transformers(theirs), torch.arange(5)[None]
    assert not ours.config.tie_weights
    torch.testing.assert_close(ours(ids), theirs(ids).logits, atol=1e-5, rtol=0)


def test_what_is_no_gpt2_with_a_head_and_nothing_else_is_refused():
    with pytest.raises(ValueError, match="of type 'llama': name a GPT-2"):
        GPT.from_transformers(LlamaForCausalLM(TheirLlamaConfig(vocab_size=9, hidden_size=32, num_hidden_layers=1)))
    with pytest.raises(ValueError, match="lacks transformer"):
        GPT.from_transformers(tiny_gpt2().transformer)
    with pytest.raises(ValueError, match=r"also has transformer\.h\.0\.crossattention"):
        GPT.from_transformers(tiny_gpt2(add_cross_attention=True))

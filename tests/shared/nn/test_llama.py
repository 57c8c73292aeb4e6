"""Llama is transformers' Llama: the same logits, gradients and files."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from shared.checks.invariants import check_cache, check_causality, check_padding_invariance
from shared.nn.conversions import LLAMA_PARTS, their_name
from shared.nn.llama import Llama, LlamaConfig, SwiGLU
from shared.nn.llama_files import load_llama
from shared.nn.rotary import Llama3Scaling

SMALL = LlamaConfig(40, context=32, layers=2, heads=4, key_value_heads=2, d_model=32, d_hidden=48)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def llama(generator: torch.Generator) -> Llama:
    """A Llama with gains that are not 1 and weights as large as in a trained model."""
    model = Llama(SMALL, generator)
    for parameter in model.parameters():
        parameter.data.mul_(5 if parameter.dim() == 2 else 1).add_(
            0.1 * torch.randn(parameter.shape, generator=generator)
        )
    return model


def tokens(batch: int, length: int, generator: torch.Generator) -> torch.Tensor:
    return torch.randint(SMALL.vocab_size, (batch, length), generator=generator)


def test_equals_transformers_in_logits_and_gradients(llama: Llama, generator: torch.Generator):
    theirs, ids = llama.to_transformers().eval(), tokens(3, 17, generator)
    ours, logits = llama(ids), theirs(ids).logits
    torch.testing.assert_close(ours, logits, atol=1e-4, rtol=1e-5)
    weight = torch.randn(ours.shape, generator=generator)
    (ours * weight).sum().backward()
    (logits * weight).sum().backward()
    gradients = {name: parameter.grad for name, parameter in theirs.named_parameters()}
    for name, parameter in llama.named_parameters():
        torch.testing.assert_close(parameter.grad, gradients[their_name(name, LLAMA_PARTS)], atol=1e-4, rtol=1e-3)


def test_exported_models_know_the_tokens_that_end_and_pad(llama: Llama):
    theirs = llama.to_transformers(end_token=1, pad_token=2).config
    assert (theirs.eos_token_id, theirs.pad_token_id, theirs.bos_token_id) == (1, 2, None)


def test_the_cache_changes_nothing_and_holds_the_few_heads(llama: Llama, generator: torch.Generator):
    ids = tokens(2, 9, generator)
    check_cache(llama, ids)
    cache = llama.new_cache(2, 9)
    pieces = [llama(ids[:, :4], cache=cache), *(llama(ids[:, t : t + 1], cache=cache) for t in range(4, 9))]
    torch.testing.assert_close(torch.cat(pieces, dim=1), llama(ids), atol=1e-5, rtol=1e-5)
    assert cache[0].keys.shape == (2, 2, 9, 8)


def test_looks_back_only_and_never_at_padding(llama: Llama, generator: torch.Generator):
    ids = tokens(2, 10, generator)
    check_causality(llama, ids, vocab_size=SMALL.vocab_size)
    real = torch.arange(10) < torch.tensor([10, 6])[:, None]
    check_padding_invariance(lambda ids, mask: llama(ids, mask=mask), ids, real, vocab_size=SMALL.vocab_size)


def test_positions_count_from_where_one_likes(llama: Llama, generator: torch.Generator):
    ids = tokens(2, 8, generator)
    far = llama(ids, positions=torch.arange(8)[None] + 11)
    torch.testing.assert_close(far, llama(ids), atol=1e-4, rtol=1e-5)  # distances alone count
    assert not torch.allclose(llama(ids, positions=2 * torch.arange(8)[None]), llama(ids), atol=1e-2)


def test_llama_3_slows_its_rotation_down_and_has_a_head_of_its_own(generator: torch.Generator, tmp_path: Path):
    scaling = Llama3Scaling(8.0, context=16)
    config = replace(SMALL, theta=500_000.0, scaling=scaling, tie_weights=False, context=64)
    llama = Llama(config, generator).eval()
    for parameter in llama.parameters():
        parameter.data.mul_(5 if parameter.dim() == 2 else 1)
    ids = tokens(2, 60, generator)
    theirs = llama.to_transformers().eval()
    torch.testing.assert_close(llama(ids), theirs(ids).logits, atol=1e-4, rtol=1e-5)
    back = Llama.from_transformers(theirs)
    assert back.config == config
    assert torch.equal(back(ids), llama(ids))
    theirs.save_pretrained(tmp_path)
    assert torch.equal(load_llama(tmp_path)(ids), llama(ids))
    unscaled = Llama(replace(config, scaling=None))
    unscaled.load_state_dict(llama.state_dict())
    assert not torch.allclose(unscaled(ids), llama(ids), atol=1e-3), "the scaling matters at these lengths"


def test_swiglu_is_its_formula(generator: torch.Generator):
    network, x = SwiGLU(6, 10), torch.randn(2, 3, 6, generator=generator)
    gate, expand = x @ network.gate.weight.T, x @ network.expand.weight.T
    torch.testing.assert_close(network(x), (gate * gate.sigmoid() * expand) @ network.contract.weight.T)


@pytest.mark.parametrize("size", ["vocab_size", "context", "layers", "d_hidden", "key_value_heads"])
def test_sizes_are_at_least_one(size: str):
    with pytest.raises(ValueError, match=f"got {size}=0"):
        LlamaConfig(**{**vars(SMALL), size: 0})


@pytest.mark.parametrize("wrong", [{"key_value_heads": 3}, {"heads": 5}, {"heads": 32, "key_value_heads": 32}])
def test_sizes_that_do_not_fit(wrong: dict[str, int]):
    with pytest.raises(ValueError, match="key_value_heads must divide heads; got d_model=32, heads="):
        LlamaConfig(**{**vars(SMALL), **wrong})

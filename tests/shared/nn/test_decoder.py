"""One decoder is each of the library's: logits, all gradients, padding on either side, and its cache."""

from dataclasses import replace

import pytest
import torch
from decoder_examples import FAMILIES, theirs

from shared.checks.invariants import check_cache, check_causality, check_padding_invariance
from shared.nn.cache import KeyValueCache
from shared.nn.decoder import Decoder, DecoderConfig
from shared.nn.decoder_conversions import their_weight
from shared.nn.gpt import GPT, GPTConfig
from shared.nn.windows import WindowCache

KINDS = {
    "gpt2": DecoderConfig.gpt2(24, context=32, layers=2, heads=4, d_model=16),
    "qwen3": DecoderConfig.qwen3(24, context=32, layers=2, heads=4, key_value_heads=2, d_model=16, head_dim=6),
    "gemma2": DecoderConfig.gemma2(24, context=32, layers=2, heads=4, key_value_heads=1, d_model=16, window=3),
    "gemma3": DecoderConfig.gemma3(24, context=32, layers=3, heads=4, d_model=16, window=4, global_every=3),
}


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def perturbed(config: DecoderConfig, generator: torch.Generator) -> Decoder:
    decoder = Decoder(config, generator).eval()
    for parameter in decoder.parameters():
        parameter.data.add_(0.2 * torch.randn(parameter.shape, generator=generator))
    return decoder


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("family", FAMILIES)
def test_equals_the_library_in_logits_and_all_gradients(family: str, side: str, generator: torch.Generator):
    library = theirs(family)
    decoder = Decoder.from_transformers(library)
    tokens = torch.randint(1, 24, (3, 11), generator=generator)
    real = torch.arange(11) < torch.tensor([11, 8, 3])[:, None]
    real = real if side == "right" else real.flip(1)
    logits = decoder(tokens, mask=real)[real]
    expected = library(tokens, attention_mask=real.long()).logits[real]
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-5)
    weight = torch.randn(logits.shape, generator=generator) / 10
    (logits * weight).sum().backward()
    (expected * weight).sum().backward()
    gradients = {name: parameter.grad for name, parameter in library.named_parameters()}
    assert sum(gradient.numel() for gradient in gradients.values()) == decoder.parameter_count()
    for name, parameter in decoder.named_parameters():
        expected = their_weight(name, gradients, library.config.model_type)
        torch.testing.assert_close(parameter.grad, expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_looks_back_only_never_at_padding_and_its_cache_changes_nothing(kind: str, generator: torch.Generator):
    decoder, tokens = perturbed(KINDS[kind], generator), torch.randint(24, (2, 9), generator=generator)
    check_causality(decoder, tokens, vocab_size=24)
    real = torch.arange(9) < torch.tensor([9, 6])[:, None]
    check_padding_invariance(lambda ids, mask: decoder(ids, mask=mask), tokens, real, vocab_size=24)
    check_cache(decoder, tokens)


@pytest.mark.parametrize("first", [2, 3, 4, 5])  # a window of 4: one less, as many, and one more
def test_windows_forget_what_no_token_looks_at(first: int, generator: torch.Generator):
    decoder = perturbed(KINDS["gemma3"], generator)
    tokens = torch.randint(24, (2, 12), generator=generator)
    real = torch.arange(12) >= torch.tensor([0, 3])[:, None]
    cache, pieces = decoder.new_cache(2, 12), []
    assert [type(layer) for layer in cache] == [WindowCache, WindowCache, KeyValueCache]
    for start, end in ((0, first), (first, first + 3), (first + 3, first + 4), (first + 4, 12)):
        pieces.append(decoder(tokens[:, start:end], cache=cache, mask=real[:, :end]))
    whole = decoder(tokens, mask=real)
    torch.testing.assert_close(torch.cat(pieces, dim=1)[real], whole[real], atol=1e-5, rtol=1e-5)
    kept = sum(layer.keys.numel() + layer.values.numel() for layer in cache)
    assert kept == 2 * decoder.config.cache_numbers(12)


def test_the_first_rung_is_the_gpt_of_this_course(generator: torch.Generator):
    gpt = GPT(GPTConfig(24, 32, layers=2, heads=4, d_model=16, dropout=0.0))
    rung = Decoder(KINDS["gpt2"], generator)
    assert rung.parameter_count() == gpt.parameter_count()
    starts = {name: parameter.std().item() for name, parameter in rung.named_parameters() if parameter.dim() == 2}
    assert starts["blocks.0.attention.query.weight"] == pytest.approx(0.02, rel=0.2)
    assert starts["blocks.0.attention.output.weight"] == pytest.approx(0.01, rel=0.2)


def test_pairs_of_features_are_a_switch_that_matters(generator: torch.Generator):
    halves = perturbed(KINDS["qwen3"], generator)
    other = Decoder(replace(halves.config, pairing="interleaved"))
    other.load_state_dict(halves.state_dict())
    tokens = torch.randint(24, (1, 6), generator=generator)
    assert torch.allclose(other(tokens)[:, 0], halves(tokens)[:, 0], atol=1e-6), "position 0 is not turned"
    assert not torch.allclose(other(tokens)[:, 1:], halves(tokens)[:, 1:], atol=1e-2)


def test_contexts_beyond_the_table_and_plain_silu():
    learned, rotary = Decoder(KINDS["gpt2"]), Decoder(replace(KINDS["gpt2"], positions="rotary"))
    tokens = torch.zeros(1, 33, dtype=torch.long)
    with pytest.raises(ValueError, match="a table of 32 positions takes 1 to so many tokens; got 33"):
        learned(tokens)
    assert rotary(tokens).shape == (1, 33, 24)
    with pytest.raises(ValueError, match="or feed_forward='gated'"):
        Decoder(replace(KINDS["gpt2"], activation="silu"))

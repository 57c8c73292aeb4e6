"""The cache changes nothing, samples follow the model, and a beam finds what enumeration finds."""

import functools
import itertools

import pytest
import torch

from shared.generation.beam_search import beam_search, decode
from shared.nn.seq2seq import EncoderDecoder, Seq2SeqConfig
from tests.shared.nn.seq2seq_examples import VARIANTS, build, mask, rows


@pytest.fixture(params=VARIANTS)
def model(request: pytest.FixtureRequest) -> EncoderDecoder:
    return build(VARIANTS[request.param])


@pytest.mark.parametrize("temperature", [0, 1.0])
def test_decoding_with_a_cache_equals_decoding_without(model: EncoderDecoder, temperature: float):
    source, real = rows(11, 8, 16), mask(*([8, 5, 2, 7] * 4))
    with torch.no_grad():
        model.decoder.head.weight.mul_(20)
    one, two = (
        decode(
            model,
            source,
            real,
            max_new_tokens=9,
            temperature=temperature,
            generator=torch.Generator().manual_seed(3),
            use_cache=use_cache,
        )
        for use_cache in (True, False)
    )
    assert torch.equal(one.tokens, two.tokens)
    assert torch.equal(one.mask, two.mask)


def test_a_row_ends_at_its_end_token_and_is_padded_from_there():
    said = decode(build(scale=10), rows(11, 8, 64), max_new_tokens=9, temperature=1.0)
    assert (said.tokens[:, 0] == 1).all()
    assert said.mask is not None
    assert not said.tokens[~said.mask].any()
    for tokens, real in zip(said.tokens.tolist(), said.mask.tolist(), strict=True):
        length = sum(real)
        assert real == [True] * length + [False] * (len(real) - length)
        assert 2 not in tokens[: length - 1]
        assert tokens[length - 1] == 2 or length == 10
    assert len({sum(real) for real in said.mask.tolist()}) > 3, "rows of different lengths were seen"


def test_samples_follow_the_models_distribution():
    model = build(scale=20)
    source = rows(11, 5, 1)
    with torch.no_grad():
        first = model(source, torch.tensor([[1]]))[0, 0].softmax(dim=-1)
    drawn = decode(model, source.expand(4000, -1), max_new_tokens=1, temperature=1.0).tokens[:, 1]
    counted = drawn.bincount(minlength=9) / 4000
    assert ((counted - first).abs() < 4 * (first * (1 - first) / 4000).sqrt() + 1e-3).all()


def test_a_beam_of_one_is_greedy(model: EncoderDecoder):
    with torch.no_grad():
        model.decoder.head.weight.mul_(20)
    source, real = rows(11, 8, 16), mask(*([8, 5, 2, 7] * 4))
    greedy = decode(model, source, real, max_new_tokens=9)
    for length_power in (0.0, 1.0):
        beam, scores = beam_search(model, source, real, width=1, max_new_tokens=9, length_power=length_power)
        assert torch.equal(beam.tokens, greedy.tokens)
        assert torch.equal(beam.mask, greedy.mask)
    log_probs = model(source, greedy.tokens[:, :-1], real).log_softmax(dim=-1)
    said = log_probs.gather(-1, greedy.tokens[:, 1:, None])[..., 0] * greedy.mask[:, 1:]
    torch.testing.assert_close(scores, said.sum(dim=1), atol=1e-4, rtol=0)


@pytest.mark.parametrize("length_power", [0.0, 1.0])
def test_a_beam_as_wide_as_the_space_finds_the_best(length_power: float):
    model = build(Seq2SeqConfig(6, 4, 6, 6, 1, 1, 2, 8), scale=40)
    source, longest = rows(6, 4, 5), 3
    # All targets of at most three tokens: those that end, as 0, 1 and 3 do not.
    space = [(1, *said, 2) for length in range(longest) for said in itertools.product((0, 1, 3), repeat=length)]
    beam, scores = beam_search(model, source, width=64, max_new_tokens=longest, length_power=length_power)
    found = [tuple(row[real].tolist()) for row, real in zip(beam.tokens, beam.mask, strict=True)]
    greedy = decode(model, source, max_new_tokens=longest)
    for index in range(5):
        ranked = []
        for target in space:
            log_probs = model(source[index : index + 1], torch.tensor([target[:-1]])).log_softmax(dim=-1)[0]
            total = sum(log_probs[place, token].item() for place, token in enumerate(target[1:]))
            ranked.append((total / (len(target) - 1) ** length_power, total, target))
        assert found[index] == max(ranked)[2]
        assert scores[index].item() == pytest.approx(max(ranked)[1], abs=1e-4)
    first = [tuple(row[real].tolist()) for row, real in zip(greedy.tokens, greedy.mask, strict=True)]
    assert first != found, "greedy decoding misses the best somewhere, so the search was needed"


def test_a_normalised_beam_says_more():
    model, source = build(Seq2SeqConfig(6, 4, 6, 6, 1, 1, 2, 8), scale=8), rows(6, 4, 32)
    short, long = (
        beam_search(model, source, width=8, max_new_tokens=5, length_power=power)[0].mask.sum() for power in (0, 1)
    )
    assert short < long


def test_too_many_tokens_and_no_beam_are_refused():
    model, source = build(), rows(9, 4)
    with pytest.raises(ValueError, match="a target must have 1 to 10 tokens; got 11"):
        decode(model, source, max_new_tokens=11)
    with pytest.raises(ValueError, match="at least 1; got 0"):
        beam_search(model, source, width=0, max_new_tokens=3)


def test_logits_that_are_not_numbers_are_refused():
    model, source = build(scale=float("nan")), rows(9, 4)
    for search in (decode, functools.partial(beam_search, width=2)):
        with pytest.raises(ValueError, match="largest logit of each row must be finite; got nan in row 0"):
            search(model, source, max_new_tokens=3)

"""shared/generation/sampling.py: agreement with transformers, frequencies against probabilities, refusals."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from shared.generation.sampling import apply_temperature, greedy, sample, top_k_filter, top_p_filter

INPUT_IDS = torch.zeros(1, 1, dtype=torch.long)  # transformers' warpers want the text so far and ignore it
# Ties at every place, one row of equals, one far apart, one with tokens that are ruled out already
ROWS = [[2.0, 1.0, 1.0, 0.0, 1.0, -3.0], [0.5] * 6, [90.0, 0.0, -90.0, 40.0, 41.0, 0.0], [0.0, -math.inf, 1, 1, 2, -3]]
LOGITS = torch.tensor(ROWS)


# Agreement with transformers


@pytest.mark.parametrize("temperature", [0.01, 0.7, 1.0, 30.0])
def test_temperature_is_that_of_transformers(temperature):
    from transformers import TemperatureLogitsWarper

    assert torch.equal(apply_temperature(LOGITS, temperature), TemperatureLogitsWarper(temperature)(INPUT_IDS, LOGITS))


@pytest.mark.parametrize("k", [1, 2, 3, 5, 6, 1000])
def test_top_k_is_that_of_transformers(k):
    from transformers import TopKLogitsWarper

    for logits in (LOGITS, torch.randn(4, 50, generator=torch.Generator().manual_seed(k))):
        assert torch.equal(top_k_filter(logits, k), TopKLogitsWarper(k)(INPUT_IDS, logits))


@pytest.mark.parametrize("p", [1e-9, 0.1, 1 / 6, 0.5, 5 / 6, 0.9, 0.999999, 1.0])
def test_top_p_is_that_of_transformers(p):
    from transformers import TopPLogitsWarper

    for logits in (LOGITS, torch.randn(4, 50, generator=torch.Generator().manual_seed(0))):
        assert torch.equal(top_p_filter(logits, p), TopPLogitsWarper(p)(INPUT_IDS, logits))


# Properties


def test_top_k_keeps_what_equals_the_kth():
    assert top_k_filter(LOGITS, 2)[0].tolist() == [2, 1, 1, -math.inf, 1, -math.inf]


@given(st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=8), st.floats(0.001, 1))
def test_the_nucleus_is_the_fewest_tokens_that_reach_p(values, p):
    logits = torch.tensor([values])
    kept = top_p_filter(logits, p)[0].isfinite()
    probabilities = logits[0].softmax(-1)
    assert probabilities[kept].sum() >= p - 1e-5
    assert probabilities[kept].min() >= probabilities[~kept].max() if (~kept).any() else True
    assert kept.sum() == 1 or probabilities[kept].sum() - probabilities[kept].min() < p + 1e-5


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, LOGITS[0].softmax(-1)),
        ({"temperature": 2.5}, (LOGITS[0] / 2.5).softmax(-1)),
        ({"top_k": 2}, top_k_filter(LOGITS[:1], 2)[0].softmax(-1)),
        # Sharpened first, the nucleus is one token smaller than it would be without the temperature.
        ({"temperature": 0.5, "top_p": 0.95}, torch.tensor([4, 2, 2, -math.inf, 2, -math.inf]).softmax(-1)),
    ],
)
def test_frequencies_are_probabilities(settings, expected):
    draws = sample(LOGITS[:1].expand(20_000, -1), generator=torch.Generator().manual_seed(0), **settings)
    counts = draws.bincount(minlength=6)
    possible = expected > 0
    assert counts[~possible].sum() == 0
    weights = expected[possible].double()
    assert chisquare(counts[possible], weights / weights.sum() * len(draws)).pvalue > 0.01


def test_frequencies_of_many_tokens():
    logits = torch.randn(1, 300, generator=torch.Generator().manual_seed(1))
    draws = sample(logits.expand(20_000, -1), generator=torch.Generator().manual_seed(2))
    expected = logits[0].double().softmax(-1) * len(draws)
    enough = expected >= 5  # what a chi-square test asks of each cell
    counts = draws.bincount(minlength=300)
    counts, expected = (torch.cat([x[enough], x[~enough].sum()[None]]) for x in (counts, expected))
    assert chisquare(counts, expected).pvalue > 0.01


def test_a_row_of_one_possible_token_yields_it():
    logits = torch.full((1000, 5), -math.inf)
    logits[:, 3] = -50.0
    assert (sample(logits, generator=torch.Generator().manual_seed(0)) == 3).all()


def test_a_tie_for_the_last_place_is_drawn_from():
    draws = sample(LOGITS[1:2].expand(1000, -1), top_k=1, generator=torch.Generator().manual_seed(0))
    assert set(draws.tolist()) == set(range(6)), "six equals, and top_k=1 keeps what equals the first"


def test_limits_are_greedy():
    logits = torch.randn(64, 50, generator=torch.Generator().manual_seed(0))
    best = logits.argmax(-1)
    assert torch.equal(greedy(logits), best)
    assert torch.equal(sample(logits, temperature=0), best)
    assert torch.equal(sample(logits, temperature=0.0, top_p=0.1), best)
    assert torch.equal(sample(logits, temperature=1e-6), best)
    assert torch.equal(sample(logits, top_k=1), best)
    assert torch.equal(sample(logits, top_p=1e-6), best)


def test_the_generator_decides():
    logits = torch.randn(8, 50)
    first, second, other = (sample(logits, generator=torch.Generator().manual_seed(seed)) for seed in (0, 0, 1))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_bfloat16_logits_are_drawn_from_in_float32():
    logits = torch.randn(64, 50).bfloat16()
    low, full = (sample(x, generator=torch.Generator().manual_seed(0)) for x in (logits, logits.float()))
    assert torch.equal(low, full)


# Errors


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": -1.0}, r"temperature must be positive .* got -1.0"),
        ({"temperature": math.nan}, "got nan"),
        ({"temperature": math.inf}, "got inf"),
        ({"top_k": 0}, "top_k must be at least 1, got 0"),
        ({"top_p": 0.0}, "top_p must be above 0 and at most 1, got 0.0"),
        ({"top_p": 1.1}, r"got 1\.1"),
    ],
)
def test_settings_outside_their_range(settings, message):
    with pytest.raises(ValueError, match=message):
        sample(LOGITS, **settings)


@pytest.mark.parametrize("temperature", [0, 1, 0.5])
@pytest.mark.parametrize(
    "row", [[0.0, math.nan, 1.0], [0.0, math.inf, 1.0], [-math.inf] * 3], ids=["nan", "inf", "-inf"]
)
def test_rows_that_are_no_distribution_are_refused(row, temperature):
    with pytest.raises(ValueError, match=r"largest logit of each row must be finite; got (nan|-?inf) in row 1"):
        sample(torch.tensor([[0.0, -math.inf, 1.0], row]), temperature=temperature)


def test_a_temperature_so_low_that_logits_overflow_is_refused():
    with pytest.raises(ValueError, match="is the temperature too near 0"):
        sample(LOGITS[:1], temperature=1e-40)


def test_temperature_zero_is_for_sample_only():
    with pytest.raises(ValueError, match=r"0 in `sample` means greedy"):
        apply_temperature(LOGITS, 0.0)

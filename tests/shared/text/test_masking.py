"""Masks hide what they should, in the shares they promise, and nothing else."""

from functools import partial

import pytest
import torch
from scipy.stats import chisquare

from shared.text.masking import choose_spans, choose_tokens, choose_words, hide, mask_tokens

MASK, VOCAB = 50, 50


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def text() -> tuple[torch.Tensor, torch.Tensor]:
    """Rows whose first and last tokens are special, and whose ends are padding."""
    tokens = torch.randint(5, VOCAB, (200, 50), generator=generator(7))
    lengths = torch.randint(3, 51, (200, 1), generator=generator(8))
    places = torch.arange(50)
    return tokens, (places > 0) & (places < lengths - 1)


def test_fates_have_their_shares_and_nothing_else_is_touched(text: tuple[torch.Tensor, torch.Tensor]):
    tokens, eligible = text
    inputs, chosen = mask_tokens(tokens, eligible, MASK, VOCAB, generator(1))
    assert torch.equal(inputs[~chosen], tokens[~chosen])
    assert not (chosen & ~eligible).any()
    free, count = int(eligible.sum()), int(chosen.sum())
    assert chisquare([count, free - count], [0.15 * free, 0.85 * free]).pvalue > 1e-3
    masked, same = int((inputs[chosen] == MASK).sum()), int((inputs[chosen] == tokens[chosen]).sum())
    # A random token is the old one in one case of 50.
    expected = [0.8 * count, (0.1 + 0.1 / VOCAB) * count, 0.1 * (1 - 1 / VOCAB) * count]
    assert chisquare([masked, same, count - masked - same], expected).pvalue > 1e-3


def test_words_are_chosen_whole(text: tuple[torch.Tensor, torch.Tensor]):
    tokens, eligible = text
    starts = tokens % 3 > 0  # two of three tokens begin a word
    chosen = choose_words(eligible, 0.15, generator(1), starts)
    together = eligible[:, 1:] & eligible[:, :-1] & ~starts[:, 1:]
    assert torch.equal((chosen[:, 1:] & together), chosen[:, :-1] & together)
    assert not (chosen & ~eligible).any()
    assert chosen.sum() / eligible.sum() == pytest.approx(0.15, abs=0.02)


def test_spans_fill_their_share_and_are_as_long_as_the_paper_says(text: tuple[torch.Tensor, torch.Tensor]):
    eligible = text[1]
    chosen = choose_spans(eligible, 0.3, generator(1))
    assert not (chosen & ~eligible).any()
    counts = eligible.sum(dim=1)
    wanted = torch.tensor([max(1, round(0.3 * count)) if count else 0 for count in counts.tolist()])
    assert torch.equal(chosen.sum(dim=1), wanted)
    # One short share of long rows: spans rarely meet and are rarely cut.
    long = choose_spans(torch.ones(20, 4000, dtype=torch.bool), 0.05, generator(2))
    spans = (long[:, 1:] & ~long[:, :-1]).sum() + long[:, 0].sum()
    weights = [0.8**length for length in range(1, 11)]
    exact = sum(length * weight for length, weight in enumerate(weights, 1)) / sum(weights)
    assert f"{exact:.1f}" == "3.8"
    assert long.sum() / spans == pytest.approx(exact, rel=0.1)


def test_the_same_generator_chooses_the_same(text: tuple[torch.Tensor, torch.Tensor]):
    tokens, eligible = text
    for choose in (choose_tokens, choose_spans, partial(choose_words, starts=tokens > 9)):
        first, second = (mask_tokens(tokens, eligible, MASK, VOCAB, generator(3), 0.4, choose=choose) for _ in range(2))
        assert torch.equal(first[0], second[0])
        assert torch.equal(first[1], second[1])


def test_refuses_what_cannot_be_masked():
    tokens = torch.zeros(1, 3, dtype=torch.long)
    nothing, all_of_it = tokens.bool(), ~tokens.bool()
    with pytest.raises(ValueError, match="there must be a token that may be masked"):
        mask_tokens(tokens, nothing, MASK, VOCAB, generator())
    with pytest.raises(ValueError, match="share of masked tokens"):
        choose_tokens(all_of_it, 0.0, generator())
    with pytest.raises(ValueError, match="at most 1 together"):
        hide(tokens, all_of_it, MASK, VOCAB, generator(), 0.8, 0.3)
    with pytest.raises(ValueError, match="stop must be"):
        choose_spans(all_of_it, 0.5, generator(), stop=1.0)

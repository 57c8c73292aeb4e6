"""First weights by which a token finds its equals, and what they refuse."""

import math

import pytest
import torch

from shared.nn.first_weights import Spreads, begin_alike, spread_of_queries
from shared.nn.gpt import GPT, GPTConfig

SIZE = {"vocab_size": 40, "context": 30, "layers": 2, "heads": 2, "d_model": 64, "dropout": 0.0}
LINES, PLACES = torch.arange(30) // 10, torch.arange(30) % 10


def begun(spreads=None, comparing=None, **changed):
    config = GPTConfig(**(SIZE | changed))
    gpt, spreads = GPT(config, torch.Generator().manual_seed(0)), spreads or Spreads(0.03, 0.02, 0.15)
    begin_alike(gpt, LINES, PLACES, spreads, torch.Generator().manual_seed(1), comparing)
    return gpt


def looks(gpt, layer, tokens):
    """Return how much the last token looks at each, the mean of the heads."""
    x = gpt.token_embedding(tokens) + gpt.positions(torch.arange(tokens.shape[1])[None])
    block = gpt.blocks[layer]
    return block.attention.forward_with_weights(block.attention_norm(x), causal=True)[1][0, :, -1].mean(dim=0)


@torch.no_grad()
def test_a_token_looks_at_its_equal_among_others_and_where_blocks_do_not_compare_it_does_not():
    tokens = torch.arange(30)[None].clone()
    tokens[0, -1] = 7  # stands at 7, too
    gpt = begun(comparing=1)
    weights, later = looks(gpt, 0, tokens), looks(gpt, 1, tokens)
    assert int(weights[:-1].argmax()) == 7
    assert weights[7] > 5 * weights[:-1].mean()
    assert later[7] < 2 * later.mean()
    assert int(looks(begun(), 1, tokens)[:-1].argmax()) == 7


@torch.no_grad()
def test_the_score_of_a_token_with_itself_is_the_likeness_that_was_asked_for():
    config = GPTConfig(**SIZE)
    gpt = begun(Spreads(0.03, 0.02, spread_of_queries(5.0, config)))
    x = torch.randn(2000, 64, generator=torch.Generator().manual_seed(2))[None]
    query, key, _ = gpt.blocks[0].attention.project(x)
    scores = (query * key).sum(dim=-1) / math.sqrt(32)
    assert float(scores.mean()) == pytest.approx(5.0, rel=0.1)


@torch.no_grad()
def test_positions_are_sums_of_a_line_and_a_place_and_values_pass_on_what_they_get():
    gpt = begun()
    table = gpt.positions(torch.arange(30))
    # Two lines differ by the same vector at each of their places.
    assert torch.allclose(table[10:20] - table[:10], (table[10] - table[0]).expand(10, -1), atol=1e-6)
    attention = gpt.blocks[1].attention
    passed = attention.output.weight @ attention.qkv.weight[128:]
    assert float((passed - torch.eye(64)).abs().max()) < 0.3


def test_positions_that_are_not_learned_and_missing_places_are_refused():
    with pytest.raises(ValueError, match="got sinusoidal positions, 30 of them"):
        begun(positions="sinusoidal")
    with pytest.raises(ValueError, match="31 of them, 30 lines and 30 places"):
        begun(context=31)

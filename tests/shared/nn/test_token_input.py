"""Tokens become embedding times sqrt(d_model) plus position."""

import math

import pytest
import torch

from shared.nn.positions import sinusoidal_positions
from shared.nn.token_input import TokenInput


def test_features_are_the_formula():
    torch.manual_seed(0)
    layer, tokens = TokenInput("source", 7, 10, 8), torch.tensor([[3, 1, 6], [0, 0, 2]])
    expected = layer.embedding.weight[tokens] * math.sqrt(8) + sinusoidal_positions(10, 8)[2:5]
    torch.testing.assert_close(layer(tokens, past=2), expected)
    learned = TokenInput("source", 7, 10, 8, "learned")
    expected = learned.embedding.weight[tokens] * math.sqrt(8) + learned.positions.weight[:3]
    torch.testing.assert_close(learned(tokens), expected)


def test_features_are_dropped_in_training_only():
    torch.manual_seed(0)
    layer, tokens = TokenInput("source", 7, 10, 64, dropout=0.5), torch.tensor([[3, 1, 6]])
    assert 0.3 < (layer(tokens) == 0).float().mean() < 0.7
    layer.eval()
    assert torch.equal(layer(tokens), layer(tokens))


def test_wrong_tokens_are_refused_by_the_name_they_have():
    layer = TokenInput("target", 7, 4, 8)
    for count, past, total in ((0, 0, 0), (5, 0, 5), (2, 3, 5)):
        with pytest.raises(ValueError, match=f"a target must have 1 to 4 tokens; got {total}"):
            layer(torch.zeros(1, count, dtype=torch.long), past)
    with pytest.raises(ValueError, match="tokens of a target must be from 0 to 6; got -1 to 7"):
        layer(torch.tensor([[-1, 7]]))

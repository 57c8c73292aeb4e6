"""Masks are True where a query may look."""

import torch

from shared.nn.masks import causal_mask, for_all_queries, padding_mask


def test_causal_mask_lets_each_query_see_itself_and_the_past():
    assert causal_mask(3).tolist() == [[True, False, False], [True, True, False], [True, True, True]]
    assert causal_mask(2, 4).tolist() == [[True, True, True, False], [True, True, True, True]]


def test_padding_mask_hides_what_is_beyond_the_length():
    assert padding_mask(torch.tensor([2, 3]), 3).tolist() == [[[[True, True, False]]], [[[True, True, True]]]]


def test_a_mask_of_tokens_serves_all_heads_and_queries():
    lengths = torch.tensor([2, 3])
    real = torch.arange(3) < lengths[:, None]
    expected = padding_mask(lengths, 3)
    assert torch.equal(for_all_queries(real), expected)
    assert for_all_queries(None) is None
    combined = causal_mask(3) & expected
    assert combined.shape == (2, 1, 3, 3)
    assert combined[0, 0].tolist() == [[True, False, False], [True, True, False], [True, True, False]]

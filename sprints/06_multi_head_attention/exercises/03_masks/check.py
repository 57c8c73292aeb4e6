"""Checks of `causal_mask` and `padding_mask`, by going through all pairs of places."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def compare_causal(learner: Any, num_queries: int, num_keys: int) -> None:
    first = num_keys - num_queries
    expected = torch.tensor([[key <= first + query for key in range(num_keys)] for query in range(num_queries)])
    from_the_start = torch.tensor([[key <= query for key in range(num_keys)] for query in range(num_queries)])
    strict = torch.tensor([[key < first + query for key in range(num_keys)] for query in range(num_queries)])
    mistakes = {
        "It is inverted: True means that a query may look.": ~expected,
        "It shows the future: each query sees itself and what comes after.": torch.tensor(
            [[key >= first + query for key in range(num_keys)] for query in range(num_queries)]
        ),
        "A query must see itself as well.": strict,
        "The queries are the last of the positions; yours are the first ones.": from_the_start,
        "Rows and columns are exchanged: a row of the mask belongs to a query.": expected.T,
        "It hides nothing.": torch.ones_like(expected),
    }
    expect(learner.causal_mask, {"num_queries": num_queries, "num_keys": num_keys}, expected, mistakes)


def compare_padding(learner: Any, lengths: Tensor, tokens: int) -> None:
    expected = torch.tensor([[place < length for place in range(tokens)] for length in lengths.tolist()])
    left = torch.tensor([[place >= tokens - length for place in range(tokens)] for length in lengths.tolist()])
    longer = torch.tensor([[place <= length for place in range(tokens)] for length in lengths.tolist()])
    mistakes = {
        "It is inverted: True means that a query may look.": ~expected[:, None, None, :],
        "The padding is on the right; yours is on the left.": left[:, None, None, :],
        "One token too many: places are counted from 0.": longer[:, None, None, :],
        "The axes for heads and queries are missing: (batch, 1, 1, tokens) is broadcast to the scores.": expected,
        "It hides queries instead of keys: the last axis must be the tokens.": expected[:, None, :, None],
    }
    expect(learner.padding_mask, {"lengths": lengths, "tokens": tokens}, expected[:, None, None, :], mistakes)


def check_causal(learner: Any) -> None:
    """Three tokens look back at each other."""
    compare_causal(learner, 3, 3)


def check_causal_of_the_last(learner: Any) -> None:
    """Two new tokens look at five, of which three were there before."""
    compare_causal(learner, 2, 5)


def check_one_query(learner: Any) -> None:
    """A single new token sees everything."""
    compare_causal(learner, 1, 4)


def check_padding(learner: Any) -> None:
    """Two rows of 3 and of 1 real tokens."""
    compare_padding(learner, torch.tensor([3, 1]), 4)


def check_full_and_empty_rows(learner: Any) -> None:
    """A row without padding, and one that is nothing but padding."""
    compare_padding(learner, torch.tensor([3, 0]), 3)

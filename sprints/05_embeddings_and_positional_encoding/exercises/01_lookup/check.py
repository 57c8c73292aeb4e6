"""Checks of a lookup as a product and of its gradient, beside those of PyTorch."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect

TOKENS = torch.tensor([2, 0, 2])
TABLE = torch.tensor([[1.0, 2, 0], [0, 1, 3], [4, 0, 1], [2, 2, 2]])
UPSTREAM = torch.tensor([[1.0, 0, 2], [0, 2, 0], [3, 1, 0]])


def compare_one_hot(learner: Any, tokens: Tensor, vocab: int) -> None:
    expected = functional.one_hot(tokens, vocab).float()
    mistakes = {
        "Rows and columns are exchanged: a row belongs to a token of the text, a column to a word.": expected.T,
        "Each 1 is one place too far left: words are counted from 0.": expected.roll(-1, dims=1),
        "Each 1 is one place too far right: words are counted from 0.": expected.roll(1, dims=1),
        "It is inverted: 1 at the token's place, 0 elsewhere.": 1 - expected,
        "All tokens share one row. Each token of the text must have a row of its own.": (
            expected.amax(dim=0, keepdim=True).expand_as(expected)
        ),
    }
    expect(learner.one_hot, {"tokens": tokens, "vocab": vocab}, expected, mistakes)


def compare_embed(learner: Any, tokens: Tensor, table: Tensor) -> None:
    mistakes = {
        "These are the rows 0, 1, 2, ... of the table, whatever the tokens are.": table[: len(tokens)],
        "Each row is the one before that of the token.": table[tokens - 1],
        "Each row is the sum of all rows that were read.": table[tokens].sum(dim=0).expand(len(tokens), -1),
    }
    expect(learner.embed, {"tokens": tokens, "table": table}, functional.embedding(tokens, table), mistakes)


def compare_gradient(learner: Any, tokens: Tensor, upstream: Tensor, vocab: int) -> None:
    table = torch.zeros(vocab, upstream.shape[1], requires_grad=True)
    (expected,) = torch.autograd.grad(functional.embedding(tokens, table), table, upstream)
    zeros = torch.zeros_like(expected)
    first = zeros.clone()
    first[tokens.flip(0)] = upstream.flip(0)
    times = torch.bincount(tokens, minlength=vocab).clamp(min=1)[:, None]
    mistakes = {
        "A row that was read twice has only the last gradient: `gradient[tokens] = ...` and `+=` write once each.": (
            zeros.index_put((tokens,), upstream)
        ),
        "A row that was read twice has only the first gradient. It must get the sum.": first,
        "A row that was read twice has the mean of its gradients. It must get the sum.": expected / times,
        "Each row gets the sum of all gradients. It must get those of its own places.": upstream.sum(dim=0).expand(
            vocab, -1
        ),
    }
    given = {"tokens": tokens, "upstream": upstream, "vocab": vocab}
    expect(learner.gradient_of_table, given, expected, mistakes)


def check_one_hot(learner: Any) -> None:
    """One-hot rows of the text penne butter penne."""
    compare_one_hot(learner, TOKENS, 4)


def check_one_hot_of_a_larger_vocabulary(learner: Any) -> None:
    """One-hot rows of another text, with words that do not occur."""
    compare_one_hot(learner, torch.tensor([5, 1, 1, 4]), 7)


def check_embed(learner: Any) -> None:
    """The vectors of penne butter penne."""
    compare_embed(learner, TOKENS, TABLE)


def check_embed_of_a_longer_text(learner: Any) -> None:
    """A text of more tokens than there are words."""
    compare_embed(learner, torch.tensor([1, 0, 1, 1, 0]), torch.tensor([[0.5, -1.0], [3.0, 0.25]]))


def check_gradient(learner: Any) -> None:
    """The gradient of the table when penne was read twice."""
    compare_gradient(learner, TOKENS, UPSTREAM, 4)


def check_gradient_of_one_word(learner: Any) -> None:
    """The same word at every place."""
    compare_gradient(learner, torch.tensor([1, 1, 1]), UPSTREAM, 3)

"""Checks of `attend`: beside PyTorch's own attention, and the usual mistakes by name."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect


def mistakes(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    head_dim = query.shape[-1]
    products = query @ key.mT
    scores = products / math.sqrt(head_dim)
    everything = torch.ones(scores.shape[-2:], dtype=torch.bool)
    seen = everything if mask is None else mask

    def mean(scores: Tensor, seen: Tensor = seen, dim: int = -1) -> Tensor:
        return scores.masked_fill(~seen, -math.inf).softmax(dim) @ value

    weights = scores.softmax(-1)
    return {
        "The scores are not divided by the root of head_dim.": mean(products),
        "The scores are divided by head_dim; it must be its square root.": mean(products / head_dim),
        "The scores are multiplied by the root of head_dim; they must be divided by it.": mean(
            products * head_dim**0.5
        ),
        "Softmax runs over the queries. The weights of one query must add up to 1 over the keys.": mean(scores, dim=-2),
        "There is no softmax: scores may be negative, and they do not add up to 1.": scores.masked_fill(~seen, 0)
        @ value,
        "The mask is ignored.": mean(scores, everything),
        "The mask is inverted: True means that a query may look.": mean(scores, ~seen),
        "The mask comes after the softmax: the weights that are left do not add up to 1.": weights * seen @ value,
        "The mask comes after the softmax, and inverted.": weights * ~seen @ value,
        "Hidden scores become 0, but e^0 = 1 is a weight as well: hide them with minus infinity.": mean(
            scores.masked_fill(~seen, 0), everything
        ),
        "The mask is added to the scores: True counts as 1 and hides nothing.": mean(scores + seen, everything),
    }


def compare(learner: Any, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> None:
    given = {"query": query, "key": key, "value": value} | ({} if mask is None else {"mask": mask})
    expected = functional.scaled_dot_product_attention(query, key, value, mask)
    expect(learner.attend, given, expected, mistakes(query, key, value, mask))


def draw(*shape: int) -> Tensor:
    """Return small numbers of one decimal, the same at each call for the same shape."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(math.prod(shape))).mul(10).round().div(10)


def check_three_words(learner: Any) -> None:
    """One query looks at the words the, cat and sat."""
    key = torch.tensor([[0.0, 0, 0, 0], [2, 0, 0, 0], [1, 0, 0, 0]])
    compare(learner, torch.tensor([[2.0, 0, 0, 0]]), key, torch.tensor([[20.0], [10], [30]]))


def check_several_queries(learner: Any) -> None:
    """Three queries, two keys."""
    compare(learner, draw(3, 4), draw(2, 4), draw(2, 2))


def check_mask(learner: Any) -> None:
    """A mask hides the future."""
    compare(learner, draw(3, 2), draw(3, 2) + 1, draw(3, 1), torch.ones(3, 3, dtype=torch.bool).tril())


def check_batch_and_heads(learner: Any) -> None:
    """Axes for a batch and for heads stand in front, and one mask serves all of them."""
    mask = torch.tensor([[True, True, False], [True, False, True]])
    compare(learner, draw(1, 2, 2, 2), draw(1, 2, 3, 2), draw(1, 2, 3, 1), mask)


def check_large_scores(learner: Any) -> None:
    """Scores of several hundred do not overflow."""
    key = torch.tensor([[1.0, 0], [1, 1], [0, 1]])
    compare(learner, torch.tensor([[300.0, 0]]), key, torch.tensor([[1.0], [2], [6]]))

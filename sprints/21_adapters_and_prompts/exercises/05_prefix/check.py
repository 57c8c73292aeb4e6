"""Checks of a prefix in one attention layer: beside attention over prefix and words, and the usual mistakes by name."""

import math
from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def mixed(query: Tensor, keys: Tensor, values: Tensor, seen: Tensor, scale: float) -> Tensor:
    scores = query @ keys.mT / scale
    return scores.masked_fill(~seen, -math.inf).softmax(dim=-1) @ values


def mistakes(query: Tensor, key: Tensor, value: Tensor, prefix_key: Tensor, prefix_value: Tensor) -> dict[str, Tensor]:
    """Return what is expected, under "", and what the usual mistakes return."""
    batch, _, tokens, head_dim = query.shape
    length, scale = prefix_key.shape[1], math.sqrt(head_dim)
    before_key, before_value = (part.expand(batch, -1, -1, -1) for part in (prefix_key, prefix_value))
    keys, values = torch.cat([before_key, key], dim=2), torch.cat([before_value, value], dim=2)
    triangle = torch.ones(tokens, length + tokens, dtype=torch.bool)
    words, whole = triangle[:, length:].tril(), triangle[:, :length]
    alone = mixed(query, key, value, words, scale)
    behind = (torch.cat([key, before_key], dim=2), torch.cat([value, before_value], dim=2))
    return {
        "": mixed(query, keys, values, triangle.tril(length), scale),
        "The mask's diagonal begins at the first place of the prefix: the first word must see all of it, and itself.": (
            mixed(query, keys, values, triangle.tril(), scale)
        ),
        "A word cannot see itself: move the diagonal one place.": mixed(
            query, keys, values, triangle.tril(length - 1), scale
        ),
        "The future is seen: only the prefix is open to every word.": mixed(query, keys, values, triangle, scale),
        "The prefix is not there.": alone,
        "Prefix and words have a softmax each; they must share one.": alone
        + mixed(query, before_key, before_value, whole, scale),
        "The scores are not divided by the root of head_dim.": mixed(query, keys, values, triangle.tril(length), 1.0),
        "The prefix stands behind the words, where a causal mask hides it.": mixed(
            query, *behind, triangle.tril(), scale
        ),
    }


def compare(learner: Any, *given: Tensor) -> None:
    expected, *_ = (known := mistakes(*given)).values()
    named = {name: value for name, value in known.items() if name}
    names = ("query", "key", "value", "prefix_key", "prefix_value")
    expect(learner.attend_behind_prefix, dict(zip(names, given, strict=True)), expected, named)


def draw(*shape: int) -> Tensor:
    """Return small numbers of one decimal, the same at each call for the same shape."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(math.prod(shape))).mul(10).round().div(10)


def check_three_words(learner: Any) -> None:
    """The words the, cat and sat, and a prefix of one place with the value 40; sat holds 31.38."""
    key = torch.tensor([[0.0, 0, 0, 0], [2, 0, 0, 0], [1, 0, 0, 0]])[None, None]
    query = torch.tensor([[0.0, 0, 0, 0], [1, 0, 0, 0], [2, 0, 0, 0]])[None, None]
    value = torch.tensor([[20.0], [10], [30]])[None, None]
    compare(learner, query, key, value, torch.tensor([[[3.0, 0, 0, 0]]]), torch.tensor([[[40.0]]]))


def check_longer_prefix(learner: Any) -> None:
    """A prefix of three places before two words."""
    compare(learner, draw(1, 1, 2, 2), draw(1, 1, 2, 2) + 1, draw(1, 1, 2, 1), draw(1, 3, 2), draw(1, 3, 1) * 3)


def check_batch_and_heads(learner: Any) -> None:
    """Two texts, two heads; each head has a prefix of its own."""
    compare(learner, draw(2, 2, 3, 2), draw(2, 2, 3, 2) - 1, draw(2, 2, 3, 1), draw(2, 2, 2), draw(2, 2, 1) * 4)

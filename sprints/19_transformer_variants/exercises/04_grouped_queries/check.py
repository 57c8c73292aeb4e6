"""Checks of `grouped_attention`: beside PyTorch's kernel, and the usual mistakes by name."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect

NAMES = ("query", "key", "value", "query_gain", "key_gain", "epsilon")


def draw(*shape: int) -> Tensor:
    """Return numbers of one decimal, the same at each call for the same shape."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(math.prod(shape))).mul(10).round().div(10)


def attention(query: Tensor, key: Tensor, value: Tensor, *, causal: bool = True, scale: float | None = None) -> Tensor:
    """Return PyTorch's grouped-query attention for one text."""
    return functional.scaled_dot_product_attention(
        query[None], key[None], value[None], is_causal=causal, scale=scale, enable_gqa=True
    )[0]


def mistakes(query: Tensor, key: Tensor, value: Tensor, query_gain: Tensor, key_gain: Tensor, epsilon: float) -> dict:
    """Return what the usual mistakes return."""
    heads, _, head_dim = query.shape
    shape = (head_dim,)
    q, k = functional.rms_norm(query, shape, query_gain, epsilon), functional.rms_norm(key, shape, key_gain, epsilon)
    plain = functional.rms_norm(query, shape, None, epsilon), functional.rms_norm(key, shape, None, epsilon)
    layer = (
        functional.layer_norm(query, shape, query_gain, None, epsilon),
        functional.layer_norm(key, shape, key_gain, None, epsilon),
    )
    unit = (functional.normalize(query, dim=-1) * query_gain, functional.normalize(key, dim=-1) * key_gain)
    together = [
        functional.rms_norm(part.transpose(0, 1).flatten(1), (part.shape[0] * head_dim,), None, epsilon)
        .unflatten(1, (-1, head_dim))
        .transpose(0, 1)
        * gain
        for part, gain in ((query, query_gain), (key, key_gain))
    ]
    times = heads // len(key)
    return {
        "The query heads take the key-value heads in turn. The first heads / groups of them share the first one: use "
        "repeat_interleave, not repeat.": attention(q, k.repeat(times, 1, 1), value.repeat(times, 1, 1)),
        "The values are normalised too: only queries and keys make scores.": attention(
            q, k, functional.rms_norm(value, shape, None, epsilon)
        ),
        "The gains are missing.": attention(*plain, value),
        "The mean is subtracted: this is layer norm, and RMSNorm leaves the mean where it is.": attention(
            *layer, value
        ),
        "Queries and keys are divided by their length. Root mean square 1 means length √head_dim.": attention(
            *unit, value
        ),
        "All heads of a token are normalised together: each head has a root mean square of its own.": attention(
            together[0], together[1], value
        ),
        "The scores are not divided by the root of head_dim: the norm does not replace the scale.": attention(
            q, k, value, scale=1.0
        ),
        "The future is not hidden.": attention(q, k, value, causal=False),
        "Nothing is normalised.": attention(query, key, value),
        "Keys are not normalised.": attention(q, key, value),
    }


def compare(learner: Any, heads: int, groups: int, tokens: int, head_dim: int, epsilon: float = 1e-6) -> None:
    query, key, value = draw(heads, tokens, head_dim), draw(groups, tokens, head_dim), draw(groups, head_dim, tokens).mT
    gains = 1 + draw(head_dim) / 2, 1 - draw(1, head_dim)[0] / 3
    value = value.contiguous()
    given = dict(zip(NAMES, (query, key, value, *gains, epsilon), strict=True))
    shape = (head_dim,)
    normalised = [
        functional.rms_norm(part, shape, gain, epsilon) for part, gain in zip((query, key), gains, strict=True)
    ]
    expect(
        learner.grouped_attention,
        given,
        attention(normalised[0], normalised[1], value),
        mistakes(query, key, value, *gains, epsilon),
    )


def check_one_head_for_each(learner: Any) -> None:
    """Two query heads, each with a key-value head of its own."""
    compare(learner, 2, 2, 3, 4)


def check_two_groups(learner: Any) -> None:
    """Four query heads share two key-value heads."""
    compare(learner, 4, 2, 4, 2)


def check_one_for_all(learner: Any) -> None:
    """Six query heads share one key-value head."""
    compare(learner, 6, 1, 5, 4)


def check_large_epsilon(learner: Any) -> None:
    """An epsilon that matters stands under the root."""
    compare(learner, 4, 2, 3, 4, epsilon=0.5)

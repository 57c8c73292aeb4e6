"""Checks of `latent_attend`: beside attention with keys and values, and the usual mistakes by name."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from shared.lab.checking import expect

NAMES = ("plain", "turned", "latents", "shared", "up_key", "up_value")
Parts = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]


def materialised(parts: Parts, divide: float | None = None, with_shared: bool = True) -> Tensor:
    """Return what the heads gather by way of their keys and values."""
    plain, turned, latents, shared, up_key, up_value = parts
    keys, values = latents @ up_key.mT, latents @ up_value.mT  # (heads, keys, head_dim), (heads, keys, value_dim)
    scores = plain @ keys.mT + with_shared * (turned @ shared.mT)
    divide = math.sqrt(plain.shape[-1] + turned.shape[-1]) if divide is None else divide
    return (scores / divide).softmax(dim=-1) @ values


def mistakes(parts: Parts) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    plain, turned, latents, shared, up_key, up_value = parts
    seen = math.sqrt(latents.shape[-1] + turned.shape[-1])
    found = {
        "The scale is that of the vectors that are looked at; it stays that of a key, head_dim + rotary_dim.": (
            materialised(parts, seen)
        ),
        "The scale forgets the turned part: divide by the root of head_dim + rotary_dim.": (
            materialised(parts, math.sqrt(plain.shape[-1]))
        ),
        "The scores are not divided by anything.": materialised(parts, 1.0),
        "The shared key is left out of the scores: nothing knows a position.": materialised(parts, with_shared=False),
        "All heads have the key matrix of the first one.": (
            materialised((plain, turned, latents, shared, up_key[:1].expand_as(up_key), up_value))
        ),
    }
    if up_key.shape[1] == up_key.shape[2]:
        turned_around = (plain, turned, latents, shared, up_key.mT, up_value)
        found["The key matrix is transposed: the query is multiplied by it, not by its transpose."] = materialised(
            turned_around
        )
    return found


def draw(*sizes: int) -> Parts:
    """Return parts of these sizes: heads, queries, keys, head_dim, rotary_dim, latent, value_dim."""
    heads, queries, keys, head_dim, rotary_dim, latent, value_dim = sizes
    generator = torch.Generator().manual_seed(sum(sizes))
    shapes = (
        (heads, queries, head_dim), (heads, queries, rotary_dim), (keys, latent), (keys, rotary_dim),
        (heads, head_dim, latent), (heads, value_dim, latent),
    )  # fmt: skip
    plain, turned, latents, shared, up_key, up_value = (
        torch.randn(shape, generator=generator).mul(10).round().div(10) for shape in shapes
    )
    return plain, turned, latents, shared, up_key, up_value


def compare(learner: Any, parts: Parts) -> None:
    given = dict(zip(NAMES, parts, strict=True))
    expect(learner.latent_attend, given, materialised(parts), mistakes(parts))


def check_the_two_words_of_the_note(learner: Any) -> None:
    """Two heads: *cat* looks at *the* and at itself."""
    up_key = torch.tensor([[[1.0, 0], [0, 1]], [[0, 1], [1, 0]]])
    up_value = torch.tensor([[[2.0, 0], [0, 1]], [[1, 1], [0, 3]]])
    plain, turned = torch.tensor([[[2.0, 1]], [[0, 2]]]), torch.tensor([[[1.0, 1]], [[1, 0]]])
    latents, shared = torch.tensor([[1.0, 0], [1, 2]]), torch.tensor([[2.0, 0], [0, 2]])
    compare(learner, (plain, turned, latents, shared, up_key, up_value))


def check_all_sizes_differ(learner: Any) -> None:
    """Three heads, four queries, five keys, and no size twice."""
    compare(learner, draw(3, 4, 5, 6, 2, 7, 8))


def check_matrices_as_wide_as_high(learner: Any) -> None:
    """As many features of a key as of a latent: a transposed matrix raises no error."""
    compare(learner, draw(2, 3, 3, 4, 2, 4, 4))


def check_no_keys_and_values_are_made(learner: Any) -> None:
    """One query, 100 tokens: counts the operations, which are few without keys and values."""
    parts = draw(2, 1, 100, 16, 2, 16, 16)

    def is_cheap(*parts: Tensor) -> bool:
        counter = FlopCounterMode(display=False)
        with counter:
            learner.latent_attend(*parts)
        return counter.get_total_flops() < 30_000  # 14,848 absorbed, 213,600 with keys and values

    sentence = "It makes the keys or the values of every token: absorb both matrices, so that it takes a tenth of that."
    expect(is_cheap, dict(zip(NAMES, parts, strict=True)), True, {sentence: False})

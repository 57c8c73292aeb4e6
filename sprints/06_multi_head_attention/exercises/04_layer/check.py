"""Checks of `self_attention`: beside the library's layer, and the usual mistakes by name."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect


def attention(x: Tensor, *matrices: Tensor, heads: int, scale: float | None = None, causal: bool = True) -> Tensor:
    """Return multi-head attention by PyTorch's kernel, without the output matrix."""
    query, key, value = (
        (x @ matrix).unflatten(-1, (heads, -1)).transpose(0, 1)[None] for matrix in matrices
    )  # (1, heads, tokens, head_dim)
    mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=causal, scale=scale)
    return mixed[0].transpose(0, 1).flatten(1)


def mistakes(x: Tensor, q: Tensor, k: Tensor, v: Tensor, o: Tensor, heads: int) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    tokens, d_model = x.shape
    right = attention(x, q, k, v, heads=heads)
    query, key, value = ((x @ matrix).reshape(1, heads, tokens, -1) for matrix in (q, k, v))
    mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=True)[0]
    return {
        "The output matrix is missing.": right,
        "The output matrix is transposed: use x @ matrix.": right @ o.T,
        "There is one head only: the features are not cut.": attention(x, q, k, v, heads=1) @ o,
        "The scale is the root of d_model. Each head has a width of its own, head_dim.": (
            attention(x, q, k, v, heads=heads, scale=1 / math.sqrt(d_model)) @ o
        ),
        "The scores are not divided by the root of head_dim.": attention(x, q, k, v, heads=heads, scale=1.0) @ o,
        "The future is not hidden.": attention(x, q, k, v, heads=heads, causal=False) @ o,
        "Queries and keys are exchanged.": attention(x, k, q, v, heads=heads) @ o,
        "The tokens are used as values: the value matrix is missing.": (
            attention(x, q, k, torch.eye(d_model), heads=heads) @ o
        ),
        "The matrices are transposed: use x @ matrix.": attention(x, q.T, k.T, v.T, heads=heads) @ o.T,
        "A reshape has dealt the tokens out to the heads. Each head must have features of every token.": (
            mixed.reshape(tokens, d_model) @ o
        ),
        "A reshape has dealt the tokens out to the heads, and merging has mixed them.": (
            mixed.transpose(0, 1).flatten(1) @ o
        ),
        "The heads are added up. They must stand side by side before the output matrix.": (
            right.unflatten(-1, (heads, -1)).sum(dim=1).repeat(1, heads) @ o
        ),
    }


def compare(learner: Any, tokens: int, d_model: int, heads: int) -> None:
    generator = torch.Generator().manual_seed(tokens)
    x = torch.randn(tokens, d_model, generator=generator).mul(10).round().div(10)
    names = ("to_query", "to_key", "to_value", "to_output")
    matrices = [torch.randn(d_model, d_model, generator=generator).mul(10).round().div(10) for _ in names]
    expected = attention(x, *matrices[:3], heads=heads) @ matrices[3]
    given = {"x": x} | dict(zip(names, matrices, strict=True)) | {"heads": heads}
    expect(learner.self_attention, given, expected, mistakes(x, *matrices, heads))


def check_one_head(learner: Any) -> None:
    """Three tokens, one head of two features."""
    compare(learner, 3, 2, 1)


def check_two_heads(learner: Any) -> None:
    """Three tokens, two heads of two features."""
    compare(learner, 3, 4, 2)


def check_four_heads(learner: Any) -> None:
    """Five tokens, four heads of two features."""
    compare(learner, 5, 8, 4)


def check_one_token(learner: Any) -> None:
    """A text of one token sees itself alone."""
    compare(learner, 1, 4, 2)

"""Checks of `split_heads` and `merge_heads`: what each number's place is."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def cut(x: Tensor, heads: int) -> Tensor:
    """Return the features cut into heads, one head at a time."""
    head_dim = x.shape[-1] // heads
    return torch.stack([x[:, :, head * head_dim : (head + 1) * head_dim] for head in range(heads)], dim=1)


def count(*shape: int) -> Tensor:
    """Return 0, 1, 2, ... in a shape: one sees where each number went."""
    numbers = torch.Size(shape).numel()
    return torch.arange(numbers).float().reshape(shape)


def compare_split(learner: Any, x: Tensor, heads: int) -> None:
    batch, tokens, d_model = x.shape
    uncut = x.unflatten(-1, (heads, -1))  # (batch, tokens, heads, head_dim)
    mistakes = {
        "The shape is right, but the tokens are dealt out to the heads. Each head must have features of every token.": (
            x.reshape(batch, heads, tokens, d_model // heads)
        ),
        "The features of a head are scattered over the token. The first head must have the first ones, and so on.": (
            x.unflatten(-1, (-1, heads)).permute(0, 3, 1, 2)
        ),
        "The axes are (batch, tokens, heads, head_dim). The heads must come before the tokens.": uncut,
        "The axes are (batch, heads, head_dim, tokens). The last two must be exchanged.": uncut.permute(0, 2, 3, 1),
    }
    expect(learner.split_heads, {"x": x, "heads": heads}, cut(x, heads), mistakes)


def compare_merge(learner: Any, x: Tensor) -> None:
    expected = torch.cat(list(x.unbind(dim=1)), dim=-1)
    mistakes = {
        "A row of the result holds several tokens of one head. Bring the heads behind the tokens before you flatten.": (
            x.reshape(expected.shape)
        ),
        "The features of the heads are mixed. Those of one head must stay side by side.": (
            x.permute(0, 2, 3, 1).flatten(2)
        ),
    }
    expect(learner.merge_heads, {"x": x}, expected, mistakes)


def check_split(learner: Any) -> None:
    """Three tokens of four features are cut into two heads."""
    compare_split(learner, count(1, 3, 4), heads=2)


def check_split_of_a_batch(learner: Any) -> None:
    """Texts of a batch stay apart, with three heads."""
    compare_split(learner, count(2, 2, 6), heads=3)


def check_merge(learner: Any) -> None:
    """Two heads of three tokens become rows of four features."""
    compare_merge(learner, count(1, 2, 3, 2))


def check_merge_of_what_attention_returns(learner: Any) -> None:
    """Merging works whatever the order of the numbers in memory."""
    compare_merge(learner, count(2, 3, 4, 2).transpose(1, 2))


def check_round_trip(learner: Any) -> None:
    """Merging undoes splitting."""
    x = count(2, 3, 4)
    expect(lambda x, heads: learner.merge_heads(learner.split_heads(x, heads)), {"x": x, "heads": 2}, x)

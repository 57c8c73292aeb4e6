"""Checks of `delta_rule`: beside `shared/nn/delta_rule.py`, and the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect
from shared.nn.delta_rule import delta_by_tokens


def variant(
    query: Tensor, key: Tensor, value: Tensor, beta: Tensor, *, adds: bool = False, asks: bool = False,
    late: bool = False, half: bool = False, fades: bool = False, sign: float = 1.0,
) -> Tensor:  # fmt: skip
    """Return what the delta rule makes with a mistake in it."""
    state, outputs = torch.zeros(key.shape[1], value.shape[1]), []
    for q, k, v, b in zip(query, key, value, beta, strict=True):
        if late:
            outputs.append(q @ state)
        held = torch.zeros_like(v) if adds or fades else (q if asks else k) @ state
        written = b * v - held if half else b * (v - sign * held)
        state = (1 - b if fades else 1) * state + torch.outer(k, written)
        if not late:
            outputs.append(q @ state)
    return torch.stack(outputs)


def mistakes(*given: Tensor) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    return {
        "It adds the value; what the state already holds under the key must be taken off first.": variant(
            *given, adds=True
        ),
        "It looks up with the query; what is corrected stands under the key.": variant(*given, asks=True),
        "It answers before it has written: the token's own value is missing.": variant(*given, late=True),
        "Beta multiplies the value alone; it is for the whole difference.": variant(*given, half=True),
        "It fades the whole state by 1 - beta; only what stands under the key is to be replaced.": variant(
            *given, fades=True
        ),
        "What is held is added instead of taken off.": variant(*given, sign=-1.0),
        "Beta is ignored.": variant(*given[:3], torch.ones_like(given[3])),
    }


def compare(learner: Any, query: Tensor, key: Tensor, value: Tensor, beta: Tensor) -> None:
    rows = [tensor[None, None] for tensor in (query, key, value, torch.zeros_like(beta), beta)]
    expected = delta_by_tokens(*rows)[0][0, 0]
    given = {"query": query, "key": key, "value": value, "beta": beta}
    expect(learner.delta_rule, given, expected, mistakes(query, key, value, beta))


def check_three_tokens(learner: Any) -> None:
    """cat 5, dog 7, cat 2, as in note 10; each time both are asked for."""
    key = torch.tensor([[1.0, 0], [0, 1], [1, 0]])
    compare(learner, torch.ones(3, 2), key, torch.tensor([[5.0], [7], [2]]), torch.ones(3))


def check_similar_keys(learner: Any) -> None:
    """Keys that overlap, and another query than the key."""
    key = torch.tensor([[1.0, 0], [0.6, 0.8], [0.8, -0.6]])
    value = torch.tensor([[5.0, 1], [7, 0], [2, -3]])
    compare(learner, torch.tensor([[1.0, 2], [0, 1], [1, 0]]), key, value, torch.ones(3))


def check_half_a_difference(learner: Any) -> None:
    """A part of each difference is written."""
    key = torch.tensor([[1.0, 0], [1, 0], [0, 1], [0.6, 0.8]])
    value = torch.tensor([[8.0], [8], [4], [2]])
    compare(learner, torch.tensor([[1.0, 0], [1, 1], [2, 1], [0, 1]]), key, value, torch.tensor([0.5, 0.5, 0.25, 0.75]))


def check_more_features(learner: Any) -> None:
    """Keys of three entries, values of two."""
    generator = torch.Generator().manual_seed(0)
    query, key = torch.randn(2, 5, 3, generator=generator)
    value, beta = torch.randn(5, 2, generator=generator), torch.rand(5, generator=generator)
    compare(learner, query, functional.normalize(key, dim=-1), value, beta)

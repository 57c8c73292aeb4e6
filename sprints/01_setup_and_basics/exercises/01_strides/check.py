"""Checks of `fresh_strides` and `element`: beside PyTorch's own strides."""

import math
from typing import Any

import torch

from shared.lab.checking import expect


def compare_strides(learner: Any, shape: tuple[int, ...]) -> None:
    expected = torch.empty(shape).stride()
    column_first = torch.empty(tuple(reversed(shape))).stride()[::-1]
    mistakes = {
        "The first axis has the stride 1 here. In a fresh tensor neighbours along the last axis lie side by side.": (
            column_first
        ),
        "They are in the wrong order: the first number belongs to the first axis.": expected[::-1],
        "Each stride is the size of its own axis. It must be the product of the sizes to the right of it.": shape,
        "An axis of its own is counted in: multiply the sizes to the *right* of an axis only.": tuple(
            math.prod(shape[axis:]) for axis in range(len(shape))
        ),
        "The stride must be the product of all sizes to the right, not their sum.": tuple(
            sum(shape[axis + 1 :]) or 1 for axis in range(len(shape))
        ),
        "It is a list: return a tuple.": list(expected),
    }
    expect(learner.fresh_strides, {"shape": shape}, tuple(expected), mistakes)


def compare_element(learner: Any, view: torch.Tensor, index: tuple[int, ...]) -> None:
    memory, strides = list(range(10, 22)), tuple(view.stride())
    offset = int(view.storage_offset())
    place = offset + sum(steps * stride for steps, stride in zip(index, strides, strict=True))
    turned = offset + sum(steps * stride for steps, stride in zip(index, reversed(strides), strict=True))

    def at(place: int) -> int | None:
        return memory[place] if 0 <= place < len(memory) else None

    mistakes = {
        "The offset is forgotten: the view does not begin at the beginning of the memory.": at(place - offset),
        "Strides and indices are paired in the wrong order.": at(turned),
        "Indices are added without their strides.": at(offset + sum(index)),
        "It is the place, not the number that lies there.": place,
    }
    given = {"memory": memory, "offset": offset, "strides": strides, "index": index}
    expect(learner.element, given, view[index].item(), mistakes)


def matrix() -> torch.Tensor:
    """Return 10 to 21 as three rows of four."""
    return torch.arange(10, 22).view(3, 4)


def check_matrix(learner: Any) -> None:
    """The strides of a fresh matrix of shape (3, 4)."""
    compare_strides(learner, (3, 4))


def check_three_axes(learner: Any) -> None:
    """The strides of shape (2, 3, 5)."""
    compare_strides(learner, (2, 3, 5))


def check_one_axis(learner: Any) -> None:
    """The stride of a row of seven numbers."""
    compare_strides(learner, (7,))


def check_element(learner: Any) -> None:
    """x[1, 2], where x holds 10 to 21 in three rows."""
    compare_element(learner, matrix(), (1, 2))


def check_transposed(learner: Any) -> None:
    """An element of x.mT."""
    compare_element(learner, matrix().mT, (3, 1))


def check_offset(learner: Any) -> None:
    """An element of x[1:, ::2], which begins at place 4."""
    compare_element(learner, matrix()[1:, ::2], (1, 1))

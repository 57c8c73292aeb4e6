"""Checks of `broadcast_shape` and `differences`: beside PyTorch's rule."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect

Shape = tuple[int, ...]


def padded(left: Shape, right: Shape, *, on_the_right: bool = False) -> list[tuple[int, int]]:
    """Return the pairs of sizes when the shorter shape is filled up with ones on one side."""
    axes = max(len(left), len(right))
    fill = [(1,) * (axes - len(shape)) for shape in (left, right)]
    left, right = (s + f if on_the_right else f + s for s, f in zip((left, right), fill, strict=True))
    return list(zip(left, right, strict=True))


def compare_shapes(learner: Any, left: Shape, right: Shape) -> None:
    try:
        expected = tuple(torch.broadcast_shapes(left, right))
    except RuntimeError:
        expected = None
    from_the_left = padded(left, right, on_the_right=True)
    fits = all(a == b or 1 in (a, b) for a, b in from_the_left)
    mistakes = {
        "Shapes are aligned on the left here; they must be aligned on the right.": (
            tuple(max(pair) for pair in from_the_left) if fits else None
        ),
        "Sizes that differ, and neither of which is 1, do not fit: return None.": tuple(
            max(pair) for pair in padded(left, right)
        ),
        "The size is the smaller one: an axis of 1 is stretched to the other size.": tuple(
            min(pair) for pair in padded(left, right)
        ),
        "A shape with fewer axes fits as well: its missing axes count as 1.": None,
        "The axes of the longer shape that the other one lacks are dropped.": tuple(
            max(pair) for pair in padded(left, right)[abs(len(left) - len(right)) :]
        ),
        "It is a list: return a tuple.": None if expected is None else list(expected),
    }

    def judged(left: Shape, right: Shape) -> Any:
        found = learner.broadcast_shape(left, right)
        return "None" if found is None else found

    named = {sentence: "None" if shape is None else shape for sentence, shape in mistakes.items()}
    expect(judged, {"left": left, "right": right}, "None" if expected is None else expected, named)


def compare_differences(learner: Any, rows: Tensor, columns: Tensor) -> None:
    expected = torch.tensor([[row - column for column in columns.tolist()] for row in rows.tolist()])
    mistakes = {
        "The sign is wrong: it must be the row minus the column.": -expected,
        "Rows and columns are exchanged.": -expected.mT if len(rows) == len(columns) else (columns[:, None] - rows),
        "Rows and columns are exchanged, and the sign is turned.": expected.mT,
        "It subtracts element by element. Give `rows` a second axis first: rows[:, None] has the shape (n, 1).": (
            rows - columns if len(rows) == len(columns) else expected
        ),
        "These are sums, not differences.": rows[:, None] + columns,
    }
    expect(learner.differences, {"rows": rows, "columns": columns}, expected, mistakes)


def check_equal_shapes(learner: Any) -> None:
    """Equal shapes stay as they are."""
    compare_shapes(learner, (2, 3), (2, 3))


def check_column_and_row(learner: Any) -> None:
    """A column (3, 1) and a row (1, 4)."""
    compare_shapes(learner, (3, 1), (1, 4))


def check_missing_axes(learner: Any) -> None:
    """The example of the note: (8, 1, 3) and (5, 1)."""
    compare_shapes(learner, (8, 1, 3), (5, 1))


def check_shorter_on_the_left(learner: Any) -> None:
    """A row (3,) and a matrix (2, 3)."""
    compare_shapes(learner, (3,), (2, 3))


def check_misfit(learner: Any) -> None:
    """A matrix (4, 3) and a row (4,) do not fit."""
    compare_shapes(learner, (4, 3), (4,))


def check_table(learner: Any) -> None:
    """A table of differences, three rows and two columns."""
    compare_differences(learner, torch.tensor([1.0, 5.0, 9.0]), torch.tensor([0.0, 2.0]))


def check_square_table(learner: Any) -> None:
    """As many rows as columns, where a mistake in the shape would stay unseen."""
    compare_differences(learner, torch.tensor([1.0, 5.0, 9.0]), torch.tensor([0.0, 2.0, 3.0]))

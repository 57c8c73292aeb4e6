"""Drawings: what stands where, and in which colour."""

import pytest
from matplotlib.patches import Rectangle

from shared.lab import drawings


def test_a_tint_lies_between_white_and_the_colour():
    assert drawings.tint("#0072B2", 0.0) == (1, 1, 1)
    assert drawings.tint("#000000", 0.25) == (0.75, 0.75, 0.75)


def test_cells_stand_in_rows_below_each_other_with_their_numbers():
    figure, axes = drawings.canvas(4, 2)
    size = drawings.cells(axes, [[1, 2.5], [None, "x"]], 1.0, 1.5, size=0.5, row_names=["a", "b"], title="t")
    assert size == (1.0, 1.0)
    corners = [patch.get_xy() for patch in axes.patches if isinstance(patch, Rectangle)]
    assert corners == [(1.0, 1.0), (1.5, 1.0), (1.0, 0.5), (1.5, 0.5)]
    assert axes.patches[2].get_facecolor()[:3] == (1, 1, 1), "what is not there is white"
    words = {text.get_text(): text.get_position() for text in axes.texts}
    assert words["1"] == (1.25, 1.25)
    assert words["2.5"] == (1.75, 1.25)
    assert words["x"] == (1.75, 0.75)
    assert words["b"][1] == pytest.approx(0.75)
    assert set(words) == {"1", "2.5", "x", "a", "b", "t"}
    assert list(figure.get_size_inches()) == [4, 2]


def test_boxes_and_arrows_carry_words():
    _, axes = drawings.canvas(4, 2)
    drawings.box(axes, "norm", 0, 0, 1, 0.5)
    drawings.arrow(axes, (1, 0), (2, 0), "x")
    assert {text.get_text(): text.get_position()[0] for text in axes.texts} == {"norm": 0.5, "": 1, "x": 1.5}

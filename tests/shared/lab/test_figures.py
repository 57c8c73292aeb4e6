"""Figures: the same bytes for the same drawing, whole or not at all, and no display."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.image import imread

from shared.lab.figures import COLOURS, new_figure, save_figure


def draw(path: Path) -> Path:
    figure, axes = new_figure(width=3, height=2)
    axes.plot([0, 1, 2], [1, 0.5, 0.4], label="loss")
    axes.set(xlabel="step", ylabel="nats per token")
    axes.legend()
    return save_figure(figure, path)


def test_the_same_drawing_has_the_same_bytes_and_no_version_in_them(tmp_path: Path):
    first, second = (draw(tmp_path / folder / "loss.png").read_bytes() for folder in "ab")
    assert first == second
    assert mpl.__version__.encode() not in first
    assert len(first) < 300_000


def test_matplotlib_reads_a_picture_of_the_size_that_was_asked_for(tmp_path: Path):
    height, width, _ = imread(draw(tmp_path / "loss.png")).shape
    assert width / height == pytest.approx(3 / 2, abs=0.01)


def test_the_style_is_that_of_the_project():
    _, axes = new_figure()
    lines = [axes.plot([0, 1], label=str(number))[0] for number in range(2)]
    assert [line.get_color() for line in lines] == list(COLOURS[:2])
    assert not axes.spines["top"].get_visible()
    assert not axes.legend().get_frame_on()


def test_rows_and_columns():
    _, axes = new_figure(rows=2, columns=3)
    assert axes.shape == (2, 3)


def test_a_large_file_is_an_error_and_the_old_one_stays(tmp_path: Path):
    path = draw(tmp_path / "loss.png")
    old = path.read_bytes()
    figure, axes = new_figure(width=9, height=9)
    axes.imshow(np.random.default_rng(0).random((900, 900)))
    with pytest.raises(ValueError, match=r"at most 300,000 bytes, loss.png has [\d,]+: draw less"):
        save_figure(figure, path)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]

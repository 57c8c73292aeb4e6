"""The digits: scikit-learn's to the bit, in whole sixteenths, and cut where the hands change."""

from pathlib import Path

import numpy as np
import sklearn.datasets
import torch

from shared.lab.digits import halves, load_digits, load_flat_digits
from shared.lab.paths import ROOT
from shared.lab.reached import reached


def test_they_are_scikit_learns_in_every_form_that_scripts_use():
    file = sklearn.datasets.load_digits()
    images, labels = load_digits()
    pixels, same_labels = load_flat_digits()
    assert (images.shape, images.dtype, labels.dtype) == ((1797, 1, 8, 8), torch.float32, torch.int64)
    assert np.array_equal(labels, file.target)
    assert torch.equal(labels, same_labels)
    assert np.array_equal(images[:, 0] * 16, file.images), "the numbers of the file"
    assert np.array_equal(images[:, 0].double(), file.images / 16), "nothing was rounded"
    assert np.array_equal(pixels.double(), file.data / 16), "row by row"
    # As 8-bit images: a float64 product and a float32 product of these numbers are the same.
    assert np.array_equal(images[:, 0].double() * 255, file.images * (255 / 16))
    assert torch.equal((images * 255).round(), (images.double() * 255).round().float())


def test_values_are_sixteenths_and_every_digit_is_there():
    images, labels = load_digits()
    assert torch.equal((images * 16).round(), images * 16)
    assert (images.min(), images.max()) == (0, 1)
    counts = labels.bincount()
    assert len(counts) == 10
    assert counts.min() > 170


def test_halves_are_cut_and_lose_nothing():
    digits = load_digits()
    (images, labels), (test_images, test_labels) = halves(digits)
    assert (len(labels), len(test_labels)) == (898, 899)
    assert torch.equal(torch.cat([images, test_images]), digits[0]), "in the order of the file"
    assert torch.equal(torch.cat([labels, test_labels]), digits[1])
    (first, _), (second, _) = halves((torch.arange(5), torch.arange(5)))
    assert (first.tolist(), second.tolist()) == ([0, 1], [2, 3, 4])


def test_results_that_use_them_are_stale_when_they_are_loaded_in_another_way(tmp_path: Path):
    (tmp_path / "script.py").write_text(
        "from shared.lab.digits import load_digits\n\n\ndef main():\n    return load_digits()\n"
    )
    assert any("name='load_digits', args" in text for text in reached(tmp_path / "script.py", ROOT))

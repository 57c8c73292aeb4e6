"""The digits that come with scikit-learn: 1,797 images of 8 x 8 pixels, small enough to learn in seconds, and offline.

    (images, labels), (test_images, test_labels) = halves(load_digits())

Neighbours in the file are by the same hand, and the hands of the second half are not those of the first. So the halves
are cut and not shuffled, and the second one tests (`sprints/03_models_and_training_loops/honest_split.py` measures
what shuffling would flatter).
"""

import torch
from jaxtyping import Float32, Int64
from torch import Tensor

# Images or their pixels, and the digit that each shows.
Digits = tuple[Tensor, Tensor]


def load_digits() -> tuple[Float32[Tensor, "images 1 8 8"], Int64[Tensor, " images"]]:
    """Return all images, with values from 0 to 1, and their labels, from 0 to 9, in the order of the file.

    The file has whole numbers from 0 to 16, so each value is a number of sixteenths and exact: 16 times the images are
    the numbers of the file, and in float64 the images are the same numbers.
    """
    # Imported late: scikit-learn takes a second, and only those who ask for its digits need it.
    from sklearn.datasets import load_digits as load_file

    file = load_file()
    return torch.from_numpy(file.images).float()[:, None] / 16, torch.from_numpy(file.target).long()


def load_flat_digits() -> tuple[Float32[Tensor, "images 64"], Int64[Tensor, " images"]]:
    """Return the same images as rows of 64 pixels, and their labels."""
    images, labels = load_digits()
    return images.flatten(1), labels


def halves(digits: Digits) -> tuple[Digits, Digits]:
    """Return the first half, 898 of all images, to train and validate on, and the second half, 899, to test on.

    Raises:
        ValueError: images and labels of different number.
    """
    images, labels = digits
    if len(images) != len(labels):
        raise ValueError(f"each image needs one label; got {len(images)} images and {len(labels)} labels")
    half = len(labels) // 2
    return (images[:half], labels[:half]), (images[half:], labels[half:])

"""MNIST: 70,000 images of 28 x 28 pixels, handwritten digits, as they are published.

(images, labels), (test_images, test_labels) = load_mnist()
"""

import math
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from shared.lab.datasets import fetch


def load_mnist() -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return training and test images with their labels, from a folder of one's own or after a download.

    Raises:
        ValueError: a file is not what it should be.
    """
    folder = fetch("mnist")
    return read_split(folder, "train"), read_split(folder, "t10k")


def read_split(folder: Path, split: str) -> tuple[UInt8[Tensor, "images 28 28"], Int64[Tensor, " images"]]:
    """Return the images and labels of the split "train" or "t10k".

    Raises:
        ValueError: a file is not what it should be.
    """
    images = _read(folder / f"{split}-images-idx3-ubyte", axes=3)
    labels = _read(folder / f"{split}-labels-idx1-ubyte", axes=1)
    if images.shape != (len(labels), 28, 28) or labels.max() > 9:
        raise ValueError(
            f"{folder}: each image of {split} has 28 x 28 pixels and a label from 0 to 9; got {tuple(images.shape)} "
            f"images and {len(labels)} labels up to {labels.max()}: remove these files, and they are downloaded again"
        )
    return images, labels.long()


def _read(path: Path, axes: int) -> Tensor:
    """Return the numbers of an IDX file: two zeros, the type (8 for uint8), the axes, the size of each, the numbers."""
    data = bytearray(path.read_bytes())
    start = 4 + 4 * axes
    sizes = np.frombuffer(data[4:start][: len(data[4:start]) // 4 * 4], ">u4").tolist()
    if data[:4] != bytes([0, 0, 8, axes]) or len(data) != start + math.prod(sizes) or not math.prod(sizes):
        raise ValueError(f"{path} is not the file of MNIST that it should be: remove it, and it is downloaded again")
    return torch.frombuffer(data, dtype=torch.uint8, offset=start).view(sizes)

"""MNIST: torchvision's to the bit, and files that are something else are named."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.datasets import MNIST

from shared.lab import mnist
from shared.lab.paths import ROOT
from shared.lab.reached import reached


def write(folder: Path, split: str, images: int, labels: int | None = None) -> None:
    """Write files of random images, labelled 0, 1, 2, ..."""
    folder.mkdir(parents=True, exist_ok=True)
    labels = images if labels is None else labels
    pixels = np.random.default_rng(images).integers(0, 256, (images, 28, 28), dtype=np.uint8)
    header = np.array([2051, images, 28, 28], ">i4").tobytes()
    (folder / f"{split}-images-idx3-ubyte").write_bytes(header + pixels.tobytes())
    header = np.array([2049, labels], ">i4").tobytes()
    (folder / f"{split}-labels-idx1-ubyte").write_bytes(header + (np.arange(labels, dtype=np.uint8) % 10).tobytes())


def test_it_is_what_torchvision_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    raw = tmp_path / "MNIST" / "raw"
    for split, count in (("train", 13), ("t10k", 5)):
        write(raw, split, count)
    monkeypatch.setattr(mnist, "fetch", lambda _: raw)
    for (images, labels), train in zip(mnist.load_mnist(), (True, False), strict=True):
        theirs = MNIST(tmp_path, train=train)
        assert torch.equal(images, theirs.data)
        assert torch.equal(labels, theirs.targets)
        assert labels.dtype == theirs.targets.dtype


@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda _: b"\0\0",
        lambda data: data[:7],
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda _: b"junk" * 500,
        lambda data: b"\0\0\x0d" + data[3:],
        lambda data: data[:4] + b"\xff" * 4 + data[8:],
        lambda data: data[:4] + bytes(4),
    ],
)
@pytest.mark.parametrize("file", ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"])
def test_a_damaged_file_is_named(tmp_path: Path, file: str, damage):
    write(tmp_path, "train", 3)
    path = tmp_path / file
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=f"{file} is not the file of MNIST that it should be.*downloaded again"):
        mnist.read_split(tmp_path, "train")


def test_images_and_labels_belong_together(tmp_path: Path):
    write(tmp_path, "train", 3, labels=4)
    with pytest.raises(ValueError, match=r"got \(3, 28, 28\) images and 4 labels up to 3"):
        mnist.read_split(tmp_path, "train")
    write(tmp_path, "train", 3)
    path = tmp_path / "train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1] + b"\x0a")
    with pytest.raises(ValueError, match="3 labels up to 10"):
        mnist.read_split(tmp_path, "train")


def test_results_that_use_it_are_stale_when_it_is_read_in_another_way(tmp_path: Path):
    (tmp_path / "script.py").write_text(
        "from shared.lab.mnist import load_mnist\n\n\ndef main():\n    return load_mnist()\n"
    )
    assert any("name='load_mnist', args" in text for text in reached(tmp_path / "script.py", ROOT))

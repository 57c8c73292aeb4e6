"""Where should images live: as files, in one array on the disk, or in memory? What does each cost?

    uv run sprints/02_datasets_and_dataloaders/images_on_disk.py

Digits are written as PNG files, a folder for each class, and as one NumPy array. Theory: notes/04_images_and_text.md
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import torch
from PIL import Image, ImageOps
from pydantic import Field
from torch import Tensor
from torch.nn import functional
from torch.utils.data import Dataset, TensorDataset
from torchvision.datasets.folder import IMG_EXTENSIONS
from torchvision.transforms.v2 import functional as images_of
from tqdm import tqdm

from shared.lab.compare import TIMING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.digits import load_digits
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

Item = tuple[Tensor, int]
Digits = Annotated[int, Field(ge=1, le=1797)]  # as many as there are
Pixels = Annotated[int, Field(ge=1, le=1024)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    items: Digits = 500  # images to write
    size: Pixels = 64  # pixels of a side
    rounds: PositiveInt = 5  # turns of each store


@dataclass(frozen=True)
class Results:
    equal: bool
    times_memory: dict[str, float]
    bytes_per_image: dict[str, float]


class ImageFolder(Dataset[Item]):
    """Images in folders, one folder for each class: items are uint8 (channels, height, width) and the class's number.

    Both are sorted by name, as machines list folders in orders that differ. Whatever is in the files (a palette, one
    bit, transparency), all images come in one mode, and upright as their camera was held.

    Args:
        root: the folder of the folders, which may have folders in them.
        transform: is applied to each image when it is read.
        mode: "RGB" for three channels, "L" for one.

    Files that are no images by their names, or in no class, are counted in `left_out`; hidden ones are not.

    Raises:
        ValueError: there is no class, or one without an image; later, a file that cannot be read.
    """

    def __init__(
        self, root: Path, transform: Callable[[Tensor], Tensor] | None = None, mode: Literal["RGB", "L"] = "RGB"
    ) -> None:
        # Hidden ones are made by programs: .ipynb_checkpoints, .DS_Store, ._1.png.
        paths = [
            path for path in root.rglob("*") if not any(name.startswith(".") for name in path.relative_to(root).parts)
        ]
        self.classes = sorted(path.name for path in paths if path.is_dir() and path.parent == root)
        files = sorted((path for path in paths if path.is_file()), key=lambda path: (str(path.parent), path.name))
        numbers = {name: number for number, name in enumerate(self.classes)}
        self.samples = [
            (path, numbers[path.relative_to(root).parts[0]])
            for path in files
            if path.suffix.lower() in IMG_EXTENSIONS and path.parent != root
        ]
        self.left_out = sorted({*files} - {path for path, _ in self.samples})
        if self.left_out:
            print(
                f"left out: {len(self.left_out)} files that are no images of a class, such as {self.left_out[0].name}"
            )
        present = {label for _, label in self.samples}
        if empty := [name for name, number in numbers.items() if number not in present]:
            raise ValueError(
                f"each folder in {root.name} must hold images of its class; {empty} hold none: remove them"
            )
        if not self.samples:
            raise ValueError(f"images must stand in folders, one for each class; {root.name} has none")
        self.transform, self.mode = transform, mode

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Item:
        path, label = self.samples[index]
        try:
            # Opened here and closed at once: a data set of a million images cannot hold a million open files.
            with Image.open(path) as picture:
                image = images_of.pil_to_tensor(ImageOps.exif_transpose(picture).convert(self.mode))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            where = f"{path.parent.name}/{path.name}"
            raise ValueError(f"{where} must be an image; it cannot be read ({error}): replace or remove it") from None
        return (image if self.transform is None else self.transform(image)), label


class ArrayDataset(Dataset[Item]):
    """Images in one .npy file of uint8 (items, channels, height, width); the system reads what is touched.

    Raises:
        ValueError: it is no such file, or has another number of items than labels.
    """

    def __init__(self, path: Path, labels: list[int]) -> None:
        try:
            self.images, self.labels = np.lib.format.open_memmap(path, mode="r"), labels
        except ValueError as error:
            raise ValueError(f"{path.name} must be an array of NumPy; it cannot be read ({error})") from None
        if self.images.dtype != np.uint8 or self.images.ndim != 4 or len(self.images) != len(labels):
            raise ValueError(
                f"{path.name} must hold uint8 (items, channels, height, width), one item for each of {len(labels)} "
                f"labels; got {self.images.dtype} {self.images.shape}"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> Item:
        # The copy is what reads from the disk: without it the tensor would be a window on a read-only file.
        return torch.from_numpy(self.images[index].copy()), self.labels[index]


def write_digits(root: Path, count: int, size: int) -> None:
    """Write digits as PNG files of size x size pixels, in a folder for each class."""
    images, labels = load_digits()
    pixels = 255 * images[:count].double()
    large = functional.interpolate(pixels, size=(size, size), mode="bilinear").round().to(torch.uint8)
    for number, (image, label) in enumerate(zip(large, labels[:count].tolist(), strict=True)):
        (root / str(label)).mkdir(parents=True, exist_ok=True)
        images_of.to_pil_image(image).save(root / str(label) / f"{number:05}.png")


def seconds_to_read(data: Dataset, order: list[int]) -> float:
    began = time.perf_counter()
    for index in order:
        data[index]
    return time.perf_counter() - began


def main(config: Config) -> Results:
    # Windows deletes no file that is still mapped into memory; it is left to the system then.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        root = Path(folder)
        write_digits(root / "digits", config.items, config.size)
        files = ImageFolder(root / "digits", mode="L")
        images = torch.stack([image for image, _ in files])  # (items, 1, size, size)
        labels = [label for _, label in files]
        np.save(root / "digits.npy", images.numpy())
        stores = {
            "PNG files": files,
            "one array on disk": ArrayDataset(root / "digits.npy", labels),
            "memory": TensorDataset(images, torch.tensor(labels)),
        }
        equal = all(
            torch.equal(item[0], images[i]) and int(item[1]) == labels[i]
            for store in stores.values()
            for i, item in ((i, store[i]) for i in range(len(files)))
        )
        order = torch.randperm(len(files), generator=torch.Generator().manual_seed(config.seed)).tolist()
        turns = [
            {name: seconds_to_read(store, order) for name, store in stores.items()}
            for _ in tqdm(range(config.rounds), unit="round")
        ]
        file_bytes = sum(path.stat().st_size for path, _ in files.samples) / len(files)
    results = Results(
        equal=equal,
        # Ratios of neighbours in time, so that noise that lasts longer than a turn cancels.
        times_memory={name: statistics.median(turn[name] / turn["memory"] for turn in turns) for name in stores},
        bytes_per_image={
            "PNG files": file_bytes,
            "one array on disk": float(images[0].numel()),
            "memory": float(images[0].numel()),
            "memory, as float32": 4.0 * images[0].numel(),
        },
    )
    for name, ratio in results.times_memory.items():
        print(f"{name:<20}{ratio:6.1f} x the time of memory, {results.bytes_per_image[name]:,.0f} bytes an image")
    print("all three give the same images" if equal else "the stores DIFFER")
    return results


if __name__ == "__main__":
    run(main, Config, tolerance={"times_memory.*": TIMING, "bytes_per_image.PNG files": Tolerance(relative=0.02)})

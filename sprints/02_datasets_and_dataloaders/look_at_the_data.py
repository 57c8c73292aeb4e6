"""What is in the data? Counts, ranges, repeats between the splits, and what the simplest classifiers reach.

    uv run sprints/02_datasets_and_dataloaders/look_at_the_data.py
    uv run sprints/02_datasets_and_dataloaders/look_at_the_data.py --data mnist

The digits come with scikit-learn. MNIST is read from $SPRINTS_DATA, or after a download.
Theory: notes/02_look_first.md
"""

from dataclasses import dataclass
from typing import Literal

import torch
from matplotlib.figure import Figure
from torch import Tensor
from tqdm import tqdm

from shared.lab.compare import EXACT, ROUNDING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.digits import halves, load_digits
from shared.lab.figures import new_figure
from shared.lab.mnist import load_mnist
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

Split = tuple[Tensor, Tensor]

TOLERANCE = {
    "*": EXACT,
    "mean": ROUNDING,
    "std": ROUNDING,
    # Of two training images that are about equally near, rounding chooses.
    "nearest_*": Tolerance(absolute=1e-3),
}
PRESETS = {
    "mnist": {"data": "mnist"},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    data: Literal["digits", "mnist"] = "digits"  # which images
    items: PositiveInt | None = None  # use the first so many images of each split (default: all)


@dataclass(frozen=True)
class Results:
    data: str
    shape: list[int]
    class_counts: dict[str, list[int]]
    highest_value: int
    mean: float
    std: float
    repeats_within_train: int
    test_images_in_train: int
    majority: float
    nearest_mean: float
    nearest_neighbour: float


def load(data: str) -> tuple[Split, Split]:
    """Return training and test images, uint8 (items, height, width), each with its labels.

    The writers of the digits are sorted, so the second half, which tests, is by other hands than the first.
    """
    if data == "mnist":
        return load_mnist()
    images, labels = load_digits()
    return halves(((16 * images[:, 0]).to(torch.uint8), labels))


def nearest(queries: Tensor, points: Tensor) -> Tensor:
    """Return for each query the index of the nearest point: |q - p|^2 = |q|^2 - 2 q p + |p|^2, and |q|^2 is the same
    for all points."""
    indices = [
        (points.square().sum(1) - 2 * part @ points.T).argmin(1)
        for part in tqdm(queries.split(500), unit="part", disable=len(points) < 10_000)
    ]
    return torch.cat(indices)


def main(config: Config) -> Results:
    (train, labels), (test, answers) = (
        (images[: config.items], targets[: config.items]) for images, targets in load(config.data)
    )
    counts = torch.bincount(labels, minlength=10)
    if not counts.all():
        raise ValueError(
            f"each digit must be among the training images, {counts.argmin()} is not among the first {len(labels)}: "
            "give more --items"
        )
    highest = int(train.max())
    known, new = (images.flatten(1).float() / highest for images in (train, test))
    means = torch.stack([known[labels == label].mean(0) for label in range(10)])
    seen = {image.numpy().tobytes() for image in train}
    results = Results(
        data=config.data,
        shape=list(train.shape[1:]),
        class_counts={"train": counts.tolist(), "test": torch.bincount(answers, minlength=10).tolist()},
        highest_value=highest,
        mean=known.double().mean().item(),
        std=known.double().std(correction=0).item(),
        repeats_within_train=len(train) - len(seen),
        test_images_in_train=sum(image.numpy().tobytes() in seen for image in test),
        majority=(answers == counts.argmax()).double().mean().item(),
        nearest_mean=(nearest(new, means) == answers).double().mean().item(),
        nearest_neighbour=(labels[nearest(new, known)] == answers).double().mean().item(),
    )
    print(f"{len(train)} training and {len(test)} test images of {results.shape}, values from 0 to {highest}")
    print(f"scaled to 0..1: mean {results.mean:.4f}, standard deviation {results.std:.4f}")
    print(f"items per class: {results.class_counts['train']} and {results.class_counts['test']}")
    print(f"{results.test_images_in_train} test images also train, {results.repeats_within_train} train twice")
    for name in ("majority", "nearest_mean", "nearest_neighbour"):
        print(f"{name:<18}{vars(results)[name]:.1%} of the test images right")
    return results


def plot(results: Results) -> Figure:
    """Draw eight training images of each class and the mean of the class."""
    (images, labels), _ = load(results.data)
    figure, axes = new_figure(width=6.5, height=7, rows=10, columns=9)
    for label, row in enumerate(axes):
        of_class = images[labels == label].float()
        for column, image in enumerate([*of_class[:8], of_class.mean(0)]):
            row[column].imshow(image, cmap="gray_r")
            row[column].axis("off")
    axes[0, 8].set_title("mean")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)

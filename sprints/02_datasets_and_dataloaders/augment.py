"""Which augmentations help, and which ones lie about the label?

    uv run sprints/02_datasets_and_dataloaders/augment.py

Pipelines of torchvision's transforms v2 multiply a few training digits; a support vector machine is trained on the
result. Validation chooses an augmentation, the test digits are used once. Theory: notes/05_transforms.md
"""

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from sklearn.svm import SVC
from torch import Tensor
from torch.nn import functional
from torchvision import tv_tensors
from torchvision.transforms import v2
from tqdm import tqdm

from shared.checks.intervals import mean_interval, show_interval
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.digits import load_digits
from shared.lab.figures import new_figure
from shared.lab.ranges import Folds, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

# Turned and shifted pixels differ in their last digits, and a few images near a border change sides.
TOLERANCE = {pattern: Tolerance(absolute=0.01) for pattern in ("validation.*", "gain.*", "gain_interval.*", "test.*")}


@dataclass(frozen=True)
class Config(ScriptConfig):
    folds: Folds = 5  # parts of the first half: each trains once, the others validate; the second half tests
    copies: PositiveInt = 5  # augmented copies of each training image, beside the image itself


@dataclass(frozen=True)
class Results:
    seed: int
    mean: float
    std: float
    mean_after: float
    std_after: float
    validation: dict[str, list[float]]
    gain: dict[str, float]
    gain_interval: dict[str, float | None]
    chosen: str
    test: dict[str, list[float]]


class PenWidth(v2.Transform):
    """Make the strokes of an image thicker or thinner, as another pen would; masks change along with the image.

    Let dilate(x) be the largest value among a pixel and its neighbours, erode(x) the smallest. With a strength s drawn
    from [-strength, strength], x becomes x + s (dilate(x) - x) if s > 0, and x + |s| (erode(x) - x) otherwise.

    Raises:
        ValueError: the strength is not between 0 and 1.
    """

    def __init__(self, strength: float = 0.3) -> None:
        super().__init__()
        if not 0 <= strength <= 1:
            raise ValueError(f"strength must be between 0 and 1; got {strength}")
        self.strength = strength

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:  # noqa: ARG002 (its interface)
        # Drawn once for all parts of a sample: an image and its mask stay together.
        return {"strength": (2 * torch.rand(()).item() - 1) * self.strength}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        if not isinstance(inpt, tv_tensors.Image | tv_tensors.Mask):
            return inpt
        image, strength = inpt.float(), params["strength"]
        # The smallest value is the largest one of the negative.
        signed: Tensor = image if strength > 0 else -image
        extreme = functional.max_pool2d(signed, kernel_size=3, stride=1, padding=1)
        blended = image + strength * (extreme - signed)
        if not inpt.is_floating_point():
            blended = blended.round()
        return tv_tensors.wrap(blended.to(inpt.dtype), like=inpt)


def augmentations() -> dict[str, v2.Transform]:
    """Return by name the augmentations that are compared."""
    smooth = v2.InterpolationMode.BILINEAR
    shift = v2.RandomAffine(degrees=[0, 0], translate=(0.125, 0.125), interpolation=smooth)
    turn = v2.RandomRotation(degrees=[-10, 10], interpolation=smooth)
    return {
        "none": v2.Identity(),
        "shift by a pixel": shift,
        "turn by 10 degrees": turn,
        "pen width": PenWidth(),
        "noise": v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.GaussianNoise(sigma=0.1)]),
        "shift, turn, pen width": v2.Compose([shift, turn, PenWidth()]),
        "mirror": v2.RandomHorizontalFlip(),
        "turn by 180 degrees": v2.RandomRotation(degrees=[180, 180], interpolation=smooth),
    }


def load() -> tuple[Tensor, np.ndarray]:
    """Return the digits as uint8 (items, 1, 8, 8) from 0 to 255, and their labels."""
    images, labels = load_digits()
    return (images * 255).round().to(torch.uint8), labels.numpy()


def pipeline(augmentation: v2.Transform, mean: float, std: float) -> v2.Compose:
    """Return the transform of an image: to an image tensor, augmented, to float32 in 0..1, and normalised."""
    # `scale` divides by 255. Without it ToDtype keeps the values, and Normalize makes numbers in the hundreds of them.
    return v2.Compose([v2.ToImage(), augmentation, v2.ToDtype(torch.float32, scale=True), v2.Normalize([mean], [std])])


def apply(transform: v2.Transform, images: Tensor) -> np.ndarray:
    """Return each image transformed on its own, with random draws of its own, as rows of features."""
    return torch.stack([transform(tv_tensors.Image(image)) for image in images]).flatten(1).numpy()


def main(config: Config) -> Results:
    images, labels = load()
    half = len(images) // 2
    folds = np.array_split(np.arange(half), config.folds)
    scaled = images[:half].double() / 255
    mean, std = scaled.mean().item(), scaled.std(correction=0).item()
    pipes = {name: pipeline(augmentation, mean, std) for name, augmentation in augmentations().items()}
    plain = apply(pipes["none"], images)

    def accuracy(name: str, fold: np.ndarray, scored: np.ndarray, seed: int) -> float:
        """Train on a few images and their augmented copies, and return the accuracy on others."""
        seed_everything(seed)
        copies = [] if name == "none" else [apply(pipes[name], images[fold]) for _ in range(config.copies)]
        model = SVC().fit(np.concatenate([plain[fold], *copies]), np.tile(labels[fold], 1 + len(copies)))
        return float(model.score(plain[scored], labels[scored]))

    def over_folds(name: str, scored_of: Callable[[np.ndarray], np.ndarray]) -> list[float]:
        return [accuracy(name, fold, scored_of(fold), config.seed + number) for number, fold in enumerate(folds)]

    validation = {
        name: over_folds(name, lambda fold: np.setdiff1d(np.arange(half), fold))
        for name in tqdm(pipes, unit="augmentation")
    }
    chosen = max(validation, key=lambda name: statistics.mean(validation[name]))
    # Differences on the same fold: that some folds are harder than others cancels.
    intervals = {
        name: mean_interval(np.subtract(accuracies, validation["none"]).tolist())
        for name, accuracies in validation.items()
    }
    test = np.arange(half, len(images))
    results = Results(
        seed=config.seed,
        mean=mean,
        std=std,
        mean_after=float(plain[:half].mean()),
        std_after=float(plain[:half].std()),
        validation=validation,
        gain={name: mean for name, (mean, _) in intervals.items()},
        # Half of the 95 % interval; a rough guide, since the folds validate on overlapping images.
        gain_interval={name: half for name, (_, half) in intervals.items()},
        chosen=chosen,
        test={name: over_folds(name, lambda _: test) for name in ("none", chosen)},
    )
    for name, accuracies in validation.items():
        print(f"{name:<24}validation accuracy {statistics.mean(accuracies):.1%}, gain ", end="")
        print(show_interval(*intervals[name], "+.1%"))
    for name, accuracies in results.test.items():
        print(f"test accuracy, {name}: {statistics.mean(accuracies):.1%} on average of {len(accuracies)} trainings")
    return results


def plot(results: Results) -> Figure:
    """Draw a grid: a digit and what each augmentation makes of it, seven draws in a row."""
    images, _ = load()
    names = list(augmentations())
    figure, axes = new_figure(width=7, height=7, rows=len(names), columns=8)
    seed_everything(results.seed)
    white, black = -results.mean / results.std, (1 - results.mean) / results.std
    for row, (name, augmentation) in enumerate(augmentations().items()):
        for column, cell in enumerate(axes[row]):
            draw = pipeline(augmentation if column else v2.Identity(), results.mean, results.std)
            cell.imshow(draw(tv_tensors.Image(images[13]))[0], cmap="gray_r", vmin=white, vmax=black)
            cell.set(xticks=[], yticks=[])
            cell.grid(False)
        axes[row, 0].set_ylabel(name.replace(" ", "\n", 1), rotation=0, ha="right", va="center", fontsize=8)
    axes[0, 0].set_title("original", fontsize=9)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)

"""The recipe: everything that an ablation can take away from a training run, as options."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

from shared.lab.ranges import Fraction, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, Share
from shared.training.schedules import constant, warmup_cosine, warmup_linear


@dataclass(frozen=True)
class Recipe:
    """Which network learns, on what changes of the images, and by which steps."""

    model: Literal["resnet", "lenet"] = "resnet"  # network
    widths: tuple[PositiveInt, ...] = (24, 24, 48)  # channels of the ResNet's stem and of its blocks
    pool: bool = False  # halve the image after the ResNet's stem
    norm: bool = True  # batch norm in the ResNet
    dropout: Share = 0.0  # probability of dropping a feature before the last layer
    steps: PositiveInt = 900  # optimizer steps
    batch_size: PositiveInt = 64  # images of a batch
    learning_rate: PositiveFloat = 3e-3  # peak learning rate of AdamW
    weight_decay: NonNegativeFloat = 0.05  # decay of matrices and filters
    label_smoothing: Fraction = 0.1  # probability that the target gives to all classes alike
    schedule: Literal["constant", "cosine", "linear"] = "cosine"  # how the learning rate falls
    warmup: NonNegativeInt = 100  # steps until the learning rate is at its peak
    rotation: NonNegativeFloat = 12.0  # augmentation: largest angle in degrees
    scaling: Share = 0.12  # augmentation: largest change of size
    shear: NonNegativeFloat = 0.2  # augmentation: largest slant
    shift: NonNegativeFloat = 0.8  # augmentation: largest move in pixels
    precision: Literal["auto", "float32", "bfloat16"] = "float32"  # of convolutions

    def check(self) -> None:
        """Check what options must satisfy together.

        Raises:
            ValueError: a warm-up that does not end.
        """
        if self.schedule != "constant" and self.warmup > self.steps:
            raise ValueError(
                f"the learning rate must get to its peak; got --warmup {self.warmup} of --steps {self.steps}: give less"
            )


def make_schedule(recipe: Recipe) -> Callable[[int], float]:
    """Return the factor of the learning rate by step."""
    return {
        "constant": constant,
        "cosine": partial(warmup_cosine, steps=recipe.steps, warmup=recipe.warmup, floor=0.0),
        "linear": partial(warmup_linear, steps=recipe.steps, warmup=recipe.warmup),
    }[recipe.schedule]

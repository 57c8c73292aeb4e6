"""What does augmentation make of one digit? Each kind of change alone, all together, and too much of it.

    uv run sprints/04_advanced_training_cnn/augmented_digit.py
    uv run sprints/04_advanced_training_cnn/augmented_digit.py --image 9

Theory: notes/06_regularisation.md
"""

from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from pydantic import Field

from digit_study.augmentation import random_affine
from digit_study.recipe import Recipe
from shared.lab.config import ScriptConfig
from shared.lab.digits import load_digits
from shared.lab.figures import new_figure
from shared.lab.run import run
from shared.lab.runtime import seed_everything

STILL = {"rotation": 0.0, "scaling": 0.0, "shear": 0.0, "shift": 0.0}


@dataclass(frozen=True)
class Config(ScriptConfig):
    image: Annotated[int, Field(ge=0, le=897)] = 6  # digit of the first half to change
    versions: Annotated[int, Field(ge=1, le=10)] = 7  # drawn of each kind
    too_much: Annotated[float, Field(ge=0, le=180)] = 180.0  # largest angle of the last row, in degrees


@dataclass(frozen=True)
class Results:
    label: int
    digit: list[list[float]]
    versions: dict[str, list[list[list[float]]]]


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    pixels, labels = load_digits()
    digit = pixels[config.image : config.image + 1]
    recipe = Recipe()
    kinds = {
        f"rotation {recipe.rotation:g}°": {"rotation": recipe.rotation},
        f"scaling {recipe.scaling:g}": {"scaling": recipe.scaling},
        f"shear {recipe.shear:g}": {"shear": recipe.shear},
        f"shift {recipe.shift:g}": {"shift": recipe.shift},
        "all of these": {name: vars(recipe)[name] for name in STILL},
        f"rotation {config.too_much:g}°": {"rotation": config.too_much},
    }
    versions = {}
    for name, amounts in kinds.items():
        copies = digit.expand(config.versions, -1, -1, -1)
        versions[name] = random_affine(copies, generator, **(STILL | amounts))[:, 0].tolist()
    print(f"a {int(labels[config.image])}, changed {config.versions} times in each of {len(kinds)} ways")
    return Results(int(labels[config.image]), digit[0, 0].tolist(), versions)


def plot(results: Results) -> Figure:
    """Draw the digit on the left, and a row of versions for each kind of change."""
    columns = 1 + max(len(versions) for versions in results.versions.values())
    figure, axes = new_figure(8.0, 1.0 * len(results.versions), rows=len(results.versions), columns=columns)
    for axis in axes.flat:
        axis.set_axis_off()
    for row, (name, versions) in enumerate(results.versions.items()):
        axes[row, 0].text(1.0, 0.5, name, ha="right", va="center", transform=axes[row, 0].transAxes, fontsize=10)
        for column, picture in enumerate(versions, start=1):
            axes[row, column].imshow(picture, cmap="gray_r", vmin=0, vmax=1)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

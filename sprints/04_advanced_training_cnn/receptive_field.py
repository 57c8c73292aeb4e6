"""How much of the image can one feature see? Computed by a formula, measured by gradients.

    uv run sprints/04_advanced_training_cnn/receptive_field.py

With positive weights every pixel inside the receptive field has a gradient, and none outside. How much of it counts is
the question of effective_field.py. Theory: notes/02_receptive_field.md
"""

from dataclasses import dataclass

import torch
from torch import nn

from digit_study.stacks import Layer, build_stack, middle_gradient, receptive_field
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.run import run
from shared.lab.runtime import seed_everything

POOL = Layer(2, stride=2)
STACKS = {
    "one 7 x 7": [Layer(7)],
    "three 3 x 3": [Layer(3)] * 3,
    "nine 3 x 3": [Layer(3)] * 9,
    "3 x 3, dilation 1, 2, 4, 8": [Layer(3, dilation=rate) for rate in (1, 2, 4, 8)],
    "LeNet-5": [Layer(5), POOL, Layer(5), POOL],
    "our ResNet for digits": [Layer(3)] * 3 + [Layer(3, stride=2), Layer(3)],
    "our ResNet for MNIST": [Layer(3), POOL, Layer(3), Layer(3), Layer(3, stride=2), Layer(3)],
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    """Nothing is drawn and nothing can be chosen: the stacks are those above."""


@dataclass(frozen=True)
class Field:
    """Receptive field of a stack in pixels, by formula and measured, and the step between two neighbours' fields."""

    formula: int
    measured: int
    step: int
    weights: int


@dataclass(frozen=True)
class Results:
    fields: dict[str, Field]


def measure(layers: list[Layer]) -> int:
    """Return the extent of the pixels that move one feature, with all weights positive.

    Raises:
        ValueError: the field reaches the border of the image, so that it could be larger.
    """
    network = build_stack(layers, channels=1, relu=False)
    for weight in network.parameters():
        nn.init.constant_(weight, 1 / weight[0].numel())
    field, step = receptive_field(layers)
    size = field + 2 * step
    columns = middle_gradient(network, torch.zeros(1, 1, size, size)).amax(0).nonzero()[:, 0]
    if columns[0] == 0 or columns[-1] == size - 1:
        raise ValueError(
            f"the field must lie inside the image; it covers columns {int(columns[0])} to {int(columns[-1])}"
        )
    return int(columns[-1] - columns[0]) + 1


def main(config: Config) -> Results:
    seed_everything(config.seed)
    fields = {}
    for name, layers in STACKS.items():
        field, step = receptive_field(layers)
        weights = sum(layer.kernel**2 for layer in layers if layer != POOL)
        fields[name] = Field(field, measure(layers), step, weights)
        print(f"{name:<28}{fields[name].formula:>4} pixels by formula, {fields[name].measured:>4} measured")
    return Results(fields)


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT})

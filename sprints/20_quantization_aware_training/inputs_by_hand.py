"""Which step should the inputs of a layer have? Three tokens, one of them with a large feature, in three ways.

    uv run sprints/20_quantization_aware_training/inputs_by_hand.py
    uv run sprints/20_quantization_aware_training/inputs_by_hand.py --third 1

Inputs become integers of 3 bits, and the layer has three weights. Theory: notes/09_activations_and_outliers.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from aware.fake_quantize import activations_per_token, fake_quantize
from aware.least_squares import ends
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

INPUTS = ((0.6, -0.4, 7.0), (0.9, -0.6, 0.3), (-0.6, 0.4, 0.2))  # a row for each token
BITS = 3
WIDEST, NARROW = 2.0, 0.3  # 7 steps of 2 reach from -7 to 7; a step of 0.3 is right for the second token


@dataclass(frozen=True)
class Config(ScriptConfig):
    third: float = 0.05  # weight of the third feature; the others are 1 and -1


@dataclass(frozen=True)
class Results:
    weight: list[float]
    outputs: list[float]
    inputs: dict[str, list[list[float]]]
    rounded_outputs: dict[str, list[float]]
    errors: dict[str, float]


def main(config: Config) -> Results:
    x, weight = torch.tensor(INPUTS), torch.tensor([1.0, -1.0, config.third])
    ways = {
        f"one step of {WIDEST:g}": fake_quantize(x, torch.tensor(WIDEST), 0, *ends(BITS)),
        f"one step of {NARROW:g}": fake_quantize(x, torch.tensor(NARROW), 0, *ends(BITS)),
        "a step for each token": activations_per_token(x, BITS),
    }
    outputs = x @ weight
    found = {name: rounded @ weight for name, rounded in ways.items()}
    errors = {name: (rounded - outputs).square().sum().item() for name, rounded in found.items()}
    print(f"outputs: {[round(output, 3) for output in outputs.tolist()]}")
    for name, rounded in ways.items():
        print(f"{name}: inputs {[[round(each, 2) for each in row] for row in rounded.tolist()]}, ", end="")
        print(f"outputs {[round(each, 3) for each in found[name].tolist()]}, squared error {errors[name]:.3f}")
    return Results(
        weight.tolist(), outputs.tolist(), {name: rounded.tolist() for name, rounded in ways.items()},
        {name: rounded.tolist() for name, rounded in found.items()}, errors,
    )  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw the inputs as they are and in three ways, each with its outputs."""
    figure, axes = drawings.canvas(10.6, 3.0)
    size = 0.56
    shown = {"as they are": [list(row) for row in INPUTS]} | results.inputs
    for index, (name, rows) in enumerate(shown.items()):
        x = 0.75 + 2.55 * index
        words = [
            [f"{each:.2f}".rstrip("0").rstrip(".").replace("-0", "−0") if each else "0" for each in row] for row in rows
        ]
        strengths = [[min(1.0, abs(each) / 1.4) * 0.65 if each else 0.05 for each in row] for row in rows]
        drawings.cells(axes, words, x, 2.35, colour=drawings.QUERY, size=size, strengths=strengths, title=name,
                       row_names=("A", "B", "C") if index == 0 else ())  # fmt: skip
        outputs = results.outputs if index == 0 else results.rounded_outputs[name]
        drawings.text(
            axes, "outputs " + ", ".join(f"{each:.3f}" for each in outputs).replace("-", "−"), x + 1.5 * size, 0.42
        )
        if index:
            error = results.errors[name]
            drawings.text(
                axes, f"squared error {error:.3f}", x + 1.5 * size, 0.12, bold=error == min(results.errors.values())
            )
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

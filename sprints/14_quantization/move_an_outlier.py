"""Where does an outlier go when it is smoothed? Two tokens with two features, and the weights that multiply them.

    uv run sprints/14_quantization/move_an_outlier.py
    uv run sprints/14_quantization/move_an_outlier.py --alpha 1

The first feature is large in both tokens. Theory: notes/11_taming_outliers.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from quantizing.activations import round_activations
from quantizing.smoothing import factors
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import Fraction
from shared.lab.run import run

TOKENS = ((16.0, 0.5), (-12.0, -0.4))
WEIGHTS = ((0.25, 0.5),)
BITS = 4


@dataclass(frozen=True)
class Config(ScriptConfig):
    alpha: Fraction = 0.5  # how much of the outliers moves: 0 evens out the weights, 1 the inputs


@dataclass(frozen=True)
class Stage:
    tokens: list[list[float]]
    weights: list[list[float]]
    step: float  # of the one grid that the tokens share
    rounded: list[list[float]]
    outputs: list[list[float]]


@dataclass(frozen=True)
class Results:
    factors: list[float]
    before: Stage
    after: Stage


def stage(tokens: Tensor, weights: Tensor) -> Stage:
    """Return what a grid for all tokens makes of them."""
    step = (tokens.max() - tokens.min()) / (2**BITS - 1)
    rounded = round_activations(tokens, BITS, "tensor")
    return Stage(tokens.tolist(), weights.tolist(), step.item(), rounded.tolist(), (tokens @ weights.T).tolist())


def main(config: Config) -> Results:
    tokens, weights = torch.tensor(TOKENS), torch.tensor(WEIGHTS)  # (tokens, features), (outputs, features)
    by = factors(tokens.abs().amax(0), weights.abs().amax(0), config.alpha)
    results = Results(by.tolist(), stage(tokens, weights), stage(tokens / by, weights * by))
    print("divided by " + ", ".join(f"{factor:g}" for factor in results.factors))
    for name, made in (("before", results.before), ("after", results.after)):
        print(f"{name}: a step is {made.step:.3f}, tokens become {made.rounded}, exact outputs {made.outputs}")
    return results


def plot(results: Results) -> Figure:
    """Draw tokens and weights before and after, and what is left of the tokens on one grid."""
    figure, axes = drawings.canvas(8.6, 3.6)
    for made, y, name in ((results.before, 2.9, "as it is"), (results.after, 1.2, "smoothed")):
        largest = max(abs(number) for row in made.tokens for number in row)
        shades = [[0.1 + 0.55 * abs(number) / largest for number in row] for row in made.tokens]
        drawings.text(axes, name, 0.65, y - 0.5, bold=True)
        drawings.cells(axes, made.tokens, 1.5, y, colour=drawings.QUERY, strengths=shades, size=0.6, title="tokens")
        shades = [[0.1 + 0.55 * number / 2 for number in made.weights[0]]]
        drawings.cells(
            axes, made.weights, 3.5, y - 0.3, colour=drawings.VALUE, strengths=shades, size=0.6, title="weights"
        )
        drawings.arrow(axes, (4.9, y - 0.6), (5.9, y - 0.6), f"step {made.step:.2f}")
        shown = [[f"{number:.2f}" for number in row] for row in made.rounded]
        drawings.cells(axes, shown, 6.1, y, colour=drawings.KEY, size=0.6, title="tokens on one grid of 4 bits")
    by = ", ".join(f"{factor:g}" for factor in results.factors)
    drawings.text(axes, f"features divided by ({by}), weights multiplied", 5.0, 1.6)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

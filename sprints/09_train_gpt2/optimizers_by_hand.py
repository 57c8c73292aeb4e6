"""How far does a weight move? AdamW by hand for one weight, and what Muon does to the gradient of a matrix.

    uv run sprints/09_train_gpt2/optimizers_by_hand.py
    uv run sprints/09_train_gpt2/optimizers_by_hand.py --gradients 1 1 1 1 1 1

Every step of AdamW is compared with PyTorch's. Theory: notes/05_optimizers.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from shared.lab.compare import ROUNDING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.training.muon import orthogonalise

Gradients = Annotated[tuple[Annotated[float, Field(ge=-1e9, le=1e9)], ...], Field(min_length=1)]
BETAS, EPSILON = (0.9, 0.95), 1e-8
MUON, MUON_STEPS = (3.4445, -4.775, 2.0315), 5  # the coefficients of Jordan et al. 2024


@dataclass(frozen=True)
class Config(ScriptConfig):
    # Gradients of one weight, step by step.
    gradients: Gradients = (0.1, 0.1, 0.1, 0.1, 0.1, -0.1, 0.1, -0.1, 0.1, -0.1)
    learning_rate: Annotated[float, Field(gt=0, le=1000)] = 0.01  # of AdamW


@dataclass(frozen=True)
class Results:
    gradients: list[float]
    means: list[float]
    squares: list[float]
    moves: list[float]
    difference_from_pytorch: float
    singular_values: list[float]
    singular_values_of_muon: list[float]


def adamw(gradients: tuple[float, ...], learning_rate: float) -> tuple[list[float], list[float], list[float]]:
    """Return both averages, corrected for their start from 0, and the moves of one weight without decay."""
    mean, square, means, squares, moves = 0.0, 0.0, [], [], []
    for step, gradient in enumerate(gradients, start=1):
        mean = BETAS[0] * mean + (1 - BETAS[0]) * gradient
        square = BETAS[1] * square + (1 - BETAS[1]) * gradient**2
        means.append(mean / (1 - BETAS[0] ** step))
        squares.append(square / (1 - BETAS[1] ** step))
        moves.append(-learning_rate * means[-1] / (math.sqrt(squares[-1]) + EPSILON))
    return means, squares, moves


def main(config: Config) -> Results:
    means, squares, moves = adamw(config.gradients, config.learning_rate)
    weight = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.AdamW([weight], config.learning_rate, BETAS, EPSILON, weight_decay=0.0)
    theirs = []
    for gradient in config.gradients:
        before, weight.grad = weight.item(), torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
        theirs.append(weight.item() - before)
    generator = seed_everything(config.seed)
    # A gradient with few strong directions, as those of a matrix in training have.
    left, right = torch.randn(16, 2, generator=generator), torch.randn(2, 16, generator=generator)
    gradient = left @ right + 0.1 * torch.randn(16, 16, generator=generator)
    after = orthogonalise(gradient, MUON, MUON_STEPS, 1e-7)
    results = Results(
        gradients=list(config.gradients), means=means, squares=squares, moves=moves,
        difference_from_pytorch=max(abs(one - other) for one, other in zip(moves, theirs, strict=True)),
        singular_values=torch.linalg.svdvals(gradient / gradient.norm()).tolist(),
        singular_values_of_muon=torch.linalg.svdvals(after).tolist(),
    )  # fmt: skip
    for gradient, move in zip(config.gradients, moves, strict=True):
        print(f"gradient {gradient:+.3f}, move {move:+.5f}")
    print(f"PyTorch's moves differ by at most {results.difference_from_pytorch:.0e}")
    return results


def plot(results: Results) -> Figure:
    """Draw the moves of one weight under its gradients, and singular values before and after Muon."""
    figure, (left, right) = new_figure(9.0, 3.6, columns=2)
    steps = range(1, len(results.gradients) + 1)
    rate = max(map(abs, results.moves))
    left.bar(steps, [move / rate for move in results.moves])
    left.axhline(0, color="black", linewidth=0.8)
    left.set_xticks(steps, [f"{gradient:+g}" for gradient in results.gradients], fontsize=8)
    left.set(xlabel="gradient of the step", ylabel="move / learning rate", title="AdamW, one weight")
    index = range(1, len(results.singular_values) + 1)
    right.plot(index, results.singular_values, marker="s", color="grey")
    right.plot(index, results.singular_values_of_muon, marker="o", color="C0")
    right.text(4, 0.12, "gradient, divided by its norm", color="grey")
    right.text(4, 1.22, "after five iterations of Muon", color="C0")
    right.set(xlabel="direction", ylabel="singular value", title="Muon, a matrix of 16 x 16", ylim=(0, 1.35))
    return figure


if __name__ == "__main__":
    tolerance = {"difference*": Tolerance(absolute=1e-12), "singular*": Tolerance(relative=0.02), "m*": ROUNDING}
    run(main, Config, plot=plot, tolerance=tolerance)

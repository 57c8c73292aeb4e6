"""How fast does gradient descent find the least-squares fit that a formula gives at once?

    uv run sprints/03_models_and_training_loops/linear_regression.py

The data is scikit-learn's diabetes table. The closed form is the optimum; theory says how many steps gradient descent
needs for it and beyond which learning rate it diverges. Theory: notes/10_steep_and_flat.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from sklearn.datasets import load_diabetes
from sklearn.linear_model import LinearRegression
from torch import Tensor, nn
from torch.nn import functional

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything

Features = Annotated[int, Field(ge=1, le=10)]  # of the table
Train = Annotated[int, Field(ge=2, le=441)]  # of 442 patients
Steps = Annotated[int, Field(ge=1, le=50_000)]  # what grows by a hundredth a step stays a number


@dataclass(frozen=True)
class Config(ScriptConfig):
    features: Features = 10  # features of the table to use, at most 10
    train: Train = 300  # patients to fit; the others test
    steps: Steps = 8000  # steps of gradient descent
    every: PositiveInt = 20  # steps between two points of the figure

    def check(self) -> None:
        if self.train <= self.features:
            raise ValueError(
                f"a fit needs more patients than features; got --train {self.train} and --features {self.features}: "
                "give more of the one or fewer of the other"
            )


@dataclass(frozen=True)
class Descent:
    """A run of gradient descent: distance of its weights from the closed form, and the factor of it per step."""

    learning_rate: float
    momentum: float
    distances: list[float]
    final_distance: float
    steps_to_a_millionth: int | None
    predicted_factor: float


@dataclass(frozen=True)
class Results:
    every: int
    condition_number: float
    largest_learning_rate: float
    weights: list[float]
    differs_from_scikit_learn: float
    descents: dict[str, Descent]
    test_mse: dict[str, float]


def load_table(config: Config) -> tuple[Tensor, ...]:
    """Return features and targets to train and to test on, standardised by the training part."""
    features, targets = (torch.from_numpy(array) for array in load_diabetes(return_X_y=True))
    table = torch.cat([features[:, : config.features], targets[:, None]], dim=1)
    table = (table - table[: config.train].mean(0)) / table[: config.train].std(0, correction=0)
    train, test = table[: config.train], table[config.train :]
    return train[:, :-1], train[:, -1:], test[:, :-1], test[:, -1:]


def with_ones(features: Tensor) -> Tensor:
    """Return the features with a column of ones, whose weight is the bias."""
    return torch.cat([features, torch.ones(len(features), 1, dtype=features.dtype)], dim=1)


def closed_form(features: Tensor, targets: Tensor) -> Tensor:
    """Return the weights, bias last, that solve X^T X w = X^T y."""
    design = with_ones(features)
    return torch.linalg.solve(design.T @ design, design.T @ targets)[:, 0]


def descend(
    features: Tensor, targets: Tensor, optimum: Tensor, learning_rate: float, momentum: float, steps: int
) -> list[float]:
    """Fit nn.Linear from zero by gradient descent; return the distance from the optimum before each step and after."""
    model = nn.Linear(features.shape[1], 1, dtype=features.dtype)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=momentum)
    distances = []
    for step in range(steps + 1):
        with torch.no_grad():
            weights = torch.cat([model.weight[0], model.bias])
            distances.append((weights - optimum).norm().item())
        if step < steps:
            loss = functional.mse_loss(model(features), targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return distances


def main(config: Config) -> Results:
    seed_everything(config.seed)
    features, targets, test_features, test_targets = load_table(config)
    optimum = closed_form(features, targets)
    # The Hessian of the mean squared error: its eigenvalues are the curvatures of the bowl.
    curvatures = torch.linalg.eigvalsh(2 / len(features) * with_ones(features).T @ with_ones(features))
    flattest, steepest = curvatures[0].item(), curvatures[-1].item()
    roots = math.sqrt(steepest) + math.sqrt(flattest)
    settings = {  # learning rate, momentum, factor of the distance per step that theory predicts
        "too fast": (2.01 / steepest, 0.0, 1.01),
        "half of the limit": (1 / steepest, 0.0, 1 - flattest / steepest),
        "best rate": (2 / (steepest + flattest), 0.0, (steepest - flattest) / (steepest + flattest)),
        "best momentum": (
            4 / roots**2,
            ((math.sqrt(steepest) - math.sqrt(flattest)) / roots) ** 2,
            (math.sqrt(steepest) - math.sqrt(flattest)) / roots,
        ),
    }
    descents = {}
    for name, (learning_rate, momentum, factor) in settings.items():
        distances = descend(features, targets, optimum, learning_rate, momentum, config.steps)
        close = (step for step, distance in enumerate(distances) if distance < 1e-6 * distances[0])
        steps = next(close, None)
        descents[name] = Descent(
            learning_rate, momentum, distances[:: config.every], distances[-1], steps, predicted_factor=factor
        )
        print(f"{name:<20}rate {learning_rate:.3f}, momentum {momentum:.3f}: {distances[-1]:.1e} from the closed form")
    library = LinearRegression().fit(features.numpy(), targets[:, 0].numpy())
    theirs = torch.tensor([*library.coef_, library.intercept_])
    test_mse = {
        "mean of the training targets": functional.mse_loss(torch.zeros_like(test_targets), test_targets).item(),
        "closed form": functional.mse_loss(with_ones(test_features) @ optimum[:, None], test_targets).item(),
    }
    print(f"test error {test_mse['closed form']:.3f}, of the mean {test_mse['mean of the training targets']:.3f}")
    return Results(
        every=config.every,
        condition_number=steepest / flattest,
        largest_learning_rate=2 / steepest,
        weights=optimum.tolist(),
        differs_from_scikit_learn=(theirs - optimum).abs().max().item(),
        descents=descents,
        test_mse=test_mse,
    )


def plot(results: Results) -> Figure:
    """Draw the distance from the closed form by step, and the slopes that theory predicts."""
    figure, axes = new_figure()
    for index, (name, descent) in enumerate(results.descents.items()):
        steps = [number * results.every for number in range(len(descent.distances))]
        predicted = [descent.distances[0] * descent.predicted_factor**step for step in steps]
        axes.semilogy(steps, descent.distances, color=f"C{index}", label=name)
        axes.semilogy(steps, predicted, f"C{index}:", label=None if index else "slope by theory")
    axes.set(xlabel="step", ylabel="distance from the closed form", ylim=(1e-16, 1e6))
    axes.legend(ncols=2, loc="upper right")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

"""What does too simple look like, and what too flexible? Polynomials through a few noisy points of a wave.

    uv run sprints/03_models_and_training_loops/too_simple_too_flexible.py
    uv run sprints/03_models_and_training_loops/too_simple_too_flexible.py --points 100

Each polynomial is fitted to the training points, by the closed form. Other points of the same wave validate, and choose
the degree; a third set tests what was chosen. Theory: notes/08_train_validation_test.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import Tensor

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveFloat
from shared.lab.run import run
from shared.lab.runtime import seed_everything

DRAWN = (1, 3, 12)
TESTS = 1000  # points to test on
Degrees = Annotated[int, Field(ge=12, le=20)]
Points = Annotated[int, Field(ge=15, le=10_000)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    points: Points = 15  # points to train on, and as many to validate on
    noise: PositiveFloat = 0.3  # standard deviation of the noise in the targets
    most: Degrees = 12  # highest degree to try
    draws: AtLeastTwo = 200  # draws of all points, for the errors

    def check(self) -> None:
        if self.most >= self.points:
            raise ValueError(
                "a polynomial has one coefficient more than its degree, and needs as many points; got "
                f"--most {self.most} and --points {self.points}: give more points"
            )


@dataclass(frozen=True)
class Results:
    noise: float
    points: list[list[float]]
    validation_points: list[list[float]]
    curves: dict[str, list[float]]
    degrees: list[int]
    train_rmse: list[float]
    validation_rmse: list[float]
    validation_quartiles: list[list[float]]
    chosen: list[int]
    validation_of_chosen: float
    test_of_chosen: float
    chosen_better_on_validation: float


def wave(x: Tensor) -> Tensor:
    return torch.sin(math.pi * x)


def draw(count: int, noise: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return inputs between -1 and 1 and noisy targets."""
    x = 2 * torch.rand(count, generator=generator, dtype=torch.float64) - 1
    return x, wave(x) + noise * torch.randn(count, generator=generator, dtype=torch.float64)


def powers(x: Tensor, degree: int) -> Tensor:
    """Return 1, x, x^2, ... in columns, (points, degree + 1)."""
    return x[:, None] ** torch.arange(degree + 1)


def fit(x: Tensor, y: Tensor, degree: int) -> Tensor:
    """Return the coefficients of the least-squares fit."""
    return torch.linalg.lstsq(powers(x, degree), y[:, None]).solution[:, 0]


def root_mean_square_error(coefficients: Tensor, x: Tensor, y: Tensor) -> float:
    return (powers(x, len(coefficients) - 1) @ coefficients - y).square().mean().sqrt().item()


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    degrees = range(config.most + 1)
    trained, validated, choices, winners = [], [], [], []
    shown = None
    for _ in range(config.draws):
        (x, y), validation = (draw(config.points, config.noise, generator) for _ in range(2))
        test = draw(TESTS, config.noise, generator)
        shown = shown or (x, y, *validation)
        fits = [fit(x, y, degree) for degree in degrees]
        trained.append([root_mean_square_error(coefficients, x, y) for coefficients in fits])
        validated.append([root_mean_square_error(coefficients, *validation) for coefficients in fits])
        choices.append(validated[-1].index(min(validated[-1])))
        winners.append((validated[-1][choices[-1]], root_mean_square_error(fits[choices[-1]], *test)))
    assert shown is not None
    train_rmse = torch.tensor(trained).quantile(0.5, dim=0).tolist()
    quartiles = torch.tensor(validated).quantile(torch.tensor([0.25, 0.5, 0.75]), dim=0)  # (3, degrees)
    line = torch.linspace(-1, 1, 81, dtype=torch.float64)
    curves = {f"degree {degree}": powers(line, degree) @ fit(*shown[:2], degree) for degree in DRAWN}
    for degree, on_train, on_validation in zip(degrees, train_rmse, quartiles[1].tolist(), strict=True):
        print(f"degree {degree:>2}: error {on_train:.3f} on training points, {on_validation:.3f} on validation points")
    on_validation, on_test = torch.tensor(winners).quantile(0.5, dim=0).tolist()
    flattered = sum(validation < test for validation, test in winners) / config.draws
    print(f"of the chosen degree: {on_validation:.3f} on validation points, {on_test:.3f} on test points; ", end="")
    print(f"the validation error is the lower one in {flattered:.0%} of the draws")
    return Results(
        noise=config.noise,
        points=torch.stack(shown[:2]).tolist(),
        validation_points=torch.stack(shown[2:]).tolist(),
        curves={"x": line.tolist(), "wave": wave(line).tolist()} | {n: curve.tolist() for n, curve in curves.items()},
        degrees=list(degrees),
        train_rmse=train_rmse,
        validation_rmse=quartiles[1].tolist(),
        validation_quartiles=quartiles[::2].tolist(),
        chosen=[choices.count(degree) for degree in degrees],
        validation_of_chosen=on_validation,
        test_of_chosen=on_test,
        chosen_better_on_validation=flattered,
    )


def plot(results: Results) -> Figure:
    """Draw three fits, and the errors by degree."""
    figure, panels = new_figure(9.6, 6.4, rows=2, columns=2)
    titles = ("degree 1: too simple", "degree 3: about right", "degree 12: too flexible")
    for axes, degree, title in zip(panels.flat, DRAWN, titles, strict=False):
        axes.plot(results.curves["x"], results.curves["wave"], color="0.6", linestyle="--", label="wave")
        axes.plot(results.curves["x"], results.curves[f"degree {degree}"], color="C3", label="fit")
        axes.plot(*results.points, "o", color="C0", label="training points")
        axes.plot(*results.validation_points, "x", color="C1", label="validation points")
        axes.set(xlabel="input x", ylabel="target y", ylim=(-2.2, 2.2), title=title)
    panels[0, 0].legend(loc="upper left", fontsize=8)
    axes = panels[1, 1]
    axes.plot(results.degrees, results.train_rmse, marker="o", color="C0")
    axes.plot(results.degrees, results.validation_rmse, marker="x", color="C1")
    axes.fill_between(results.degrees, *results.validation_quartiles, color="C1", alpha=0.2, linewidth=0)
    axes.axhline(results.noise, color="0.5", linestyle=":")
    axes.text(results.degrees[-1], results.noise * 1.06, "noise", color="0.4", ha="right")
    axes.text(7, results.validation_rmse[7] * 1.5, "validation", color="C1", ha="right")
    axes.text(9, results.train_rmse[9] * 0.55, "training", color="C0", ha="right")
    axes.set(xlabel="degree of the polynomial", ylabel="root mean square error", yscale="log",
             title="error by degree, median of all draws")  # fmt: skip
    ticks = (0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks(results.degrees[::2])
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

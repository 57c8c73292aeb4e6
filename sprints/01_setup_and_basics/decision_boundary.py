"""What does a hidden layer buy? Networks of several widths between a linear model and the best possible classifier.

    uv run sprints/01_setup_and_basics/decision_boundary.py

Two moons are drawn from a known density, so the classifier that no other can beat is known too. The width is chosen on
validation points; the test points are used once, for the table. Theory: notes/10_what_a_hidden_layer_buys.md
"""

import statistics
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from sklearn.datasets import make_moons
from sklearn.linear_model import LogisticRegression
from torch import nn
from torch.nn import functional
from tqdm import tqdm

from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything

# Returns the probability of class 1 at each point (points, 2).
Classifier = Callable[[np.ndarray], np.ndarray]
COLUMNS, ROWS = np.linspace(-2, 3, 41), np.linspace(-1.5, 2, 29)
TOLERANCE = {
    "validation_accuracies.*": TRAINED,
    "test_chosen.*": TRAINED,
    # A point on the border, or the third digit of a probability, may fall to the other side.
    "*_linear": Tolerance(absolute=1e-3),
    "*_optimum": Tolerance(absolute=1e-3),
    "maps.*": Tolerance(absolute=1e-3),
    "maps.*hidden unit*": TRAINED,
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    examples: AtLeastTwo = 400  # training points
    validation_examples: PositiveInt = 2000  # validation points
    test_examples: PositiveInt = 20_000  # test points
    noise: PositiveFloat = 0.25  # standard deviation of the points around their moon
    widths: tuple[PositiveInt, ...] = (1, 2, 3, 4, 8, 32)  # hidden units
    seeds: PositiveInt = 10  # networks of each width, from different weights
    steps: PositiveInt = 500  # steps of Adam on all training points
    learning_rate: PositiveFloat = 0.03  # its learning rate


@dataclass(frozen=True)
class Results:
    validation_accuracies: dict[str, list[float]]
    validation_linear: float
    validation_optimum: float
    chosen_width: int
    test_chosen: list[float]
    test_linear: float
    test_optimum: float
    train_points: list[list[float]]
    train_labels: list[int]
    maps: dict[str, list[list[float]]]


def best_classifier(noise: float) -> Classifier:
    """Return the Bayes classifier of two moons: compare densities, each a mean of Gaussians along its half circle."""
    angles = np.linspace(0, np.pi, 200)
    moons = (
        np.stack([np.cos(angles), np.sin(angles)], axis=1),
        np.stack([1 - np.cos(angles), 0.5 - np.sin(angles)], axis=1),
    )

    def probability(points: np.ndarray) -> np.ndarray:
        densities = []
        for moon in moons:
            squares = ((points[:, None] - moon) ** 2).sum(axis=2)  # (points, angles)
            densities.append(np.exp(-squares / (2 * noise**2)).mean(axis=1))
        # Far from both moons both densities round to zero.
        return densities[1] / np.maximum(densities[0] + densities[1], np.finfo(float).tiny)

    return probability


def train_network(
    width: int, points: np.ndarray, labels: np.ndarray, config: Config, seed: int, device: torch.device
) -> Classifier:
    """Return a trained network with one hidden layer."""
    seed_everything(seed)
    model = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, 2)).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate)
    inputs, targets = torch.from_numpy(points).float().to(device), torch.from_numpy(labels).to(device)
    for _ in range(config.steps):
        loss = functional.cross_entropy(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    @torch.no_grad()
    def probability(points: np.ndarray) -> np.ndarray:
        return model(torch.from_numpy(points).float().to(device)).softmax(dim=1)[:, 1].cpu().numpy()

    return probability


def accuracy(classifier: Classifier, points: np.ndarray, labels: np.ndarray) -> float:
    return float(((classifier(points) > 0.5) == labels).mean())


def draw_map(classifier: Classifier) -> list[list[float]]:
    """Return the probability of class 1 on a grid."""
    grid = np.stack(np.meshgrid(COLUMNS, ROWS), axis=-1).reshape(-1, 2)
    return classifier(grid).reshape(len(ROWS), len(COLUMNS)).round(3).tolist()


def draw_splits(config: Config) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return points and labels to train, validate and test on; no two splits, of any --seed, share a seed."""
    sizes = (config.examples, config.validation_examples, config.test_examples)
    return [
        make_moons(size, noise=config.noise, random_state=3 * config.seed + number) for number, size in enumerate(sizes)
    ]


def main(config: Config) -> Results:
    device = pick_device(config.device)
    train, validation, test = draw_splits(config)
    regression, optimum = LogisticRegression().fit(*train), best_classifier(config.noise)

    def linear(points: np.ndarray) -> np.ndarray:
        return regression.predict_proba(points)[:, 1]

    networks = {
        width: [train_network(width, *train, config, config.seed + number, device) for number in range(config.seeds)]
        for width in tqdm(config.widths, desc="widths", leave=False)
    }
    validated = {width: [accuracy(network, *validation) for network in trained] for width, trained in networks.items()}
    # Of equally good widths the smallest.
    chosen = max(sorted(validated), key=lambda width: statistics.mean(validated[width]))
    shown = {"linear": linear}
    for width in sorted({min(networks), chosen}):
        shown[f"{width} hidden unit{'s' * (width > 1)}"] = networks[width][0]
    shown["optimum"] = optimum
    results = Results(
        validation_accuracies={str(width): accuracies for width, accuracies in validated.items()},
        validation_linear=accuracy(linear, *validation),
        validation_optimum=accuracy(optimum, *validation),
        chosen_width=chosen,
        test_chosen=[accuracy(network, *test) for network in networks[chosen]],
        test_linear=accuracy(linear, *test),
        test_optimum=accuracy(optimum, *test),
        train_points=train[0].round(3).tolist(),
        train_labels=train[1].tolist(),
        maps={name: draw_map(classifier) for name, classifier in shown.items()},
    )
    print(f"validation: linear {results.validation_linear:.1%}, optimum {results.validation_optimum:.1%}")
    for width, accuracies in validated.items():
        print(f"  {width:3d} hidden units {statistics.mean(accuracies):.1%}, ", end="")
        print(f"{min(accuracies):.1%} to {max(accuracies):.1%}")
    print(f"test: linear {results.test_linear:.2%}, optimum {results.test_optimum:.2%}, {chosen} hidden units ", end="")
    print(
        f"{statistics.mean(results.test_chosen):.2%}, {min(results.test_chosen):.2%} to {max(results.test_chosen):.2%}"
    )
    return results


def plot(results: Results) -> Figure:
    """Draw which class each model thinks more probable, its boundary, and the training points."""
    figure, axes = new_figure(8, 6.2, rows=2, columns=2)
    points, labels = np.array(results.train_points), np.array(results.train_labels)
    for panel, (name, probabilities) in zip(axes.flat, results.maps.items(), strict=False):
        shades = panel.contourf(COLUMNS, ROWS, probabilities, levels=np.linspace(0, 1, 11), cmap="coolwarm", alpha=0.5)
        panel.contour(COLUMNS, ROWS, probabilities, levels=[0.5], colors="black", linewidths=1.8)
        for label, (colour, marker) in enumerate(((COLOURS[0], "o"), (COLOURS[3], "^"))):
            panel.scatter(*points[labels == label].T, s=9, color=colour, marker=marker, linewidths=0)
        panel.set(title=name, xlim=(-2, 3), ylim=(-1.5, 2), xlabel="first feature", ylabel="second feature")
        panel.label_outer()
        panel.grid(False)
    figure.colorbar(shades, ax=axes, label="probability of class 1", shrink=0.7)
    marks = [
        Line2D([], [], color=COLOURS[0], marker="o", linestyle="", label="class 0, training points"),
        Line2D([], [], color=COLOURS[3], marker="^", linestyle="", label="class 1"),
        Line2D([], [], color="black", linewidth=1.8, label="boundary: both classes equally probable"),
    ]
    figure.legend(handles=marks, loc="outside upper center", ncols=3, fontsize=9)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)

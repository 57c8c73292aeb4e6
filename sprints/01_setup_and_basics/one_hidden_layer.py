"""Are they the same? A network with one hidden layer by hand in NumPy, with autograd, and with nn.Module.

    uv run sprints/01_setup_and_basics/one_hidden_layer.py

Each of the three is an iterator that yields loss, gradients and weights of every step; all three start from the same
weights and are compared step by step. Finite differences, which know nothing of the chain rule, check the gradient.
Theory: notes/09_one_hidden_layer.md
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from sklearn.datasets import make_moons
from torch import nn
from torch.nn import functional

from shared.lab.compare import ROUNDING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveFloat, PositiveInt
from shared.lab.run import run

Arrays = dict[str, np.ndarray]
CLASSES = 2
# With the shorter steps what is left of a difference is rounding, of which only the size is the same everywhere.
TOLERANCE = {"finite_errors.*": Tolerance(relative=9.0, absolute=1e-6), "finite_errors.*.[0-2]": ROUNDING}


@dataclass(frozen=True)
class Config(ScriptConfig):
    examples: AtLeastTwo = 200  # points of two moons
    hidden: PositiveInt = 16  # hidden units
    steps: PositiveInt = 300  # steps of gradient descent on all points
    learning_rate: PositiveFloat = 0.5  # its learning rate


@dataclass(frozen=True)
class Results:
    losses: list[float]
    guessing: float
    differences: dict[str, list[float]]
    finite_steps: list[float]
    finite_errors: dict[str, list[float]]


class Step(NamedTuple):
    """The loss and gradients at the weights before a step, and the weights after it."""

    loss: float
    gradients: Arrays
    weights: Arrays


def initial_weights(inputs: int, hidden: int, seed: int) -> Arrays:
    """Return normal weights of variance 1 / inputs of the layer, which keeps the size of sums; biases are 0."""
    generator = np.random.default_rng(seed)
    return {
        "hidden_weight": generator.normal(0, inputs**-0.5, (inputs, hidden)),
        "hidden_bias": np.zeros(hidden),
        "output_weight": generator.normal(0, hidden**-0.5, (hidden, CLASSES)),
        "output_bias": np.zeros(CLASSES),
    }


def loss_and_gradients(weights: Arrays, inputs: np.ndarray, labels: np.ndarray) -> tuple[float, Arrays]:
    """Return the mean cross-entropy and its derivatives, each line of the backward pass undoing one of the forward."""
    examples = np.arange(len(labels))
    hidden = np.tanh(inputs @ weights["hidden_weight"] + weights["hidden_bias"])  # (examples, hidden)
    scores = hidden @ weights["output_weight"] + weights["output_bias"]  # (examples, classes)
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -log_probabilities[examples, labels].mean()

    # d loss / d scores = (probabilities - one-hot labels) / examples
    to_scores = np.exp(log_probabilities)
    to_scores[examples, labels] -= 1
    to_scores /= len(labels)
    # through the product: d loss / d hidden; through tanh: its derivative is 1 - tanh^2
    to_hidden = to_scores @ weights["output_weight"].T
    to_sums = to_hidden * (1 - hidden**2)
    return float(loss), {
        "hidden_weight": inputs.T @ to_sums,
        "hidden_bias": to_sums.sum(axis=0),
        "output_weight": hidden.T @ to_scores,
        "output_bias": to_scores.sum(axis=0),
    }


def by_hand(weights: Arrays, inputs: np.ndarray, labels: np.ndarray, learning_rate: float) -> Iterator[Step]:
    """Train with NumPy alone."""
    while True:
        loss, gradients = loss_and_gradients(weights, inputs, labels)
        weights = {name: weights[name] - learning_rate * gradients[name] for name in weights}
        yield Step(loss, gradients, weights)


def with_autograd(weights: Arrays, inputs: np.ndarray, labels: np.ndarray, learning_rate: float) -> Iterator[Step]:
    """Train with tensors: the forward pass is written out, the backward pass is PyTorch's."""
    tensors = {name: torch.tensor(array, requires_grad=True) for name, array in weights.items()}
    x, y = torch.from_numpy(inputs), torch.from_numpy(labels)
    while True:
        hidden = (x @ tensors["hidden_weight"] + tensors["hidden_bias"]).tanh()
        scores = hidden @ tensors["output_weight"] + tensors["output_bias"]
        loss = -scores.log_softmax(dim=1)[torch.arange(len(y)), y].mean()
        gradients = dict(zip(tensors, torch.autograd.grad(loss, list(tensors.values())), strict=True))
        with torch.no_grad():
            for name, tensor in tensors.items():
                tensor -= learning_rate * gradients[name]
        yield Step(loss.item(), arrays(gradients), arrays(tensors))


def with_module(weights: Arrays, inputs: np.ndarray, labels: np.ndarray, learning_rate: float) -> Iterator[Step]:
    """Train an nn.Sequential with an optimizer, as everybody does."""
    model = nn.Sequential(
        nn.Linear(*weights["hidden_weight"].shape), nn.Tanh(), nn.Linear(*weights["output_weight"].shape)
    )
    model = model.double()
    with torch.no_grad():
        for parameter, (name, array) in zip(model.parameters(), weights.items(), strict=True):
            parameter.copy_(torch.from_numpy(turned(name, array)))
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    x, y = torch.from_numpy(inputs), torch.from_numpy(labels)
    while True:
        optimizer.zero_grad()
        loss = functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        named = dict(zip(weights, model.parameters(), strict=True))
        gradients = {name: turned(name, array) for name, array in arrays({n: p.grad for n, p in named.items()}).items()}
        yield Step(loss.item(), gradients, {name: turned(name, array) for name, array in arrays(named).items()})


def turned(name: str, array: np.ndarray) -> np.ndarray:
    """Return a matrix transposed and a bias as it is: nn.Linear stores its weight as (outputs, inputs)."""
    return array.T if name.endswith("weight") else array


def arrays(tensors: dict) -> Arrays:
    return {name: tensor.detach().numpy().copy() for name, tensor in tensors.items()}


def difference(step: Step, other: Step) -> float:
    """Return the largest difference of any number of two steps: loss, gradients and weights."""
    pairs = [(step.gradients[name], other.gradients[name]) for name in step.gradients]
    pairs += [(step.weights[name], other.weights[name]) for name in step.weights]
    return max(abs(step.loss - other.loss), *(float(np.abs(a - b).max()) for a, b in pairs))


def finite_difference_error(
    weights: Arrays, inputs: np.ndarray, labels: np.ndarray, step: float, *, central: bool
) -> float:
    """Return the relative error of the whole gradient when each weight is moved by a step, forward or both ways."""
    true = loss_and_gradients(weights, inputs, labels)[1]
    estimate = {name: np.zeros_like(array) for name, array in weights.items()}
    for name, array in weights.items():
        for index in np.ndindex(array.shape):
            losses = []
            for shift in (step, -step if central else 0.0):
                moved = array.copy()
                moved[index] += shift
                losses.append(loss_and_gradients(weights | {name: moved}, inputs, labels)[0])
            estimate[name][index] = (losses[0] - losses[1]) / (2 * step if central else step)
    off = math.hypot(*(np.linalg.norm(estimate[name] - true[name]) for name in true))
    return off / math.hypot(*(np.linalg.norm(true[name]) for name in true))


def main(config: Config) -> Results:
    inputs, labels = make_moons(config.examples, noise=0.2, random_state=config.seed)
    start = initial_weights(inputs.shape[1], config.hidden, config.seed)
    trainings = [train(start, inputs, labels, config.learning_rate) for train in (by_hand, with_autograd, with_module)]
    losses, differences = [], {"autograd": [], "nn.Module": []}
    for step in range(config.steps):
        hand, autograd, module = map(next, trainings)
        losses.append(hand.loss)
        differences["autograd"].append(difference(hand, autograd))
        differences["nn.Module"].append(difference(hand, module))
        if step % max(1, config.steps // 5) == 0:
            print(f"step {step:4d}  loss {hand.loss:.6f}  {autograd.loss:.6f}  {module.loss:.6f}")
    guessing = math.log(CLASSES)
    print(f"loss {losses[-1]:.4f} at the end, of guessing {guessing:.4f}")
    for name, by_step in differences.items():
        print(f"by hand and {name}: no loss, gradient or weight differs by more than {max(by_step):.0e} in any step")

    sizes = [10.0**-power for power in range(1, 13)]
    finite = {
        kind: [finite_difference_error(start, inputs, labels, size, central=kind == "central") for size in sizes]
        for kind in ("forward", "central")
    }
    for kind, errors in finite.items():
        best = int(np.argmin(errors))
        print(
            f"{kind} differences come as near as {errors[best]:.0e} to the gradient, with a step of {sizes[best]:.0e}"
        )
    return Results(losses, guessing, differences, sizes, finite)


def plot(results: Results) -> Figure:
    """Draw the loss, the differences of the three networks, and the error of finite differences by their step."""
    figure, (left, middle, right) = new_figure(9, 3.5, columns=3)
    left.plot(results.losses, label="all three networks")
    left.axhline(results.guessing, color="black", linestyle=":", label="guessing")
    left.set(xlabel="step", ylabel="cross-entropy", ylim=(0, None))
    for (name, differences), style in zip(results.differences.items(), ("-", "--"), strict=True):
        middle.plot(np.maximum(differences, 1e-18), style, label=f"by hand and {name}")
    middle.axhline(2**-52, color="black", linestyle=":", label="spacing of float64 at 1")
    middle.set(yscale="log", xlabel="step", ylabel="largest difference", ylim=(1e-18, 1e-12))
    for kind, errors in results.finite_errors.items():
        right.plot(results.finite_steps, errors, marker=".", label=f"{kind} differences")
    right.set(xscale="log", yscale="log", xlabel="step of the difference", ylabel="relative error of the gradient")
    for axes in (left, middle, right):
        axes.legend(fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)

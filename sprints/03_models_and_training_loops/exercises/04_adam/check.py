"""Checks of Adam: beside torch.optim.Adam, which gets the same gradients."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def library(weight: Tensor, gradients: Tensor, lr: float, betas: tuple[float, float], eps: float) -> Tensor:
    """Return the path of torch.optim.Adam."""
    place = weight.clone()
    optimizer = torch.optim.Adam([place], lr=lr, betas=betas, eps=eps)
    path = []
    for gradient in gradients:
        place.grad = gradient.clone()
        optimizer.step()
        path.append(place.clone())
    return torch.stack(path)


def with_fault(
    weight: Tensor, gradients: Tensor, lr: float, betas: tuple[float, float], eps: float, fault: str
) -> Tensor:
    """Return the path of Adam with one thing wrong."""
    (beta1, beta2), path = betas, []
    mean, square = torch.zeros_like(weight), torch.zeros_like(weight)
    for step, gradient in enumerate(gradients, start=1):
        mean = gradient if fault == "no mean" else beta1 * mean + (1 - beta1) * gradient
        squared = gradient if fault == "not squared" else mean**2 if fault == "square of the mean" else gradient**2
        square = beta2 * square + (1 - beta2) * squared
        power = 1 if fault == "one power" else step
        unbiased_mean = mean if fault in ("no correction", "second only", "no mean") else mean / (1 - beta1**power)
        unbiased_square = square if fault in ("no correction", "first only") else square / (1 - beta2**power)
        if fault == "kept":
            mean, square = unbiased_mean, unbiased_square
        if fault == "eps inside":
            root = (unbiased_square + eps).sqrt()
        else:
            root = (unbiased_square if fault == "no root" else unbiased_square.sqrt()) + eps
        weight = weight + (1 if fault == "climbs" else -1) * lr * unbiased_mean / root
        path.append(weight)
    return torch.stack(path)


FAULTS = {
    "no correction": "The bias correction is missing: both means start at 0 and are too small at first.",
    "first only": "Only the first mean is corrected: the mean of squares starts at 0 as well.",
    "second only": "Only the mean of squares is corrected: the first mean starts at 0 as well.",
    "one power": "The correction is that of step 1 in every step: it is 1 - beta to the power of the step.",
    "no root": "The mean is divided by the mean of squares, and not by its root.",
    "not squared": "The second mean is of the gradients; it must be of their squares.",
    "eps inside": "eps stands inside the root; it is added to the root.",
    "kept": "The corrected means are kept for the next step: keep the uncorrected ones.",
    "square of the mean": "The second mean is of the square of the mean; it must be of the squares of the gradients.",
    "no mean": "The gradient itself is divided by the root; it must be the mean of the gradients.",
    "climbs": "It climbs: subtract the step.",
}


def compare(
    learner: Any,
    weight: list[float],
    gradients: list[list[float]],
    lr: float,
    betas: tuple[float, float] = (0.9, 0.999),
    eps: float = 1e-8,
) -> None:
    place, slopes = torch.tensor(weight), torch.tensor(gradients)
    expected = library(place, slopes, lr, betas, eps)
    mistakes = {sentence: with_fault(place, slopes, lr, betas, eps, fault) for fault, sentence in FAULTS.items()}
    mistakes |= {
        "It returns where it starts as well; return the places after each step.": torch.cat([place[None], expected]),
        "It returns the last place only.": expected[-1],
    }
    given = {"weight": place, "gradients": slopes, "learning_rate": lr}
    given |= {"beta1": betas[0], "beta2": betas[1], "eps": eps}
    expect(learner.adam_path, given, expected, mistakes)


def check_two_steps(learner: Any) -> None:
    """The two steps of note 6."""
    compare(learner, [4.0, 1.0], [[4.0, 10.0], [3.5, 5.0]], 0.5)


def check_first_step(learner: Any) -> None:
    """The first step has the size of the learning rate, whatever the gradient."""
    compare(learner, [1.0, 1.0, 1.0], [[0.01, -3.0, 500.0]], 0.1)


def check_many_steps(learner: Any) -> None:
    """Five steps with gradients that change their sign."""
    compare(learner, [0.5, -0.5], [[1.0, 2.0], [-1.0, 1.0], [0.5, -3.0], [2.0, 0.5], [-0.5, 1.0]], 0.1)


def check_other_settings(learner: Any) -> None:
    """Other betas, and an eps that is large enough to be seen."""
    compare(learner, [1.0, -2.0], [[0.3, -0.1], [0.1, 0.2], [0.2, -0.3]], 0.2, (0.5, 0.8), 0.1)


def check_no_gradient(learner: Any) -> None:
    """A gradient of 0 moves nothing."""
    compare(learner, [1.0, 2.0], [[0.0, 1.0], [0.0, 1.0]], 0.1)

"""Checks of SGD with momentum: beside torch.optim.SGD, which gets the same gradients."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def library(weight: Tensor, gradients: Tensor, **settings: Any) -> Tensor:
    """Return the path of torch.optim.SGD."""
    place = weight.clone()
    optimizer = torch.optim.SGD([place], **settings)
    path = []
    for gradient in gradients:
        place.grad = gradient.clone()
        optimizer.step()
        path.append(place.clone())
    return torch.stack(path)


def compare(learner: Any, weight: list[float], gradients: list[list[float]], lr: float, momentum: float) -> None:
    place, slopes = torch.tensor(weight), torch.tensor(gradients)
    expected = library(place, slopes, lr=lr, momentum=momentum)
    late = torch.cat([place[None], expected[:-1]])  # moved by the velocity of the step before
    mistakes = {
        "There is no momentum in it: the velocity is forgotten after each step.": library(place, slopes, lr=lr),
        "Only a part of the gradient goes into the velocity, as in a mean; here all of it does.": (
            place - (1 - momentum) * (place - expected)
        ),
        "It climbs: subtract the velocity.": 2 * place - expected,
        "It moves with the velocity of the step before: renew the velocity first.": late,
        "It is Nesterov's variant, which adds the gradient once more.": library(
            place, slopes, lr=lr, momentum=momentum, nesterov=momentum > 0
        ),
        "The gradient is multiplied by the momentum as well.": place - momentum * (place - expected),
        "It returns where it starts as well; return the places after each step.": torch.cat([place[None], expected]),
        "It returns the last place only.": expected[-1],
        "All rows are the same tensor, which was changed in place: keep a copy of each.": expected[-1].expand_as(
            expected
        ),
    }
    given = {"weight": place, "gradients": slopes, "learning_rate": lr, "momentum": momentum}
    expect(learner.momentum_path, given, expected, mistakes)


def check_two_steps(learner: Any) -> None:
    """The two steps of note 6."""
    compare(learner, [4.0, 1.0], [[4.0, 10.0], [3.4, -5.0]], 0.15, 0.9)


def check_steady_gradient(learner: Any) -> None:
    """With a steady gradient the steps grow."""
    compare(learner, [0.0], [[1.0], [1.0], [1.0], [1.0]], 0.1, 0.6)


def check_without_momentum(learner: Any) -> None:
    """With momentum 0 it is plain SGD."""
    compare(learner, [1.0, 2.0, 3.0], [[1.0, 0.0, -1.0], [0.5, 2.0, -1.0]], 0.5, 0.0)


def check_it_rolls_on(learner: Any) -> None:
    """Without a gradient it rolls on."""
    compare(learner, [2.0, -1.0], [[1.0, -2.0], [0.0, 0.0], [0.0, 0.0]], 0.1, 0.8)

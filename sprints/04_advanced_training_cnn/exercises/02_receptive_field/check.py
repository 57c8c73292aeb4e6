"""Checks of the receptive field: beside the pixels that have a gradient."""

import math
from typing import Any

import torch
from torch.nn import functional

from shared.lab.checking import expect

Layers = list[tuple[int, int, int]]


def measured(layers: Layers) -> int:
    """Return over how many pixels the gradient of one feature reaches, with positive weights."""
    pixels = torch.zeros(1, 1, 400, requires_grad=True)
    features = pixels
    for kernel, stride, dilation in layers:
        weights = torch.ones(1, 1, kernel, dtype=torch.float32) / kernel
        features = functional.conv1d(features, weights, stride=stride, dilation=dilation)
    (gradient,) = torch.autograd.grad(features[0, 0, features.shape[2] // 2], pixels)
    seen = gradient[0, 0].nonzero()[:, 0]
    return int(seen[-1] - seen[0]) + 1


def compare(learner: Any, layers: Layers) -> None:
    before = [math.prod(stride for _, stride, _ in layers[:index]) for index in range(len(layers))]
    steps = [(kernel, dilation, step) for (kernel, _, dilation), step in zip(layers, before, strict=True)]
    expected = measured(layers)
    mistakes = {
        "It adds whole windows: neighbouring windows overlap, so a layer adds kernel − 1.": sum(
            kernel * dilation * step for kernel, dilation, step in steps
        ),
        "The feature itself is missing: begin with 1.": sum((k - 1) * dilation * step for k, dilation, step in steps),
        "The strides are not used: behind a stride of 2 a step is worth two pixels.": 1
        + sum((kernel - 1) * dilation for kernel, _, dilation in layers),
        "The stride of a layer counts for the layers after it, not for itself.": 1
        + sum((k - 1) * d * step * stride for (k, d, step), (_, stride, _) in zip(steps, layers, strict=True)),
        "The dilation is not used.": 1 + sum((kernel - 1) * step for kernel, _, step in steps),
        "Only the stride of the layer before counts; it must be the product of all before it.": 1
        + sum(
            (kernel - 1) * dilation * (layers[index - 1][1] if index else 1)
            for index, (kernel, _, dilation) in enumerate(layers)
        ),
        "Strides are added up; steps multiply.": 1
        + sum(
            (kernel - 1) * dilation * (sum(stride for _, stride, _ in layers[:index]) if index else 1)
            for index, (kernel, _, dilation) in enumerate(layers)
        ),
        "The layers are taken from the last to the first.": 1
        + sum(
            (kernel - 1) * dilation * math.prod(stride for _, stride, _ in layers[index + 1 :])
            for index, (kernel, _, dilation) in enumerate(layers)
        ),
    }
    kernels, strides, dilations = (list(each) for each in zip(*layers, strict=True)) if layers else ([], [], [])
    given = {"kernels": kernels, "strides": strides, "dilations": dilations}
    expect(learner.receptive_field, given, expected, mistakes)


def check_note_2(learner: Any) -> None:
    """The three layers of note 2."""
    compare(learner, [(3, 1, 1), (3, 2, 1), (3, 1, 1)])


def check_one_layer(learner: Any) -> None:
    """One layer of 7 sees 7 pixels, whatever its stride."""
    compare(learner, [(7, 2, 1)])


def check_pooling(learner: Any) -> None:
    """LeNet: convolve and pool, twice."""
    compare(learner, [(5, 1, 1), (2, 2, 1), (5, 1, 1), (2, 2, 1)])


def check_halvings(learner: Any) -> None:
    """Three halvings: a step at the end is worth eight pixels."""
    compare(learner, [(3, 2, 1), (3, 2, 1), (3, 2, 1), (3, 1, 1)])


def check_dilation(learner: Any) -> None:
    """Dilation 1, 2, 4, after a stride."""
    compare(learner, [(3, 2, 1), (3, 1, 2), (3, 1, 4)])


def check_nothing(learner: Any) -> None:
    """Without layers a feature is a pixel."""
    compare(learner, [])

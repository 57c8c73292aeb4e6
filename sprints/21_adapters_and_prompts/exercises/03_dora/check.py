"""Checks of `dora`: the example of the note, both layouts, the bias, and the gradient."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect

NAMES = ("x", "weight", "bias", "down", "up", "scale", "length", "transposed")


def draw(*shape: int, seed: int) -> Tensor:
    """Return small numbers of one decimal."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).mul(10).round().div(10)


def layer(outputs: int, inputs: int, seed: int) -> tuple[Tensor, ...]:
    """Return W (out, in), b, A, B and m; the lengths m are positive."""
    shapes = ((outputs, inputs), (outputs,), (2, inputs), (outputs, 2))
    weight, bias, down, up = (draw(*shape, seed=seed + index) for index, shape in enumerate(shapes))
    return weight, bias, down, up, draw(outputs, seed=seed + 9).abs() + 1


def right(x: Tensor, turned: Tensor, bias: Tensor, lengths: Tensor, length: Tensor) -> Tensor:
    return length / lengths * (x @ turned.mT) + bias


def compare(
    learner: Any, x: Tensor, weight: Tensor, bias: Tensor, down: Tensor, up: Tensor, scale: float, length: Tensor,
    transposed: bool,
) -> None:  # fmt: skip
    turned = weight + scale * up @ down
    rows = turned.norm(dim=1)
    mistakes = {
        "It is LoRA: the lengths are missing.": x @ turned.mT + bias,
        "The rows are not divided by their lengths.": right(x, turned, bias, torch.ones_like(rows), length),
        "The lengths are those of W; they must be those of V.": right(x, turned, bias, weight.norm(dim=1), length),
        "All rows are divided by one length, that of the whole matrix.": right(x, turned, bias, turned.norm(), length),
        "The bias is stretched too: it has no direction.": length / rows * (x @ turned.mT + bias),
        "The bias is missing.": right(x, turned, torch.zeros_like(bias), rows, length),
        "The scale is missing.": right(x, weight + up @ down, bias, (weight + up @ down).norm(dim=1), length),
        "The lengths are added up from squares, and the root is missing.": right(x, turned, bias, rows**2, length),
    }
    if turned.shape[0] == turned.shape[1]:
        columns = right(x, turned, bias, turned.norm(dim=0), length)
        mistakes["The lengths are those of the inputs: along which axis do the weights of one output lie?"] = columns
    values = (x, weight.mT.contiguous() if transposed else weight, bias, down, up, scale, length, transposed)
    given = dict(zip(NAMES, values, strict=True))
    expect(learner.dora, given, right(x, turned, bias, rows, length), mistakes)


def check_the_example_of_the_note(learner: Any) -> None:
    """The layer gives (22, 2)."""
    weight, down, up = torch.tensor([[3.0, 4], [0, 2]]), torch.tensor([[1.0, -1]]), torch.tensor([[1.0], [0]])
    x, length = torch.tensor([2.0, 1]), torch.tensor([10.0, 2])
    compare(learner, x, weight, torch.zeros(2), down, up, 1.0, length, transposed=False)


def check_bias_scale_and_a_batch(learner: Any) -> None:
    """Three inputs of four features, three outputs, with a bias and a scale."""
    weight, bias, down, up, length = layer(3, 4, seed=1)
    compare(learner, draw(3, 4, seed=0), weight, bias, down, up, 0.5, length, transposed=False)


def check_conv1d(learner: Any) -> None:
    """The layout of Conv1D, square, where no shape gives a mistake away."""
    weight, bias, down, up, length = layer(3, 3, seed=20)
    compare(learner, draw(2, 3, seed=5), weight, bias, down, up, 2.0, length, transposed=True)


def check_conv1d_of_another_shape(learner: Any) -> None:
    """The layout of Conv1D, four features in and three out."""
    weight, bias, down, up, length = layer(3, 4, seed=40)
    compare(learner, draw(2, 4, seed=6), weight, bias, down, up, 2.0, length, transposed=True)


def check_the_lengths_are_constants(learner: Any) -> None:
    """The gradient of B, with the lengths of V as constants."""
    weight, bias, down, up, length = layer(3, 4, seed=60)
    x = draw(2, 4, seed=7)

    def gradient(constant: bool) -> Tensor:
        moved = up.clone().requires_grad_()
        turned = weight + moved @ down
        rows = (turned.detach() if constant else turned).norm(dim=1)
        return torch.autograd.grad(right(x, turned, bias, rows, length).square().sum(), moved)[0]

    def learners(up: Tensor) -> Tensor:
        moved = up.clone().requires_grad_()
        output = learner.dora(x, weight, bias, down, moved, 1.0, length, False)
        return torch.autograd.grad(output.square().sum(), moved)[0]

    sentence = "The lengths of V get a gradient; they are to be constants: detach V before you take its norm."
    everything = "No gradient reaches B along the direction: detach V only where its length is taken."
    nothing = torch.zeros_like(up)
    expect(learners, {"up": up}, gradient(constant=True), {sentence: gradient(constant=False), everything: nothing})

"""Stacks of convolutions and poolings: their receptive field by formula, and the gradient that measures it."""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Layer(NamedTuple):
    """A convolution, or a pooling, which moves its window in the same way."""

    kernel: int
    stride: int = 1
    dilation: int = 1


def receptive_field(layers: list[Layer]) -> tuple[int, int]:
    """Return the receptive field of a stack, and the step in the image from one feature to the next.

    field = 1 + sum over layers of (kernel - 1) * dilation * (product of the strides before it)
    """
    field, step = 1, 1
    for layer in layers:
        field += (layer.kernel - 1) * layer.dilation * step
        step *= layer.stride
    return field, step


def build_stack(layers: list[Layer], channels: int, relu: bool) -> nn.Sequential:
    """Return a network of such convolutions without padding, so that no border disturbs the measurement."""
    parts: list[nn.Module] = []
    for number, (kernel, stride, dilation) in enumerate(layers):
        inputs = channels if number else 1
        parts.append(nn.Conv2d(inputs, channels, kernel, stride, dilation=dilation, bias=False))
        parts += [nn.ReLU()] * relu
    return nn.Sequential(*parts)


def middle_gradient(network: nn.Module, pixels: Float[Tensor, "1 1 height width"]) -> Float[Tensor, "height width"]:
    """Return the gradient of the middle feature with respect to the image."""
    pixels.requires_grad_()
    maps = network(pixels)
    middle = maps[0, 0, maps.shape[2] // 2, maps.shape[3] // 2]
    return torch.autograd.grad(middle, pixels)[0][0, 0]

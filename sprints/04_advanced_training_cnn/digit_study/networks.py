"""The networks: LeNet, and a small ResNet; each is a stem, blocks and a head by these names."""

from collections import OrderedDict

import torch
from torch import Tensor, nn

from digit_study.recipe import Recipe


def convolution(inputs: int, outputs: int, kernel: int, stride: int, norm: bool) -> nn.Sequential:
    """Return a convolution that keeps the size (or halves it, stride 2) and its batch norm, which has the bias."""
    layer = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=not norm)
    return nn.Sequential(layer, nn.BatchNorm2d(outputs)) if norm else nn.Sequential(layer)


class ResidualBlock(nn.Module):
    """Two convolutions that are added to what came in: relu(shortcut(x) + f(x)) (He et al. 2016, figure 2)."""

    def __init__(self, inputs: int, outputs: int, stride: int, norm: bool) -> None:
        super().__init__()
        self.first = convolution(inputs, outputs, 3, stride, norm)
        self.second = convolution(outputs, outputs, 3, 1, norm)
        same = inputs == outputs and stride == 1
        self.shortcut = nn.Identity() if same else convolution(inputs, outputs, 1, stride, norm)

    def forward(self, images: Tensor) -> Tensor:
        return (self.shortcut(images) + self.second(self.first(images).relu())).relu()


def resnet(widths: tuple[int, ...], *, pool: bool = False, norm: bool = True, dropout: float = 0.0) -> nn.Sequential:
    """Return a small ResNet: a stem, a block for each further width (all but the first halve the image), a mean.

    Args:
        widths: channels of the stem and of each block.
        pool: whether to halve the image after the stem.
        norm: whether there is batch norm behind each convolution.
        dropout: probability of dropping a feature before the last layer.
    """
    stem, *blocks = widths
    parts: OrderedDict[str, nn.Module] = OrderedDict(
        stem=nn.Sequential(convolution(1, stem, 3, 1, norm), nn.ReLU(), *[nn.MaxPool2d(2)] * pool)
    )
    for number, (inputs, outputs) in enumerate(zip(widths, blocks, strict=False), start=1):
        parts[f"block{number}"] = ResidualBlock(inputs, outputs, 1 if number == 1 else 2, norm)
    parts["head"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(dropout), nn.Linear(widths[-1], 10))
    return nn.Sequential(parts)


def lenet(size: int, dropout: float = 0.0) -> nn.Sequential:
    """Return a network on LeNet-5's plan (LeCun et al. 1998): twice convolve and pool, then three dense layers.

    With ReLU and max pooling where the original has tanh and means.

    Args:
        size: height and width of the images.
        dropout: probability of dropping a feature before the last layer.
    """
    parts: OrderedDict[str, nn.Module] = OrderedDict(
        stem=nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        block1=nn.Sequential(nn.Conv2d(6, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
    )
    dense = [nn.Linear(16 * (size // 4) ** 2, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU()]
    parts["head"] = nn.Sequential(nn.Flatten(), *dense, nn.Dropout(dropout), nn.Linear(84, 10))
    return nn.Sequential(parts)


def build_network(recipe: Recipe, size: int) -> nn.Sequential:
    """Return a new network for images of size x size, in the memory format that is best for it."""
    network = (
        lenet(size, recipe.dropout)
        if recipe.model == "lenet"
        else resnet(recipe.widths, pool=recipe.pool, norm=recipe.norm, dropout=recipe.dropout)
    )
    return network.to(memory_format=memory_format(network))


def memory_format(network: nn.Module) -> torch.memory_format:
    """Return in which order a network's images lie in memory: channels last, which is faster, where it is safe.

    On processors with AVX2 and no AVX-512, the gradient of a convolution in PyTorch 2.15 writes beyond its buffer if
    its channels lie last and are no multiple of 8. Images of one channel look the same in either order.
    """
    convolutions = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    safe = all(layer.out_channels % 8 == 0 for layer in convolutions)
    return torch.channels_last if safe else torch.contiguous_format

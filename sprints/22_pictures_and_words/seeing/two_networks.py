"""Two networks of equal size for the same pictures: a residual convolutional network and a vision transformer."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from shared.nn.vision_transformer import VisionConfig, VisionTransformer

Pictures = Float[Tensor, "batch channels height width"]
Logits = Float[Tensor, "batch outputs"]


class ResidualBlock(nn.Module):
    """relu(shortcut(x) + f(x)) with two convolutions and batch norm (He et al. 2016, figure 2), as in sprint 4."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs))
        self.second = nn.Sequential(nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))
        same = inputs == outputs and stride == 1
        across = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        self.shortcut = nn.Identity() if same else across

    def forward(self, x: Pictures) -> Tensor:
        """Return the block's planes."""
        return (self.shortcut(x) + self.second(self.first(x).relu())).relu()


class ResidualNetwork(nn.Module):
    """A stem, a block for each width, the mean over places, a layer: the plan of sprint 4.

    Args:
        channels: of a picture.
        widths: planes of each block; the stem has as many as the first.
        outputs: logits.
        stride: of the stem and the first block; each further block halves the picture.
    """

    def __init__(self, channels: int, widths: tuple[int, ...], outputs: int, stride: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(channels, widths[0], 3, stride, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()
        )
        pairs = zip((widths[0], *widths), widths, strict=False)
        self.blocks = nn.Sequential(
            *(ResidualBlock(*pair, 2 if number else stride) for number, pair in enumerate(pairs))
        )
        self.head = nn.Linear(widths[-1], outputs)

    def forward(self, pictures: Pictures) -> Logits:
        """Return the logits."""
        return self.head(self.blocks(self.stem(pictures)).mean(dim=(2, 3)))


class VisionClassifier(nn.Module):
    """A vision transformer whose class token is read by one layer.

    Args:
        config: of the encoder.
        outputs: logits.
        positions: standard deviation of the positions at the start.
    """

    def __init__(self, config: VisionConfig, outputs: int, positions: float = 0.02) -> None:
        super().__init__()
        self.encoder = VisionTransformer(config)
        nn.init.normal_(self.encoder.position_embedding, std=positions)
        self.head = nn.Linear(config.d_model, outputs)

    def forward(self, pictures: Pictures) -> Logits:
        """Return the logits."""
        return self.head(self.encoder.class_tokens(pictures))


def parameters(network: nn.Module) -> int:
    """Return how many numbers a network trains."""
    return sum(weight.numel() for weight in network.parameters())


def nearest_width(build: Callable[[int], nn.Module], wanted: int, widths: range) -> int:
    """Return the width at which a network has most nearly so many parameters."""
    with torch.device("meta"):  # shapes without numbers
        return min(widths, key=lambda width: abs(parameters(build(width)) - wanted))


def networks(
    channels: int, picture: int, patch: int, d_model: int, layers: int, outputs: int, positions: float = 0.02
) -> dict[str, Callable[[int], nn.Module]]:
    """Return for each of both names a function of a seed that makes an untrained network of (nearly) equal size."""
    config = VisionConfig(picture, patch, channels, layers=layers, heads=4, d_model=d_model)
    stride = 2 if picture > 16 else 1

    def residual(width: int) -> nn.Module:
        return ResidualNetwork(channels, (width, 2 * width, 4 * width), outputs, stride)

    width = nearest_width(residual, parameters(VisionClassifier(config, outputs)), range(4, 64))

    def seeded(build: Callable[[], nn.Module]) -> Callable[[int], nn.Module]:
        def make(seed: int) -> nn.Module:
            torch.manual_seed(seed)  # layers of PyTorch draw from its global generator
            return build()

        return make

    return {
        "residual network": seeded(lambda: residual(width)),
        "vision transformer": seeded(lambda: VisionClassifier(config, outputs, positions)),
    }

"""A trained network as a file, with what it takes to look inside: images to show it, and its mistakes."""

from dataclasses import asdict, fields
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from digit_study.evaluation import Mistake
from digit_study.images import Images
from digit_study.networks import build_network
from digit_study.recipe import Recipe
from shared.training.sealed import load_sealed, save_sealed

FILE = "network.pt"
MOST_IMAGES = 1000


class TrainedNetwork(NamedTuple):
    """A network in evaluation mode, images that it was not trained on, and the test images that it got wrong."""

    network: nn.Sequential
    validation: Images
    mistakes: list[Mistake]
    mistake_pixels: Float[Tensor, "mistakes 1 height width"]
    test_images: int


def save_trained(
    path: Path, recipe: Recipe, network: nn.Module, validation: Images, test: Images, mistakes: list[Mistake]
) -> None:
    """Write a trained network, the first images that validated it, and the test images that it got wrong."""
    content = {
        "recipe": {field.name: vars(recipe)[field.name] for field in fields(Recipe)},
        "weights": {name: weight.cpu() for name, weight in network.state_dict().items()},
        "pixels": validation.pixels[:MOST_IMAGES].cpu(),
        "labels": validation.labels[:MOST_IMAGES].cpu(),
        "mistakes": [asdict(mistake) for mistake in mistakes],
        "mistake_pixels": test.pixels[[mistake.index for mistake in mistakes]].cpu(),
        "test_images": len(test.labels),
    }
    save_sealed(content, path)


def load_trained(path: Path) -> TrainedNetwork:
    """Return what `save_trained` wrote.

    Raises:
        ValueError: the file is not as it was written, or the network of another version.
    """
    content = load_sealed(path)
    try:
        network = build_network(Recipe(**content["recipe"]), content["pixels"].shape[-1])
        network.load_state_dict(content["weights"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise ValueError(f"{path} holds no network as train.py makes it now ({error}): run it again") from None
    return TrainedNetwork(
        network.to(memory_format=torch.contiguous_format).eval(),
        Images(content["pixels"], content["labels"]),
        [Mistake(**mistake) for mistake in content["mistakes"]],
        content["mistake_pixels"],
        content["test_images"],
    )

"""What a network is trained and judged by: the loss against smoothed targets, accuracy, and its mistakes."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import update_bn

from digit_study.images import Images


class Score(NamedTuple):
    """Mean loss in nats against smoothed targets, accuracy, and the probabilities of the classes."""

    loss: float
    accuracy: float
    probabilities: Float[Tensor, "images classes"]


@dataclass(frozen=True)
class Mistake:
    """An image of the test set that a network got wrong."""

    index: int
    label: int
    predicted: int
    probability: float


def smoothed_loss(network: nn.Module, batch: Images, smoothing: float) -> tuple[Tensor, int]:
    """Return the summed loss of a batch against targets that give `smoothing` to all classes alike, and its images."""
    logits = network(batch.pixels)
    loss = functional.cross_entropy(logits.float(), batch.labels, reduction="sum", label_smoothing=smoothing)
    return loss, len(batch.labels)


@torch.no_grad()
def evaluate(network: nn.Module, images: Images, smoothing: float) -> Score:
    """Score a network in evaluation mode: no dropout, and batch norm by the statistics of training.

    The loss is that of training. By another one, the lowest would not be where training leads.
    """
    network.eval()
    logits = torch.cat([network(pixels) for pixels in images.pixels.split(1000)])
    loss = functional.cross_entropy(logits, images.labels, label_smoothing=smoothing).item()
    return Score(loss, (logits.argmax(1) == images.labels).float().mean().item(), logits.softmax(1))


def renew_running_averages(network: nn.Module, batches: Iterable[Images]) -> None:
    """Give each batch norm the mean of the means and variances of these batches, all by the weights as they are.

    Averages that run along with training are mostly of the last ten or twenty steps, and lag behind weights that move.
    """
    update_bn([batch.pixels for batch in batches], network)


def find_mistakes(score: Score, images: Images) -> list[Mistake]:
    """Return the images that were classified wrongly, the most certain first."""
    certainty, predicted = score.probabilities.max(1)
    wrong = (predicted != images.labels).nonzero()[:, 0]
    wrong = wrong[certainty[wrong].argsort(descending=True, stable=True)]
    columns = (wrong, images.labels[wrong], predicted[wrong], certainty[wrong])
    return [Mistake(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]

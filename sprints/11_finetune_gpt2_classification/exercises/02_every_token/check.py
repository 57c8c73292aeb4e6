"""Checks of `every_token_loss`: beside the cross-entropy of each text on its own, and the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect


def text_by_text(logits: Tensor, labels: Tensor, mask: Tensor) -> Tensor:
    """Return the right answer, by a loop over the texts without their padding."""
    losses = []
    for row, label, real in zip(logits, labels, mask.bool(), strict=True):
        nats = functional.cross_entropy(row[real], label.expand(int(real.sum())), reduction="none")
        weights = torch.arange(1, len(nats) + 1).float()
        losses.append((nats * weights / weights.sum()).sum())
    return torch.stack(losses).mean()


def compare(learner: Any, logits: Tensor, labels: Tensor, mask: Tensor) -> None:
    targets = labels[:, None].expand_as(mask)
    losses = functional.cross_entropy(logits.mT, targets, reduction="none")
    counted = (mask.cumsum(1) * mask).float()
    places = torch.arange(1, mask.shape[1] + 1).float().expand_as(losses)
    lasts = torch.stack([loss[real][-1] for loss, real in zip(losses, mask.bool(), strict=True)])

    def by_text(weights: Tensor) -> Tensor:
        return (losses * weights / weights.sum(1, keepdim=True)).sum(1).mean()

    mistakes = {
        "The padding is asked, too: its weights must be 0.": by_text(mask.cumsum(1).float()),
        "The weights count columns and not real tokens, and the padding is asked.": by_text(places),
        "The weights count columns. On the left the padding must not count.": by_text(places * mask),
        "All real tokens weigh the same; the t-th must weigh t.": by_text(mask.float()),
        "The weights do not add up to 1: divide by their sum.": (losses * counted).sum(1).mean(),
        "The weights add up to 1 over the batch; they must do so for each text, or long texts count more.": (
            (losses * counted).sum() / counted.sum()
        ),
        "Only the last token is asked.": lasts.mean(),
        "It is the sum over texts; it must be the mean.": by_text(counted) * len(labels),
    }
    given = {"logits": logits, "labels": labels, "mask": mask}
    expect(learner.every_token_loss, given, text_by_text(logits, labels, mask), mistakes)


def draw(*shape: int) -> Tensor:
    """Return small numbers of one decimal, the same at each call for the same shape."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape))).mul(10).round().div(10)


def check_the_example_of_the_note(learner: Any) -> None:
    """Five tokens, of which the fourth gives the right class 0.8 and the others 0.5."""
    logits = torch.tensor([[[0.0, 0], [0, 0], [0, 0], [0, 1.3863], [0, 0]]])
    compare(learner, logits, torch.tensor([1]), torch.ones(1, 5, dtype=torch.long))


def check_padding_on_the_right(learner: Any) -> None:
    """Two texts of 4 and 2 tokens, padded on the right."""
    compare(learner, draw(2, 4, 3), torch.tensor([2, 0]), torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]]))


def check_padding_on_the_left(learner: Any) -> None:
    """Two texts of 3 and 2 tokens, padded on the left."""
    compare(learner, draw(2, 3, 2), torch.tensor([1, 0]), torch.tensor([[1, 1, 1], [0, 1, 1]]))

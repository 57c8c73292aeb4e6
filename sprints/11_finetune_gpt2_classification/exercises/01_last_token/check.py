"""Checks of `last_features`: padding on either side, and the usual mistakes by name."""

from typing import Any

import torch
from torch import Tensor

from shared.lab.checking import expect


def compare(learner: Any, mask: list[list[int]]) -> None:
    """Number the features, so that one sees which token was taken."""
    real = torch.tensor(mask)
    batch, tokens = real.shape
    features = torch.arange(batch * tokens * 2).float().reshape(batch, tokens, 2)
    rows = range(batch)
    expected = torch.stack([features[row][real[row].bool()][-1] for row in rows])
    counts = real.sum(1)
    weights = real[..., None].float()
    means = (features * weights).sum(1) / weights.sum(1)

    def taken(columns: Tensor) -> Tensor:
        return features[torch.arange(batch), columns]

    mistakes = {
        "It takes the last column, which may be padding.": features[:, -1],
        "It takes the column of the number of real tokens less one. That is the last one only if the padding is on the "
        "right.": taken(counts - 1),
        "It takes the first token behind the real ones: places count from 0.": taken(counts.clamp(max=tokens - 1)),
        "It takes the first real token: the largest of equals is the first.": taken(real.argmax(1)),
        "It returns the mean of the real tokens; the head reads one of them.": means,
        "It returns the mean of all columns, padding too.": features.mean(1),
    }
    expect(learner.last_features, {"features": features, "mask": real}, expected, mistakes)


def check_padding_on_the_right(learner: Any) -> None:
    """Texts of 3, 4 and 1 tokens, padded on the right."""
    compare(learner, [[1, 1, 1, 0], [1, 1, 1, 1], [1, 0, 0, 0]])


def check_padding_on_the_left(learner: Any) -> None:
    """The same texts, padded on the left."""
    compare(learner, [[0, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 1]])


def check_both_sides(learner: Any) -> None:
    """Padding on both sides, as in rows that were cut out of longer ones."""
    compare(learner, [[0, 1, 1, 0, 0], [0, 0, 1, 1, 0]])

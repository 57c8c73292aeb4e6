"""Checks of the loss of negative sampling: it is a logistic regression, as PyTorch computes it."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

from shared.lab.checking import expect


def compare(learner: Any, centre: Tensor, context: Tensor, noise: Tensor) -> None:
    scores = torch.cat([context[:, None], noise], dim=1) @ centre[:, :, None]  # (pairs, 1 + negatives, 1)
    scores = scores.squeeze(-1)
    labels = torch.zeros_like(scores)
    labels[:, 0] = 1
    expected = binary_cross_entropy_with_logits(scores, labels, reduction="none").sum(dim=1)
    true, drawn = logsigmoid(scores[:, 0]), scores[:, 1:]
    pushed = logsigmoid(-drawn)
    mistakes = {
        "Noise is pulled as if it were context: its score needs a minus, log s(-noise . centre).": (
            -true - logsigmoid(drawn).sum(dim=1)
        ),
        "It is the log-likelihood: the loss is minus that.": true + pushed.sum(dim=1),
        "The sign of the noise is wrong: both logarithms have a minus before them.": -true + pushed.sum(dim=1),
        "The noise is averaged. The formula has a sum over the words of noise.": -true - pushed.mean(dim=1),
        "The scores of the noise are added up first; each word of noise needs a logarithm of its own.": (
            -true - logsigmoid(-drawn.sum(dim=1))
        ),
        "The noise is missing: nothing keeps all vectors from becoming alike.": -true,
        "It is the loss of the whole batch; each pair must have its own.": expected.sum(),
        "It is the mean over the batch; each pair must have its own.": expected.mean(),
        "The logarithm is missing: these are probabilities.": -true.exp() - pushed.exp().sum(dim=1),
    }
    given = {"centre": centre, "context": context, "noise": noise}
    expect(learner.negative_sampling_loss, given, expected, mistakes)


def check_by_hand(learner: Any) -> None:
    """One pair and one word of noise, as in note 3: 0.693 + 1.313."""
    compare(learner, torch.tensor([[1.0, 0]]), torch.tensor([[0.0, 1]]), torch.tensor([[[1.0, -1]]]))


def check_several_words_of_noise(learner: Any) -> None:
    """One pair, three words of noise."""
    noise = torch.tensor([[[1.0, 0], [0, 2], [-1, 1]]])
    compare(learner, torch.tensor([[0.5, 1.0]]), torch.tensor([[1.0, 1]]), noise)


def check_a_batch(learner: Any) -> None:
    """Each pair of a batch has its own noise."""
    generator = torch.Generator().manual_seed(5)
    centre, context = torch.randn(2, 3, 4, generator=generator).mul(10).round().div(10)
    compare(learner, centre, context, torch.randn(3, 2, 4, generator=generator).mul(10).round().div(10))


def check_large_scores(learner: Any) -> None:
    """Scores of several hundred do not overflow."""
    compare(learner, torch.tensor([[100.0, 0]]), torch.tensor([[-3.0, 1]]), torch.tensor([[[2.0, 0], [-4, 0]]]))

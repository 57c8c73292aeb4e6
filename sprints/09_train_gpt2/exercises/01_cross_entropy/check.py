"""Checks of `cross_entropy` and `perplexity`: beside PyTorch's own, and the usual mistakes by name."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect


def mistakes(logits: Tensor, targets: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """Return what the usual mistakes return."""
    log_probs = logits.log_softmax(-1)
    losses = -log_probs.gather(-1, targets[..., None])[..., 0]
    rows = (losses * mask).sum(1) / mask.sum(1)
    return {
        "The logarithm of a softmax: a small probability has become 0, and its loss infinite. Do both in one step.": (
            -logits.softmax(-1).gather(-1, targets[..., None])[..., 0][mask].log().mean()
        ),
        "An exponential has overflowed: take the largest logit out of the sum first, as logsumexp does.": (
            (logits.exp().sum(-1).log() - logits.gather(-1, targets[..., None])[..., 0])[mask].mean()
        ),
        "The mask is ignored: padding counts as well.": losses.mean(),
        "The hidden losses are 0, but they are counted: divide by the number of True.": losses.where(mask, 0.0).mean(),
        "The mask is inverted: True means that a target counts.": losses[~mask].mean(),
        "It is a sum; it must be the mean over the targets that count.": losses[mask].sum(),
        "The sign is missing: a loss is -log p.": -losses[mask].mean(),
        "It is in bits: take the natural logarithm.": losses[mask].mean() / math.log(2),
        "The mean is one of means of rows: every target must weigh the same, however long its row.": rows.mean(),
        "The probability of the target is missing its logarithm.": losses[mask].neg().exp().mean(),
        "The softmax is missing: the logits are no log-probabilities.": -logits.gather(-1, targets[..., None])[..., 0][
            mask
        ].mean(),
        "The logarithm comes after the mean: take the mean of the losses, not of the probabilities.": (
            -losses[mask].neg().exp().mean().log()
        ),
        "Softmax runs over the tokens; it must run over the vocabulary.": (
            -logits.log_softmax(1).gather(-1, targets[..., None])[..., 0][mask].mean()
        ),
    }


def compare(learner: Any, logits: Tensor, targets: Tensor, mask: Tensor) -> None:
    hidden = targets.masked_fill(~mask, -100)  # which PyTorch's function leaves out
    expected = functional.cross_entropy(logits.flatten(0, 1), hidden.flatten())
    given = {"logits": logits, "targets": targets, "mask": mask}
    expect(learner.cross_entropy, given, expected, mistakes(logits, targets, mask))


def check_the_words_of_the_note(learner: Any) -> None:
    """Four words with probabilities 1/2, 1/4, 1/4 and 1/8."""
    shares = torch.tensor([[0.5, 0.5, 1e-9, 1e-9], [0.25, 0.75, 1e-9, 1e-9], [0.25, 0.5, 0.25, 1e-9], [0.125] * 4])
    compare(learner, (8 * shares).log()[None], torch.zeros(1, 4, dtype=torch.long), torch.ones(1, 4, dtype=torch.bool))


def check_padding(learner: Any) -> None:
    """Two rows, one of which is padded."""
    logits = torch.tensor([[[2.0, 0, 1], [0, 1, 0], [1, 0, 3]], [[0.0, 0, 4], [5, 0, 0], [0, 6, 0]]])
    mask = torch.tensor([[True, True, True], [True, False, False]])
    compare(learner, logits, torch.tensor([[0, 2, 2], [1, 0, 0]]), mask)


def check_large_logits(learner: Any) -> None:
    """Logits of several hundred: no exponential may overflow."""
    logits = torch.tensor([[[400.0, 399, 10], [300, 0, 302]]])
    compare(learner, logits, torch.tensor([[1, 0]]), torch.ones(1, 2, dtype=torch.bool))


def check_small_probabilities(learner: Any) -> None:
    """A probability of about 10^-131: it may not vanish."""
    logits = torch.tensor([[[0.0, -300, 1]]])
    compare(learner, logits, torch.tensor([[1]]), torch.ones(1, 1, dtype=torch.bool))


def check_infinite_loss_in_the_padding(learner: Any) -> None:
    """What stands in the padding may be anything, even a target that is impossible."""
    logits = torch.tensor([[[1.0, 0], [0.0, -math.inf]]])
    compare(learner, logits, torch.tensor([[0, 1]]), torch.tensor([[True, False]]))


def check_perplexity(learner: Any) -> None:
    """Three tokens of 0, ln 2 and ln 8 nats."""
    losses = torch.tensor([0.0, math.log(2), math.log(8)])
    expect(
        learner.perplexity,
        {"losses": losses},
        losses.mean().exp(),
        {
            "It is the mean of the exponentials; it must be the exponential of the mean.": losses.exp().mean(),
            "It is the exponential of the sum: that grows with the length of the text.": losses.sum().exp(),
            "The losses are in nats: the base is e, not 2.": 2 ** losses.mean(),
            "It is the mean loss; its exponential is missing.": losses.mean(),
            "The sign is wrong: this is the geometric mean of the probabilities, and perplexity its inverse.": (
                (-losses.mean()).exp()
            ),
        },
    )

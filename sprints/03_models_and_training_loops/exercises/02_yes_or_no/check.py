"""Checks of binary cross-entropy: beside PyTorch's, up to logits whose exponential no float32 can hold."""

from typing import Any

import torch
from torch.nn import functional

from shared.lab.checking import expect


def compare(learner: Any, logits: list[float], targets: list[float]) -> None:
    z, t = torch.tensor(logits), torch.tensor(targets)
    p = z.sigmoid()
    losses = functional.binary_cross_entropy_with_logits(z, t, reduction="none")
    plain = -t * p.log() - (1 - t) * (1 - p).log()
    mistakes = {
        "It is the sum over the examples; take the mean.": losses.sum(),
        "It is the loss of each example; take the mean.": losses,
        "Its sign is wrong: a logarithm of a probability is negative, and the loss is minus that.": -losses.mean(),
        "Yes and no are exchanged: a target of 1 asks for a high logit.": (
            functional.binary_cross_entropy_with_logits(z, 1 - t)
        ),
        "Only the examples whose answer is yes have a loss. Add the term of those whose answer is no.": (
            t * functional.softplus(-z)
        ).mean(),
        "The logits are taken for probabilities: the sigmoid is missing.": -(
            t * z.log() + (1 - t) * (1 - z).log()
        ).mean(),
        "The sigmoid is taken twice.": functional.binary_cross_entropy_with_logits(p, t),
        "It is infinite: a probability has been rounded to 0 or 1 before its logarithm was taken. Use the logits.": (
            plain.masked_fill(plain.isnan(), torch.inf).mean()
        ),
        "A small number inside the logarithm hides the overflow: the loss of who is sure and wrong is far too low.": (
            -t * (p + 1e-7).log() - (1 - t) * (1 - p + 1e-7).log()
        ).mean(),
        "The logits are cut off: beyond the cut the loss is too low, and its gradient is 0.": (
            functional.binary_cross_entropy_with_logits(z.clamp(-30, 30), t)
        ),
        "It has ln(1 + e^|z|) where ln(1 + e^-|z|) belongs.": (z.clamp(min=0) - t * z + z.abs().exp().log1p()).mean(),
    }
    expect(learner.binary_cross_entropy, {"logits": z, "targets": t}, losses.mean(), mistakes)


def check_of_the_note(learner: Any) -> None:
    """The logit 2 has the loss 0.127 if the answer is yes, 2.127 if it is no."""
    compare(learner, [2.0], [1.0])
    compare(learner, [2.0], [0.0])


def check_several(learner: Any) -> None:
    """Four examples have one loss."""
    compare(learner, [0.5, -1.5, 3.0, -0.2], [1.0, 0.0, 0.0, 1.0])


def check_between(learner: Any) -> None:
    """A target may lie between no and yes."""
    compare(learner, [1.0, -2.0], [0.75, 0.1])


def check_sure_and_wrong(learner: Any) -> None:
    """Who is sure and wrong pays the whole logit: 100 for 100."""
    compare(learner, [100.0, -100.0], [0.0, 1.0])


def check_sure_and_right(learner: Any) -> None:
    """Who is sure and right pays nothing, whatever the sign of the logit."""
    compare(learner, [1000.0, -1000.0], [1.0, 0.0])

"""Checks of the loss: the reference is PyTorch's cross entropy, which is what transformers uses."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect


def at(logits: Tensor, tokens: Tensor, mask: Tensor, back: int) -> Tensor:
    """Return the summed loss of the tokens `back` places further, where they are real."""
    count = tokens.shape[1] - back
    flat = logits[:, :count].flatten(0, 1), tokens[:, back:].flatten()
    losses = functional.cross_entropy(*flat, reduction="none").view(len(tokens), count)
    return losses[mask[:, back:]].sum()


def compare(learner: Any, tokens: Tensor, mask: Tensor, seed: int) -> None:
    logits = torch.randn(*tokens.shape, 5, generator=torch.Generator().manual_seed(seed))
    expected = at(logits, tokens, mask, back=1)
    everywhere = torch.ones_like(mask)
    inputs = functional.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten(), reduction="none")
    mistakes = {
        "Nothing is shifted: the logits at a place are scored against the token of that place, which they have read.": (
            at(logits, tokens, mask, back=0)
        ),
        "It is shifted twice: scored is the token after the next one.": at(logits, tokens, mask, back=2),
        "Padding is scored. Only targets that are real count.": at(logits, tokens, everywhere, back=1),
        "The mask of the inputs is used. A target counts if the target is real.": (
            inputs.view(len(tokens), -1)[mask[:, :-1]].sum()
        ),
        "It is the mean. The sum is wanted, so that parts of different size can be added.": (
            expected / mask[:, 1:].sum()
        ),
        "Nats are wanted, with the natural logarithm; these are bits.": expected / torch.tensor(2.0).log(),
    }
    expect(learner.summed_loss, {"logits": logits, "tokens": tokens, "mask": mask}, expected, mistakes)


def check_one_row(learner: Any) -> None:
    """A row of four tokens has three targets."""
    tokens = torch.tensor([[1, 4, 2, 3]])
    compare(learner, tokens, torch.ones_like(tokens, dtype=torch.bool), seed=0)


def check_padding_is_left_out(learner: Any) -> None:
    """Two rows, of which the second has two tokens and two that pad."""
    tokens = torch.tensor([[1, 4, 2, 3], [2, 2, 0, 0]])
    compare(learner, tokens, torch.tensor([[True] * 4, [True, True, False, False]]), seed=1)


def check_the_parts_of_a_step(learner: Any) -> None:
    """The example of note 9: 6 nats on 2 targets and 4 on 8."""
    sums, targets = torch.tensor([6.0, 4.0]), torch.tensor([2, 8])
    mistakes = {
        "The mean of the means: two tokens of the first part weigh as much as eight of the second.": (
            (sums / targets).mean()
        ),
        "Divided by the number of parts. Divide by the number of all targets.": sums.mean(),
        "The sum of the means: it grows with the number of parts.": (sums / targets).sum(),
    }
    given = {"sums": sums, "targets": targets}
    expect(learner.mean_of_parts, given, torch.tensor(1.0), mistakes)

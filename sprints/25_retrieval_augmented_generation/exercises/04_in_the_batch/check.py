"""Checks of `in_batch_loss`: the batch of the note, copies, hard negatives, lengths, shares."""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from shared.lab.checking import expect

COSINES = torch.tensor([[0.8, 0.4, 0.8, 0.2], [0.2, 0.8, 0.2, 0.4], [0.6, 0.0, 0.6, 0.2], [0.0, 0.4, 0.0, 0.6]])


def some_vectors(*counts: int) -> list[Tensor]:
    """Return vectors of any length."""
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(count, 4, generator=generator) for count in counts]


def loss(logits: Tensor, hidden: Tensor | None = None, instead: float = -math.inf) -> Tensor:
    """Return the loss of logits, some of them hidden."""
    right = torch.arange(len(logits))
    return functional.cross_entropy(logits if hidden is None else logits.masked_fill(hidden, instead), right)


def compare(
    learner: Any, questions: Tensor, passages: Tensor, numbers: Tensor, scale: float, shares: Tensor | None = None
) -> None:
    """Compare with the right loss, and with what the usual mistakes give."""
    count = len(questions)
    cosines = functional.normalize(questions, dim=-1) @ functional.normalize(passages, dim=-1).mT
    off = torch.zeros(len(passages)) if shares is None else shares
    logits, same = scale * cosines - off, numbers[:count, None] == numbers[None]
    copies = same & ~torch.eye(count, len(passages), dtype=torch.bool)
    hidden = logits.masked_fill(copies, -math.inf)
    mistakes = {
        "Copies of the right passage count as wrong: `numbers` says where they are.": loss(logits),
        "Copies get the logit 0, which still counts in a softmax: take them out by minus infinity.": (
            loss(logits, copies, 0.0)
        ),
        "The passages behind the batch are left out: they are wrong for all questions.": (
            loss(logits[:, :count], copies[:, :count])
        ),
        "The scale is divided by: it is the inverse of the temperature.": loss(cosines / scale - off, copies),
        "The shares are added: they are taken off while training.": loss(scale * cosines + off, copies),
        "The vectors keep their lengths: divide each by its own.": (
            loss(scale * questions @ passages.mT - off, copies)
        ),
        "The passages ask: each row, a question, has one softmax over all passages.": (
            (hidden.logsumexp(dim=0)[:count] - hidden.diagonal()).mean()
        ),
        "The shares are those of the questions' own passages: each column has its own.": (
            loss(scale * cosines - off[:count, None], copies)
        ),
        "The loss is a sum: take the mean over the questions.": count * loss(logits, copies),
    }
    given = {"questions": questions, "passages": passages, "numbers": numbers, "scale": scale}
    if shares is not None:
        given["log_shares"] = shares
    expect(learner.in_batch_loss, given, loss(logits, copies), mistakes)


def check_the_batch_of_the_note(learner: Any) -> None:
    """Note 5: passage 7 stands there twice; 0.234 nats."""

    def of_cosines(cosines: Tensor, numbers: Tensor, scale: float) -> Tensor:
        # Unit vectors whose products are these cosines: those of questions are the axes.
        rest = (1 - cosines.square().sum(dim=0)).clamp(min=0).sqrt()
        lengths = cosines.square().sum(dim=0).add(rest.square()).sqrt()
        passages = torch.cat([cosines, rest[None]]).mT / lengths[:, None]
        return learner.in_batch_loss(torch.eye(4, 5), passages, numbers, scale)

    small = COSINES / 2  # so that the passages can have length 1
    copies = torch.tensor([[False, False, True, False], [False] * 4, [True, False, False, False], [False] * 4])
    given = {"cosines": small, "numbers": torch.tensor([7, 2, 7, 5]), "scale": 10.0}
    expect(of_cosines, given, loss(10 * small, copies), {
        "Copies of the right passage count as wrong: `numbers` says where they are.": loss(10 * small),
    })  # fmt: skip


def check_no_copies(learner: Any) -> None:
    """The plain loss."""
    questions, passages = some_vectors(3, 3)
    compare(learner, questions, passages, torch.tensor([4, 1, 9]), 5.0)


def check_hard_negatives_and_copies(learner: Any) -> None:
    """Passages behind the batch; one of them is a copy of a right one."""
    questions, passages = some_vectors(3, 6)
    compare(learner, questions, passages, torch.tensor([4, 1, 4, 8, 1, 3]), 4.0)


def check_shares(learner: Any) -> None:
    """How often a passage comes into a batch is taken off."""
    questions, passages = some_vectors(3, 5)
    shares = torch.tensor([0.5, 0.05, 0.2, 0.05, 0.2]).log()
    compare(learner, questions, passages, torch.tensor([0, 1, 2, 3, 2]), 3.0, shares)

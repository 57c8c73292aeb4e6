"""The training loop: train, validate now and then, keep the best.

Theory: notes/01_fine_tuning.md
"""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from torch import nn
from torch.nn import functional
from torch.optim import AdamW, Optimizer
from torch.utils.data import DataLoader

from shared.training.keep_best import KeepBest
from shared.training.loop import train_steps
from shared.training.muon import Muon
from shared.training.optimizers import make_optimizers, split_for_muon
from shared.training.schedules import warmup_linear
from text_classification.classification_losses import LOSSES
from text_classification.text_batches import LabelledBatch
from text_classification.text_features import predict

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel

BETAS = (0.9, 0.99)


class Progress(NamedTuple):
    """What a run has to say for itself at each evaluation."""

    step: int
    train_loss: float
    validation_loss: float
    validation_accuracy: float
    is_best: bool


def optimizers_for(model: nn.Module, learning_rate: float, muon_learning_rate: float) -> list[Optimizer]:
    """Return Muon for the matrices inside the blocks and AdamW for all else; AdamW alone if Muon's rate is 0.

    Beside Muon, decay is not as in `shared/training/optimizers.py::make_optimizers`: matrices inside the blocks do not
    decay, all else does, biases too. GPT-2's matrices are those of `Conv1D` in transformers, a linear layer with its
    matrix transposed; Muon does not mind.
    """
    hidden, rest = split_for_muon(model)
    if not hidden or muon_learning_rate == 0:
        return make_optimizers(model, learning_rate=learning_rate, weight_decay=0.01, betas=BETAS)
    return [
        AdamW(rest, lr=learning_rate, weight_decay=0.01, betas=BETAS, fused=True),
        Muon(hidden, lr=muon_learning_rate, weight_decay=0.0),
    ]


def fine_tune(
    model: "PreTrainedModel",
    train: DataLoader[LabelledBatch],
    validation: DataLoader[LabelledBatch],
    *,
    epochs: int,
    learning_rate: float,
    muon_learning_rate: float = 0.0,
    evaluations: int,
    supervise: str = "last",
    precision: str = "auto",
) -> Iterator[Progress]:
    """Train, validate so many times at equal distances, and leave the model as it was at its lowest validation loss.

    Args:
        model: a classifier; whichever tokens are supervised, its answer is that of the last token.
        train, validation: batches of the two splits.
        epochs: passes over the training split.
        learning_rate, muon_learning_rate: peaks of the rates of AdamW and of Muon (0: AdamW alone).
        evaluations: how often to validate.
        supervise: "last" or "every" token.
        precision: see `shared.lab.runtime.autocast`.

    Raises:
        ValueError: an unknown way to supervise, or no validation loss was finite.
    """
    if supervise not in LOSSES:
        raise ValueError(f"supervise must be one of {', '.join(LOSSES)}; got {supervise!r}")
    steps = epochs * len(train)
    every = max(1, steps // evaluations)
    passes = (batch for _ in range(epochs) for batch in train)
    best, losses = KeepBest(model), []
    for step, loss in train_steps(
        model,
        passes,
        loss_function=LOSSES[supervise],
        optimizers=optimizers_for(model, learning_rate, muon_learning_rate),
        steps=steps,
        schedule=partial(warmup_linear, steps=steps, warmup=max(1, steps // 20)),
        precision=precision,
    ):
        losses.append(loss)
        if (step % every == 0 and steps - step >= every / 2) or step == steps:  # none of a few last steps alone
            log_probabilities, labels = predict(model, validation, precision)
            validation_loss = functional.nll_loss(log_probabilities, labels).item()
            is_best = best.update(validation_loss, step)
            accuracy = (log_probabilities.argmax(1) == labels).float().mean().item()
            yield Progress(step, sum(losses) / len(losses), validation_loss, accuracy, is_best)
            losses.clear()
    best.restore()

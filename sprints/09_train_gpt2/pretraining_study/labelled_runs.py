"""Eight ways that a training run goes, one of them right, for `reading_loss_curves.py`."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from shared.text.batches import Batch
from shared.training.losses import count_targets, language_model_loss, token_losses


def labels_not_shifted(model: nn.Module, batch: Batch) -> tuple[Tensor, int]:
    """Score each logit against the token that was just read: the answer stands in the input."""
    inputs = batch.tokens[:, :-1]
    logits = model(inputs)
    # `token_losses` shifts once; repeating the first token shifts back.
    tokens = inputs[:, [0, *range(inputs.shape[1])]]
    return token_losses(logits, tokens).sum(), count_targets(tokens)


def labels_shifted_twice(model: nn.Module, batch: Batch) -> tuple[Tensor, int]:
    """Score each logit against the token after the next one."""
    tokens = batch.tokens[:, 1:]
    return token_losses(model(batch.tokens[:, :-2]), tokens).sum(), count_targets(tokens)


def labels_of_another_row(model: nn.Module, batch: Batch) -> tuple[Tensor, int]:
    """Read one row and predict the tokens of its neighbour, as after shuffling inputs and labels separately."""
    return token_losses(model(batch.tokens[:, :-1]), batch.tokens.roll(1, 0)).sum(), count_targets(batch.tokens)


@dataclass(frozen=True)
class LabelledRun:
    """A run: its title, what is changed in it, and what the picture has to show."""

    title: str
    learning_rate: float = 1e-2
    share_of_text: float = 1.0
    loss_function: Callable[[nn.Module, Batch], tuple[Tensor, int]] = language_model_loss


RUNS = (
    LabelledRun("1. healthy"),
    LabelledRun("2. learning rate too low", learning_rate=1e-4),
    LabelledRun("3. learning rate too high", learning_rate=0.05),
    LabelledRun("4. diverging", learning_rate=3.0),
    LabelledRun("5. plateau: labels of another row", loss_function=labels_of_another_row),
    LabelledRun("6. overfitting: 1/200 of the text", share_of_text=0.005),
    LabelledRun("7. leak: labels not shifted", loss_function=labels_not_shifted),
    LabelledRun("8. labels shifted twice", loss_function=labels_shifted_twice),
)

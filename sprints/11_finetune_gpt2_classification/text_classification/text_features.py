"""What a model says of each text: its classes, what its head reads, how surprised a language model is.

Theory: notes/01_fine_tuning.md and notes/04_baselines.md
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from shared.lab.runtime import autocast
from shared.training.losses import token_losses
from text_classification.classification_losses import class_logits
from text_classification.text_batches import LabelledBatch

Read = Callable[[nn.Module, LabelledBatch], Tensor]
LARGEST = 5  # surprising tokens of a text that are looked at


@torch.no_grad()
def read_all(
    model: nn.Module, loader: DataLoader[LabelledBatch], precision: str = "auto", read: Read = class_logits
) -> tuple[Tensor, Tensor]:
    """Return what `read` finds in each text, and the labels, in the order of the data, not in that of the batches."""
    model.eval()
    device = next(model.parameters()).device
    rows, labels = [], []
    # Drawn once: a loader that shuffles would draw another order when asked again which texts it gave.
    batches = [list(indices) for indices in loader.batch_sampler]  # ty: ignore[not-iterable]
    for indices in batches:
        batch = loader.collate_fn([loader.dataset[index] for index in indices])
        with autocast(device, precision):
            rows.append(read(model, batch).float().cpu())
        labels.append(batch.labels)
    back = torch.tensor([index for indices in batches for index in indices]).argsort()
    return torch.cat(rows)[back], torch.cat(labels)[back]


def predict(model: nn.Module, loader: DataLoader[LabelledBatch], precision: str = "auto") -> tuple[Tensor, Tensor]:
    """Return the log-probabilities of the classes, (texts, classes), and the labels, both in the order of the data.

    The logarithm of a softmax would be infinite where a class is less probable than a float can say.
    """
    logits, labels = read_all(model, loader, precision)
    return logits.double().log_softmax(1), labels


def head_input(model: nn.Module, batch: LabelledBatch) -> Tensor:
    """Return what the head reads of each text, (batch, d_model): the features of its last real token."""
    head, model.score = model.score, nn.Identity()
    features = class_logits(model, batch)
    model.score = head
    return features


def surprise(model: nn.Module, batch: LabelledBatch) -> Tensor:
    """Return how a causal language model is surprised by each text, in nats: its sum, mean and largest values.

    (batch, 2 + `LARGEST`); a token's surprise is -log p(token | all before it).
    """
    device = next(model.parameters()).device
    tokens, mask = batch.tokens.to(device), batch.attention_mask.to(device)
    losses = token_losses(model(tokens, attention_mask=mask, use_cache=False).logits, tokens, mask.bool())
    total, targets = losses.sum(1, keepdim=True), (mask.sum(1, keepdim=True) - 1).clamp(min=1)
    largest = functional.pad(losses, (0, LARGEST)).topk(LARGEST).values
    return torch.cat((total, total / targets, largest), dim=1)

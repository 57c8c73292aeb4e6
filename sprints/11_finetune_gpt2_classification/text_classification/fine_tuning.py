"""Fine-tuning a pre-trained causal model as a classifier: the model, what it learns from, the loop, what it says.

For GPT-2, transformers makes a `GPT2ForSequenceClassification`: the pre-trained blocks and a new linear layer, `score`,
that reads the features of the last token that is not padding. Theory: notes/01_fine_tuning.md
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import AdamW, Optimizer
from torch.utils.data import DataLoader

from shared.lab.files import replacing_folder
from shared.lab.runtime import autocast
from shared.nn.pretrained import context_length, load_tokenizer, locate_model
from shared.training.keep_best import KeepBest
from shared.training.loop import train_steps
from shared.training.losses import token_losses
from shared.training.muon import Muon
from shared.training.optimizers import make_optimizers, split_for_muon
from shared.training.schedules import warmup_linear
from text_classification.text_batches import Batch

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Read = Callable[[nn.Module, Batch], Tensor]

BETAS = (0.9, 0.99)
LARGEST = 5  # surprising tokens of a text that are looked at
INITS = ("pretrained", "scratch", "frozen")


class Progress(NamedTuple):
    """What a run has to say for itself at each evaluation."""

    step: int
    train_loss: float
    validation_loss: float
    validation_accuracy: float
    is_best: bool


def load_classifier(
    name: str, classes: Sequence[str], init: str = "pretrained"
) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """Return a model with a new head for these classes, and its tokenizer.

    Args:
        name: "cookbook" (the shipped model), a folder in transformers' format, or a name of the hub such as "gpt2".
        classes: names of the classes.
        init: "pretrained"; "frozen", the same with only the head to train; or "scratch", all weights drawn anew.

    Raises:
        ValueError: an unknown init, or a model that cannot be loaded.
    """
    from transformers import AutoModelForSequenceClassification
    from transformers.utils import logging

    if init not in INITS:
        raise ValueError(f"init must be one of {', '.join(INITS)}; got {init!r}")
    tokenizer = load_tokenizer(name)
    logging.set_verbosity_error()  # it would report that the head is new
    kind = AutoModelForSequenceClassification
    names = dict(enumerate(classes))
    settings = {"num_labels": len(classes), "id2label": names, "label2id": {name: i for i, name in names.items()}}
    model = kind.from_pretrained(locate_model(name), pad_token_id=tokenizer.pad_token_id, **settings)
    if init == "scratch":
        model = kind.from_config(model.config)
    if init == "frozen":
        model.base_model.requires_grad_(False)
    return model, tokenizer


def class_logits(model: nn.Module, batch: Batch) -> Tensor:
    """Return the logits of the classes in float32, (batch, classes)."""
    device = next(model.parameters()).device
    return model(batch.tokens.to(device), attention_mask=batch.mask.to(device), use_cache=False).logits.float()


def classification_loss(model: nn.Module, batch: Batch) -> tuple[Tensor, int]:
    """Return the summed cross-entropy of a batch at its last tokens, and its size, as `train_steps` wants them."""
    logits = class_logits(model, batch)
    return functional.cross_entropy(logits, batch.labels.to(logits.device), reduction="sum"), len(batch.labels)


def every_token_loss(model: "PreTrainedModel", batch: Batch) -> tuple[Tensor, int]:
    """Return the summed loss of a batch if every token has to name the class, the later ones with more weight.

    Token t of n weighs t / (1 + ... + n): the "linear gain" of Dai & Le (2015). A token near the evidence learns to see
    it without waiting for the last token to look there.
    """
    tokens, mask, labels = (part.to(model.device) for part in batch)
    features = model.base_model(tokens, attention_mask=mask, use_cache=False).last_hidden_state
    logits = model.get_submodule("score")(features).float()  # (batch, tokens, classes)
    losses = functional.cross_entropy(logits.mT, labels[:, None].expand_as(tokens), reduction="none")
    weights = mask.cumsum(1) * mask
    return (losses * weights / weights.sum(1, keepdim=True)).sum(), len(labels)


LOSSES = {"last": classification_loss, "every": every_token_loss}


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
    train: DataLoader[Batch],
    validation: DataLoader[Batch],
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
        ValueError: an unknown way to supervise.
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
        if step % every == 0 or step == steps:
            probabilities, labels = predict(model, validation, precision)
            validation_loss = functional.nll_loss(probabilities.log(), labels).item()
            is_best = best.update(validation_loss, step)
            accuracy = (probabilities.argmax(1) == labels).float().mean().item()
            yield Progress(step, sum(losses) / len(losses), validation_loss, accuracy, is_best)
            losses.clear()
    best.restore()


@torch.no_grad()
def read_all(
    model: nn.Module, loader: DataLoader[Batch], precision: str = "auto", read: Read = class_logits
) -> tuple[Tensor, Tensor]:
    """Return what `read` finds in each text, and the labels, in the order of the data, not in that of the batches."""
    model.eval()
    device = next(model.parameters()).device
    rows, labels = [], []
    for batch in loader:
        with autocast(device, precision):
            rows.append(read(model, batch).float().cpu())
        labels.append(batch.labels)
    order = torch.tensor([index for indices in loader.batch_sampler for index in indices])  # ty: ignore[not-iterable]
    back = order.argsort()
    return torch.cat(rows)[back], torch.cat(labels)[back]


def predict(model: nn.Module, loader: DataLoader[Batch], precision: str = "auto") -> tuple[Tensor, Tensor]:
    """Return the probabilities of the classes, (texts, classes), and the labels, both in the order of the data."""
    logits, labels = read_all(model, loader, precision)
    return logits.softmax(1), labels


def head_input(model: nn.Module, batch: Batch) -> Tensor:
    """Return what the head reads of each text, (batch, d_model): the features of its last real token."""
    head, model.score = model.score, nn.Identity()
    features = class_logits(model, batch)
    model.score = head
    return features


def surprise(model: nn.Module, batch: Batch) -> Tensor:
    """Return how a causal language model is surprised by each text, in nats: its sum, mean and largest values.

    (batch, 2 + `LARGEST`); a token's surprise is -log p(token | all before it).
    """
    device = next(model.parameters()).device
    tokens, mask = batch.tokens.to(device), batch.mask.to(device)
    losses = token_losses(model(tokens, attention_mask=mask, use_cache=False).logits, tokens, mask.bool())
    total, targets = losses.sum(1, keepdim=True), (mask.sum(1, keepdim=True) - 1).clamp(min=1)
    largest = functional.pad(losses, (0, LARGEST)).topk(LARGEST).values
    return torch.cat((total, total / targets, largest), dim=1)


def save_classifier(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", folder: Path) -> None:
    """Write model and tokenizer in transformers' format, whole or not at all."""
    with replacing_folder(folder) as temporary:
        model.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)


def load_saved(folder: str) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """Return a classifier that `save_classifier` wrote, in evaluation mode, and its tokenizer.

    Raises:
        ValueError: there is none.
    """
    from transformers import AutoModelForSequenceClassification

    if not (Path(folder).expanduser() / "config.json").is_file():
        raise ValueError(f"there is no classifier in {folder}: run train.py, or name a folder that it has saved")
    tokenizer = load_tokenizer(folder)
    return AutoModelForSequenceClassification.from_pretrained(locate_model(folder)).eval(), tokenizer


def class_names(model: "PreTrainedModel") -> tuple[str, ...]:
    """Return the names of a classifier's classes."""
    names = model.config.id2label or {}
    return tuple(name for _, name in sorted(names.items()))


def context_of(model: "PreTrainedModel", longest: int | None) -> int:
    """Return how many tokens of a text the model shall read: all that it can, or `longest` if that is less."""
    return min(context_length(model), longest or context_length(model))

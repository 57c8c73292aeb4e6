"""What a classifier learns from: the cross-entropy at the last token, or at every one.

Theory: notes/01_fine_tuning.md and notes/02_which_token_learns.md
"""

from typing import TYPE_CHECKING

from torch import Tensor, nn
from torch.nn import functional

from text_classification.text_batches import LabelledBatch

if TYPE_CHECKING:  # for annotations alone
    from transformers import PreTrainedModel


def class_logits(model: nn.Module, batch: LabelledBatch) -> Tensor:
    """Return the logits of the classes in float32, (batch, classes)."""
    device = next(model.parameters()).device
    tokens, mask = batch.tokens.to(device), batch.attention_mask.to(device)
    return model(tokens, attention_mask=mask, use_cache=False).logits.float()


def classification_loss(model: nn.Module, batch: LabelledBatch) -> tuple[Tensor, int]:
    """Return the summed cross-entropy of a batch at its last tokens, and its size, as `train_steps` wants them."""
    logits = class_logits(model, batch)
    return functional.cross_entropy(logits, batch.labels.to(logits.device), reduction="sum"), len(batch.labels)


def every_token_loss(model: "PreTrainedModel", batch: LabelledBatch) -> tuple[Tensor, int]:
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

"""What a model loses that fills holes, whatever the text."""

from collections.abc import Iterable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from shared.nn.bert import MaskedLanguageModel

# What a model reads, which of it is real (None: all), what stood there, and which places are scored. The axes have no
# names here, because batches differ in size.
Tokens = Int[Tensor, "_ _"]
Places = Bool[Tensor, "_ _"]
MaskedBatch = tuple[Tokens, Places | None, Tokens, Places]


def hole_losses(model: MaskedLanguageModel, batch: MaskedBatch) -> Float[Tensor, " holes"]:
    """Return -ln p of what stood in each hole, in nats, row by row."""
    inputs, real, tokens, chosen = batch
    return functional.cross_entropy(model.at(chosen, inputs, real).float(), tokens[chosen], reduction="none")


def hole_loss(model: MaskedLanguageModel, batch: MaskedBatch) -> tuple[Float[Tensor, ""], int]:
    """Return the summed loss of the holes and their number, as `train_steps` wants them."""
    losses = hole_losses(model, batch)
    return losses.sum(), len(losses)


@torch.no_grad()
def nats_of_holes(model: MaskedLanguageModel, batches: Iterable[MaskedBatch]) -> Float[Tensor, " holes"]:
    """Return the loss of every hole of some batches; the model is in evaluation mode meanwhile."""
    was_training = model.training
    model.eval()
    losses = torch.cat([hole_losses(model, batch).double() for batch in batches])
    model.train(was_training)
    return losses

"""Faults of masking and of its loss that raise no error: each makes its own batch and divides its own sum."""

from typing import Literal

from torch import Generator, Tensor, nn
from torch.nn import functional

from shared.nn.bert import MaskedLanguageModel
from shared.text.masking import mask_tokens
from variants.sentences import Rows, Specials

Fault = Literal["right", "never_random", "times_mask", "padding", "everything"]
NAMES = {
    "right": "right",
    "never_random": "always the mask token",
    "times_mask": "mean of losses times mask",
    "padding": "padding masked and scored",
    "everything": "every token scored",
}
# What the model reads, which of it is real, what stood there, which places are scored, and by how many places the sum
# of their losses is divided.
Batch = tuple[Tensor, Tensor, Tensor, Tensor, int]


def spoil(rows: Rows, fault: Fault, specials: Specials, generator: Generator) -> Batch:
    """Return a batch with holes as a version makes it."""
    eligible = rows.eligible | (rows.tokens == specials.pad) if fault == "padding" else rows.eligible
    share_masked = 1.0 if fault == "never_random" else 0.8
    inputs, chosen = mask_tokens(
        rows.tokens, eligible, specials.mask, specials.mask, generator, masked=share_masked,
        random=0.0 if fault == "never_random" else 0.1,
    )  # fmt: skip
    scored = rows.real if fault == "everything" else chosen
    return inputs, rows.real, rows.tokens, scored, rows.tokens.numel() if fault == "times_mask" else int(scored.sum())


def summed_loss(model: nn.Module, batch: Batch) -> tuple[Tensor, int]:
    """Return the summed loss of the scored places in nats, and what it is divided by."""
    inputs, real, tokens, scored, divisor = batch
    assert isinstance(model, MaskedLanguageModel)
    return functional.cross_entropy(model.at(scored, inputs, real), tokens[scored], reduction="sum"), divisor

"""The loss of language models, and the one place where labels are shifted."""

import math
from collections.abc import Iterable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional

# Token ids (batch, tokens), and a mask of that shape, True where a token is real (None: no padding). The axes have no
# names here, because batches of one evaluation differ in size.
Batch = tuple[Int[Tensor, "_ _"], Bool[Tensor, "_ _"] | None]
LARGEST_EXPONENT = 709.0  # exp of more is beyond what 64 bits hold


def token_losses(
    logits: Float[Tensor, "batch inputs vocab"],
    tokens: Int[Tensor, "batch tokens"],
    mask: Bool[Tensor, "batch tokens"] | None = None,
) -> Float[Tensor, "batch targets"]:
    """Return -log p(next token) in nats for every token but the first of each row; 0 where the target is padding.

    This is the one place where labels are shifted: the logits at position t are scored against token t + 1.

    Args:
        logits: the model's output for `tokens`, or for all but the last of them, which has no target.
        tokens: what the model read and the last token to predict, not shifted.
        mask: True where a token is real.
    """
    targets = tokens[:, 1:]
    # Softmax in float32: bfloat16 has three digits, too few for the logarithm of a sum over the vocabulary.
    predicted = logits[:, : targets.shape[1]].float()
    losses = functional.cross_entropy(predicted.flatten(0, 1), targets.flatten(), reduction="none").view_as(targets)
    # Not a product: 0 times an infinite loss is not a number.
    return losses if mask is None else losses.where(mask[:, 1:], 0.0)


def count_targets(tokens: Int[Tensor, "batch tokens"], mask: Bool[Tensor, "batch tokens"] | None = None) -> int:
    """Return how many tokens are scored: all real ones but the first of each row."""
    return tokens[:, 1:].numel() if mask is None else int(mask[:, 1:].sum())


def next_token_loss(
    logits: Float[Tensor, "batch inputs vocab"],
    tokens: Int[Tensor, "batch tokens"],
    mask: Bool[Tensor, "batch tokens"] | None = None,
) -> Float[Tensor, ""]:
    """Return the mean of `token_losses` over the real targets, in nats per token.

    Raises:
        ValueError: there is no target.
    """
    targets = count_targets(tokens, mask)
    if targets == 0:
        raise ValueError(f"a loss needs a target: at least two real tokens in a row; got tokens {tuple(tokens.shape)}")
    return token_losses(logits, tokens, mask).sum() / targets


def language_model_loss(model: nn.Module, batch: Batch) -> tuple[Float[Tensor, ""], int]:
    """Return the summed loss of a batch and the number of its targets, as `train_steps` wants them."""
    tokens, mask = _to_device_of(model, batch)
    # The last token is only a target, so rows may be one longer than the model's context.
    return token_losses(model(tokens[:, :-1]), tokens, mask).sum(), count_targets(tokens, mask)


@torch.no_grad()
def evaluate_loss(model: nn.Module, batches: Iterable[Batch]) -> tuple[float, int]:
    """Return the mean loss in nats per token over all batches, and the number of tokens scored.

    Every token weighs the same: batches of different size or padding are summed before the division. The model is in
    evaluation mode meanwhile.

    Raises:
        ValueError: no batches.
    """
    was_training = model.training
    model.eval()
    total, targets = 0.0, 0
    for batch in batches:
        loss, count = language_model_loss(model, batch)
        total, targets = total + loss.item(), targets + count
    model.train(was_training)
    if targets == 0:
        raise ValueError("an evaluation needs batches with at least one target; got none")
    return total / targets, targets


def perplexity(nats: float) -> float:
    """Return exp(nats per token): the number of equally likely tokens that would be as hard to guess.

    Take the exponential of the mean over tokens, never of a sum nor the mean of exponentials.

    Raises:
        ValueError: the loss is not a number, or too large for its exponential to be one.
    """
    if not nats < LARGEST_EXPONENT:
        raise ValueError(
            f"a loss of {nats:g} nats per token has no perplexity that a computer could write: did training diverge? "
            "A lower learning rate may help"
        )
    return math.exp(nats)


def _to_device_of(model: nn.Module, batch: Batch) -> Batch:
    device = next(model.parameters()).device
    tokens, mask = batch
    return tokens.to(device), None if mask is None else mask.to(device)

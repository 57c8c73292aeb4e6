"""The loss of a masked language model: of the tokens that were chosen, and of no others. Nothing is shifted here."""

from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional


def masked_token_losses(
    logits: Float[Tensor, "batch tokens vocab"],
    tokens: Int[Tensor, "batch tokens"],
    chosen: Bool[Tensor, "batch tokens"],
) -> Float[Tensor, "places"]:
    """Return -log p(token) in nats for each chosen place, row by row.

    Args:
        logits: the model's output for the text with its holes.
        tokens: the text as it was before.
        chosen: the places that were chosen, whether or not something else stands there now.
    """
    return functional.cross_entropy(logits[chosen].float(), tokens[chosen], reduction="none")


def masked_loss(
    logits: Float[Tensor, "batch tokens vocab"],
    tokens: Int[Tensor, "batch tokens"],
    chosen: Bool[Tensor, "batch tokens"],
) -> Float[Tensor, ""]:
    """Return the mean of `masked_token_losses` over the chosen places, in nats per token.

    Raises:
        ValueError: no place is chosen.
    """
    if not chosen.any():
        raise ValueError(f"a loss needs a chosen token; none of {chosen.numel()} is: mask more, or take a larger batch")
    return masked_token_losses(logits, tokens, chosen).mean()

"""The head of a masked language model, and its loss."""

from torch import Tensor
from torch.nn import functional


def predict(hidden: Tensor, weight: Tensor, bias: Tensor, embeddings: Tensor, token_bias: Tensor) -> Tensor:
    """Return logits: a linear layer, GELU, a layer norm without gain and bias, and products with all embeddings."""
    x = functional.gelu(hidden @ weight.T + bias)
    x = x - x.mean(dim=-1, keepdim=True)
    x = x / (x.square().mean(dim=-1, keepdim=True) + 1e-12).sqrt()
    return x @ embeddings.T + token_bias


def masked_loss(logits: Tensor, tokens: Tensor, chosen: Tensor) -> Tensor:
    """Return the mean of -ln p(token) over the chosen places, in nats: one number."""
    # Selecting, not multiplying by the mask: 0 times an infinite loss is not a number.
    return functional.cross_entropy(logits[chosen], tokens[chosen])

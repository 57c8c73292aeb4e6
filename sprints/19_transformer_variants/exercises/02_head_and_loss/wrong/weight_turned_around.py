"""The weight is used as it is stored."""

from torch import Tensor
from torch.nn import functional


def predict(hidden: Tensor, weight: Tensor, bias: Tensor, embeddings: Tensor, token_bias: Tensor) -> Tensor:
    x = functional.layer_norm(functional.gelu(hidden @ weight + bias), weight.shape[:1], eps=1e-12)
    return x @ embeddings.T + token_bias


def masked_loss(logits: Tensor, tokens: Tensor, chosen: Tensor) -> Tensor:
    return functional.cross_entropy(logits[chosen], tokens[chosen])

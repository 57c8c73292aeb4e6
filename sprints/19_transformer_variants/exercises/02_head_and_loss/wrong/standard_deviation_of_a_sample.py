"""The norm divides by the standard deviation of a sample."""

from torch import Tensor
from torch.nn import functional


def predict(hidden: Tensor, weight: Tensor, bias: Tensor, embeddings: Tensor, token_bias: Tensor) -> Tensor:
    x = functional.gelu(hidden @ weight.T + bias)
    x = (x - x.mean(dim=-1, keepdim=True)) / x.std(dim=-1, keepdim=True)
    return x @ embeddings.T + token_bias


def masked_loss(logits: Tensor, tokens: Tensor, chosen: Tensor) -> Tensor:
    return functional.cross_entropy(logits[chosen], tokens[chosen])

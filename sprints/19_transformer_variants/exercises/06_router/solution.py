"""The router of a mixture of experts, and its balance loss."""

import torch
from torch import Tensor


def route(logits: Tensor, top_k: int) -> Tensor:
    """Return how much each token takes of each expert: 0 of all but its `top_k`, and 1 in all."""
    probabilities = logits.softmax(dim=-1)
    best, chosen = probabilities.topk(top_k, dim=-1)  # (tokens, top_k)
    weights = best / best.sum(dim=-1, keepdim=True)
    return torch.zeros_like(logits).scatter(-1, chosen, weights)


def balance_loss(logits: Tensor, top_k: int, real: Tensor) -> Tensor:
    """Return experts times the sum over experts of load times mean probability, of one layer."""
    kept = logits[real]  # the real tokens alone
    experts = kept.shape[-1]
    load = (route(kept, top_k) > 0).float().mean(dim=0)  # a count, divided by the tokens: it has no gradient
    probability = kept.softmax(dim=-1).mean(dim=0)  # this has one
    return experts * (load * probability).sum()

"""The weights after the choice stand for the probabilities."""

import torch
from torch import Tensor


def route(logits: Tensor, top_k: int) -> Tensor:
    best, chosen = logits.softmax(dim=-1).topk(top_k, dim=-1)
    return torch.zeros_like(logits).scatter(-1, chosen, best / best.sum(dim=-1, keepdim=True))


def balance_loss(logits: Tensor, top_k: int, real: Tensor) -> Tensor:
    kept = logits[real]
    weights = route(kept, top_k)
    return kept.shape[-1] * ((weights > 0).float().mean(dim=0) * weights.mean(dim=0)).sum()

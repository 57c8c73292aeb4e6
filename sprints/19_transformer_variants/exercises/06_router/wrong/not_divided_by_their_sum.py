"""The softmax over all experts is kept, so that the chosen weights add up to less than 1."""

import torch
from torch import Tensor


def route(logits: Tensor, top_k: int) -> Tensor:
    best, chosen = logits.softmax(dim=-1).topk(top_k, dim=-1)
    return torch.zeros_like(logits).scatter(-1, chosen, best)


def balance_loss(logits: Tensor, top_k: int, real: Tensor) -> Tensor:
    kept = logits[real]
    load = (route(kept, top_k) > 0).float().mean(dim=0)
    return kept.shape[-1] * (load * kept.softmax(dim=-1).mean(dim=0)).sum()

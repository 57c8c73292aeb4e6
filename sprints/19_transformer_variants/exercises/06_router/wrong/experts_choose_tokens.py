"""The largest are looked for along the wrong axis."""

import torch
from torch import Tensor


def route(logits: Tensor, top_k: int) -> Tensor:
    best, chosen = logits.softmax(dim=0).topk(min(top_k, len(logits)), dim=0)
    return torch.zeros_like(logits).scatter(0, chosen, best / best.sum(dim=0, keepdim=True))


def balance_loss(logits: Tensor, top_k: int, real: Tensor) -> Tensor:
    kept = logits[real]
    load = (route(kept, top_k) > 0).float().mean(dim=0)
    return kept.shape[-1] * (load * kept.softmax(dim=-1).mean(dim=0)).sum()

"""The chosen experts are averaged."""

import torch
from torch import Tensor


def route(logits: Tensor, top_k: int) -> Tensor:
    chosen = logits.topk(top_k, dim=-1).indices
    return torch.zeros_like(logits).scatter(-1, chosen, 1 / top_k)


def balance_loss(logits: Tensor, top_k: int, real: Tensor) -> Tensor:
    kept = logits[real]
    load = (route(kept, top_k) > 0).float().mean(dim=0)
    return kept.shape[-1] * (load * kept.softmax(dim=-1).mean(dim=0)).sum()

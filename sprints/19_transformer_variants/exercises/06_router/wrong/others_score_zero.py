"""The scores of the others are set to 0, as if that were no weight."""

import torch
from torch import Tensor


def route(logits: Tensor, top_k: int) -> Tensor:
    best, chosen = logits.topk(top_k, dim=-1)
    return torch.zeros_like(logits).scatter(-1, chosen, best).softmax(dim=-1)


def balance_loss(logits: Tensor, top_k: int, real: Tensor) -> Tensor:
    kept = logits[real]
    load = (route(kept, top_k) > 0).float().mean(dim=0)
    return kept.shape[-1] * (load * kept.softmax(dim=-1).mean(dim=0)).sum()

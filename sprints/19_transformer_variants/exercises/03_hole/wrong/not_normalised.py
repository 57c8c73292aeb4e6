"""Probabilities of texts, not divided by their sum."""

from collections.abc import Callable

import torch
from torch import Tensor


def hole(
    log_prob: Callable[[tuple[str, ...]], float], words: tuple[str, ...], place: int, candidates: tuple[str, ...]
) -> Tensor:
    texts = [(*words[:place], candidate, *words[place + 1 :]) for candidate in candidates]
    return torch.tensor([log_prob(text) for text in texts], dtype=torch.float64).exp()


def cost_in_order(rows: Tensor, log_probs: Tensor, text: int, order: tuple[int, ...]) -> Tensor:
    fits = torch.ones(len(rows), dtype=torch.bool)
    costs = []
    for place in order:
        before = log_probs[fits].logsumexp(dim=0)
        fits = fits & (rows[:, place] == rows[text, place])
        costs.append(before - log_probs[fits].logsumexp(dim=0))
    return torch.stack(costs)

"""The conditional of a hole by a softmax over whole texts; the cost of each word by what still fits."""

from collections.abc import Callable

import torch
from torch import Tensor


def hole(
    log_prob: Callable[[tuple[str, ...]], float], words: tuple[str, ...], place: int, candidates: tuple[str, ...]
) -> Tensor:
    """Return P(text with the candidate) divided by the sum over all candidates."""
    texts = [(*words[:place], candidate, *words[place + 1 :]) for candidate in candidates]
    # Softmax subtracts the largest logarithm first, so that e^-2000 is never computed.
    return torch.tensor([log_prob(text) for text in texts], dtype=torch.float64).softmax(dim=0)


def cost_in_order(rows: Tensor, log_probs: Tensor, text: int, order: tuple[int, ...]) -> Tensor:
    """Return the logarithm of the probability that is lost with each word: ln P(fits before) - ln P(fits now)."""
    fits = torch.ones(len(rows), dtype=torch.bool)
    costs = []
    for place in order:
        before = log_probs[fits].logsumexp(dim=0)
        fits = fits & (rows[:, place] == rows[text, place])
        costs.append(before - log_probs[fits].logsumexp(dim=0))
    return torch.stack(costs)

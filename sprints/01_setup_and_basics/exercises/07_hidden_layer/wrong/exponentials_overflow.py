"""The largest logit is not subtracted, and 800 is too large for exp."""

import torch


def cross_entropy(logits, labels):
    probabilities = logits.exp() / logits.exp().sum(dim=1, keepdim=True)
    return -probabilities[torch.arange(len(labels)), labels].log().mean()

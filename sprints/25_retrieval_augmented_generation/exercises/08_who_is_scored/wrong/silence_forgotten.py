"""Makes the citations add up to 1, as if it were never silent."""

import torch
from torch import Tensor


def answer_loss(logits: Tensor, tokens: Tensor, answers: Tensor) -> Tensor:
    """Return the mean of -log p(token) over the answers: the logits before a token are those that predict it."""
    logs = logits[:, :-1].log_softmax(dim=-1).gather(-1, tokens[:, 1:, None])[..., 0]
    return -logs[answers[:, 1:]].mean()


def citation_scores(cited: Tensor, right: Tensor) -> Tensor:
    """Return right citations by all citations, and by all passages that are there."""
    hits = ((cited == right) & (cited > 0)).sum()
    return torch.stack([hits / (cited > 0).sum(), hits / (right > 0).sum()])


def belief_in_words(citations: Tensor, words: Tensor) -> Tensor:
    """Return the sum over the citations: p(citation) p(word | citation)."""
    return citations / citations.sum() @ words

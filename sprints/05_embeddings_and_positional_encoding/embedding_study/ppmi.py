"""Counting instead of training: positive pointwise mutual information, and its factors."""

import torch
from jaxtyping import Float
from torch import Tensor

from embedding_study.word_pairs import Pairs


def ppmi_svd(passes: list[Pairs], vocab: int, *, features: int, power: float) -> Float[Tensor, "vocab features"]:
    """Return the factors of positive pointwise mutual information (Levy & Goldberg 2014).

    Args:
        passes: pairs of a centre and a context, which are counted.
        vocab: distinct words.
        features: factors to keep.
        power: power of the counts of contexts, which smooths them as the noise of skip-gram is smoothed.
    """
    cells = torch.cat([pairs[:, 0] * vocab + pairs[:, 1] for pairs in passes])
    counts = torch.bincount(cells, minlength=vocab**2).view(vocab, vocab).double()
    contexts = counts.sum(dim=0) ** power
    independent = counts.sum(dim=1, keepdim=True) * contexts / contexts.sum()
    ppmi = (counts / independent.clamp(min=1e-12)).log().clamp(min=0)
    left, values, _ = torch.linalg.svd(ppmi)
    return (left[:, :features] * values[:features].sqrt()).float()

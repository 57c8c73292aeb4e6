"""Positions count through the row."""

import torch
from torch import Tensor


def positions_of(documents: Tensor) -> Tensor:
    """Return the position of each token in its document: its place less the place at which the document begins."""
    places = torch.arange(documents.shape[1]).expand_as(documents)
    begins = torch.ones_like(documents, dtype=torch.bool)
    begins[:, 1:] = documents[:, 1:] != documents[:, :-1]
    start = torch.where(begins, places, 0).cummax(dim=1).values
    return torch.where(documents < 0, 0, places)


def mask_of(documents: Tensor) -> Tensor:
    """Return where a query may look at a key: the same document, not later, and no padding."""
    same = documents[:, :, None] == documents[:, None, :]
    past = torch.ones(documents.shape[1], documents.shape[1], dtype=torch.bool).tril()
    return same & past & (documents >= 0)[:, :, None]


def targets_of(documents: Tensor) -> Tensor:
    """Return which tokens are predicted from their own document: all real ones but the first of each."""
    return positions_of(documents) > 0

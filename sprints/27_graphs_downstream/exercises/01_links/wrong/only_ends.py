"""Every edge at a node of a hidden pair goes."""

import torch
from torch import Tensor


def without(edge_index: Tensor, hidden: Tensor) -> Tensor:
    """Return the edges that are left when pairs are hidden, in their order."""
    gone = set(hidden.flatten().tolist())
    kept = [not gone & set(edge) for edge in edge_index.T.tolist()]
    return edge_index[:, torch.tensor(kept, dtype=torch.bool)]


def auc(right: Tensor, wrong: Tensor) -> float:
    """Return the share of couples in which the right one scores higher; a tie is half."""
    if not len(right) or not len(wrong):
        raise ValueError("there must be a right and a wrong pair at least")
    above = right[:, None] > wrong
    level = right[:, None] == wrong
    return (above.double() + level.double() / 2).mean().item()

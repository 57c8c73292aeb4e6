"""Each right pair meets one wrong pair only."""

import torch
from torch import Tensor


def without(edge_index: Tensor, hidden: Tensor) -> Tensor:
    """Return the edges that are left when pairs are hidden, in their order."""
    gone = {pair for one, other in hidden.tolist() for pair in ((one, other), (other, one))}
    kept = [tuple(edge) not in gone for edge in edge_index.T.tolist()]
    return edge_index[:, torch.tensor(kept, dtype=torch.bool)]


def auc(right: Tensor, wrong: Tensor) -> float:
    """Return the share of couples in which the right one scores higher; a tie is half."""
    if not len(right) or not len(wrong):
        raise ValueError("there must be a right and a wrong pair at least")
    count = min(len(right), len(wrong))
    above, level = right[:count] > wrong[:count], right[:count] == wrong[:count]
    return (above.double() + level.double() / 2).mean().item()

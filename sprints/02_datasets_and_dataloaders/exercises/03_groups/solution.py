"""Groups are shuffled, not items."""

import torch
from torch import Tensor


def split_by_group(groups: Tensor, test_groups: int, generator: torch.Generator) -> Tensor:
    """Return which items test, boolean (items,): all items of `test_groups` groups that are drawn at random."""
    names = groups.unique()  # each group once, however many items it has
    order = torch.randperm(len(names), generator=generator)
    return torch.isin(groups, names[order[:test_groups]])

"""True are the items that train."""

import torch
from torch import Tensor


def split_by_group(groups: Tensor, test_groups: int, generator: torch.Generator) -> Tensor:
    names = groups.unique()
    order = torch.randperm(len(names), generator=generator)
    return ~torch.isin(groups, names[order[:test_groups]])

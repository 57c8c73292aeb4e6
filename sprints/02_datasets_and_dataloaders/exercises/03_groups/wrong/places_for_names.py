"""Places in the list of groups are taken for groups."""

import torch
from torch import Tensor


def split_by_group(groups: Tensor, test_groups: int, generator: torch.Generator) -> Tensor:
    order = torch.randperm(len(groups.unique()), generator=generator)
    return torch.isin(groups, order[:test_groups])

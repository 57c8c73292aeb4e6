"""Groups are drawn by their items: a group with many is drawn more often."""

import torch
from torch import Tensor


def split_by_group(groups: Tensor, test_groups: int, generator: torch.Generator) -> Tensor:
    order = torch.randperm(len(groups), generator=generator)
    drawn = list(dict.fromkeys(groups[order].tolist()))[:test_groups]
    return torch.isin(groups, torch.tensor(drawn))

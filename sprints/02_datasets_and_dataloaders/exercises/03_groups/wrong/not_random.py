"""The first groups test, whatever the generator."""

import torch
from torch import Tensor


def split_by_group(groups: Tensor, test_groups: int, generator: torch.Generator) -> Tensor:
    names = groups.unique()
    return torch.isin(groups, names[:test_groups])  # the generator is not used

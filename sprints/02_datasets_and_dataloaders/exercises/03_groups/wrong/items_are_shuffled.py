"""Items are shuffled, so that writers are on both sides."""

import torch
from torch import Tensor


def split_by_group(groups: Tensor, test_groups: int, generator: torch.Generator) -> Tensor:
    share = test_groups / len(groups.unique())
    order = torch.randperm(len(groups), generator=generator)
    test = torch.zeros(len(groups), dtype=torch.bool)
    test[order[: int(share * len(groups))]] = True
    return test

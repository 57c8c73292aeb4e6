"""The last ones are kept."""

import torch
from torch import Tensor


def cut(change: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    left, values, right = torch.linalg.svd(change, full_matrices=False)
    return right[-rank:], left[:, -rank:] * values[-rank:]

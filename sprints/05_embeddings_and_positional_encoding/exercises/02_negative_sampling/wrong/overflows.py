"""The probability is rounded to 0 before the logarithm."""

from torch import Tensor


def negative_sampling_loss(centre: Tensor, context: Tensor, noise: Tensor) -> Tensor:
    positive = (centre * context).sum(dim=-1)
    negative = (noise * centre[:, None]).sum(dim=-1)
    return -positive.sigmoid().log() - (1 - negative.sigmoid()).log().sum(dim=-1)

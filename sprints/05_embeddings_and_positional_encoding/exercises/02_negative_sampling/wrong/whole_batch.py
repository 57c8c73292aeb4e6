"""One number for all pairs."""

from torch import Tensor
from torch.nn.functional import logsigmoid


def negative_sampling_loss(centre: Tensor, context: Tensor, noise: Tensor) -> Tensor:
    positive = (centre * context).sum(dim=-1)
    negative = (noise * centre[:, None]).sum(dim=-1)
    return (-logsigmoid(positive) - logsigmoid(-negative).sum(dim=-1)).mean()

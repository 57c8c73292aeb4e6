"""Each true pair against its noise."""

from torch import Tensor
from torch.nn.functional import logsigmoid


def negative_sampling_loss(centre: Tensor, context: Tensor, noise: Tensor) -> Tensor:
    """Return -log s(context . centre) - sum over the noise of log s(-noise . centre) for each pair, (pairs)."""
    positive = (centre * context).sum(dim=-1)  # (pairs)
    negative = (noise * centre[:, None]).sum(dim=-1)  # (pairs, negatives)
    return -logsigmoid(positive) - logsigmoid(-negative).sum(dim=-1)

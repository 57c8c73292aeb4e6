"""The model is compared with nothing."""

from torch import Tensor
from torch.nn import functional


def dpo(
    chosen: Tensor, rejected: Tensor, reference_chosen: Tensor, reference_rejected: Tensor, beta: float
) -> tuple[Tensor, Tensor, Tensor]:
    margins = beta * (chosen - rejected)
    return -functional.logsigmoid(margins).mean(), margins.mean(), (margins > 0).float().mean()

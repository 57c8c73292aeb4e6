"""The reference's difference has the wrong sign."""

from torch import Tensor
from torch.nn import functional


def dpo(
    chosen: Tensor, rejected: Tensor, reference_chosen: Tensor, reference_rejected: Tensor, beta: float
) -> tuple[Tensor, Tensor, Tensor]:
    margins = beta * ((chosen - rejected) + (reference_chosen - reference_rejected))
    return -functional.logsigmoid(margins).mean(), margins.mean(), (margins > 0).float().mean()

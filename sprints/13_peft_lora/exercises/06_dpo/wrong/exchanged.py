"""The wrong answer wins."""

from torch import Tensor
from torch.nn import functional


def dpo(
    chosen: Tensor, rejected: Tensor, reference_chosen: Tensor, reference_rejected: Tensor, beta: float
) -> tuple[Tensor, Tensor, Tensor]:
    margins = beta * (rejected - reference_rejected) - beta * (chosen - reference_chosen)
    return -functional.logsigmoid(margins).mean(), margins.mean(), (margins > 0).float().mean()

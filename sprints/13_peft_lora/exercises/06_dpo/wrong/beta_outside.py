"""A factor of the loss, which Adam takes away again."""

from torch import Tensor
from torch.nn import functional


def dpo(
    chosen: Tensor, rejected: Tensor, reference_chosen: Tensor, reference_rejected: Tensor, beta: float
) -> tuple[Tensor, Tensor, Tensor]:
    margins = (chosen - reference_chosen) - (rejected - reference_rejected)
    return beta * -functional.logsigmoid(margins).mean(), margins.mean(), (margins > 0).float().mean()

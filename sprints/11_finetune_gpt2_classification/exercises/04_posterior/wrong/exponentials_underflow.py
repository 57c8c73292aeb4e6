"""The probabilities themselves are computed: of long texts they are 0, and 0 / 0 is NaN."""

from torch import Tensor


def posterior(log_genuine: Tensor, log_spoiled: Tensor, prior: float) -> Tensor:
    spoiled = prior * log_spoiled.exp()
    return spoiled / (spoiled + (1 - prior) * log_genuine.exp())

"""The ratio is multiplied by the prior and not by its odds."""

import math

from torch import Tensor


def posterior(log_genuine: Tensor, log_spoiled: Tensor, prior: float) -> Tensor:
    return (log_spoiled - log_genuine + math.log(prior)).sigmoid()

"""The ratio of genuine to spoiled."""

import math

from torch import Tensor


def posterior(log_genuine: Tensor, log_spoiled: Tensor, prior: float) -> Tensor:
    return (log_genuine - log_spoiled + math.log(prior / (1 - prior))).sigmoid()

"""Bayes' rule in logarithms: the sigmoid of the log odds."""

import math

from torch import Tensor


def posterior(log_genuine: Tensor, log_spoiled: Tensor, prior: float) -> Tensor:
    """Return P(spoiled | text) by Bayes' rule."""
    log_odds = log_spoiled - log_genuine + math.log(prior / (1 - prior))
    return log_odds.sigmoid()  # odds / (1 + odds), without computing the odds

"""The share of subsets without a right answer."""

import math


def pass_at_k(samples: int, correct: int, k: int) -> float:
    return math.comb(samples - correct, k) / math.comb(samples, k)

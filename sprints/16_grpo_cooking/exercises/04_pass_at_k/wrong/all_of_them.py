"""How probably all k are right."""

import math


def pass_at_k(samples: int, correct: int, k: int) -> float:
    return math.comb(correct, k) / math.comb(samples, k)

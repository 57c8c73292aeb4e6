"""The cosine comes up again."""

import math


def factor(step: int, steps: int, warmup: int, floor: float) -> float:
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / (steps - warmup)
    return floor + (1 - floor) * (1 + math.cos(2 * math.pi * progress)) / 2

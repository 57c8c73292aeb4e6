"""Right, but for a warm-up of 0."""

import math


def factor(step: int, steps: int, warmup: int, floor: float) -> float:
    rise = (step + 1) / warmup
    progress = max(0, step - warmup) / (steps - warmup)
    return min(rise, floor + (1 - floor) * (1 + math.cos(math.pi * progress)) / 2)

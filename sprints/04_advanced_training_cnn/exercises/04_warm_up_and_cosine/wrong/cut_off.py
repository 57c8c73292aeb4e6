"""The cosine is cut off."""

import math


def factor(step: int, steps: int, warmup: int, floor: float) -> float:
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / (steps - warmup)
    return max(floor, (1 + math.cos(math.pi * progress)) / 2)

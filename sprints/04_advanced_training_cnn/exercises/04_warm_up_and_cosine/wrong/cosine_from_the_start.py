"""The cosine begins at step 0."""

import math


def factor(step: int, steps: int, warmup: int, floor: float) -> float:
    if step < warmup:
        return (step + 1) / warmup
    progress = step / steps
    return floor + (1 - floor) * (1 + math.cos(math.pi * progress)) / 2

"""A straight line up, then half a cosine down."""

import math


def factor(step: int, steps: int, warmup: int, floor: float) -> float:
    """Return what the peak learning rate is multiplied by in a step, counted from 0."""
    if step < warmup:
        return (step + 1) / warmup  # not 0 in step 0: such a step would be lost
    progress = (step - warmup) / (steps - warmup)  # 0 to 1
    return floor + (1 - floor) * (1 + math.cos(math.pi * progress)) / 2

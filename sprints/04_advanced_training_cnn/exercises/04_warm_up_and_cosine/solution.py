"""A line up, and half a cosine down."""

import math


def factor(step: int, steps: int, warmup: int, floor: float) -> float:
    """Return what the peak rate is multiplied by in a step."""
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / (steps - warmup)
    return floor + (1 - floor) * (1 + math.cos(math.pi * progress)) / 2

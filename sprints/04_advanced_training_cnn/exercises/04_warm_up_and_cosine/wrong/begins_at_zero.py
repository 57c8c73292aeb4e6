"""The first step has no rate."""

import math


def factor(step: int, steps: int, warmup: int, floor: float) -> float:
    if step < warmup:
        return step / warmup
    progress = (step - warmup) / (steps - warmup)
    return floor + (1 - floor) * (1 + math.cos(math.pi * progress)) / 2

"""Schedules: the factor of the learning rate, by the number of steps done."""

import math


def constant(step: int) -> float:  # noqa: ARG001 (every schedule takes the step)
    """Return 1: the learning rate stays as it is."""
    return 1.0


def warmup_cosine(step: int, *, steps: int, warmup: int, floor: float = 0.1) -> float:
    """Return the factor of the learning rate: linear to 1 in `warmup` steps, then half a cosine down to `floor`."""
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / max(1, steps - warmup)
    return floor + (1 - floor) * (1 + math.cos(math.pi * progress)) / 2


def warmup_linear(step: int, *, steps: int, warmup: int, floor: float = 0.0) -> float:
    """Return the factor of the learning rate: linear to 1 in `warmup` steps, then linear down to `floor`."""
    if step < warmup:
        return (step + 1) / warmup
    return 1 - (1 - floor) * (step - warmup) / max(1, steps - warmup)


def warmup_stable_decay(step: int, *, steps: int, warmup: int, decay: float = 0.2) -> float:
    """Return the factor of the learning rate: linear to 1, then 1, then linear to 0 over the last share `decay`.

    How long a training will last need not be known before its last part (Hu et al. 2024, MiniCPM, section 4).
    """
    if step < warmup:
        return (step + 1) / warmup
    return min(1.0, (steps - step) / max(1, round(decay * steps)))

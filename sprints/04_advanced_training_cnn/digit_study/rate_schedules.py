"""Eight schedules of the learning rate, each a function of the step that returns rate / peak.

`shared/training/schedules.py` has those that the curriculum trains with; here stand the formulas, without a warm-up.
"""

import math
from collections.abc import Callable

Factor = Callable[[int], float]
NAMES = (
    "constant", "staircase", "exponential", "linear", "cosine", "cosine with restarts", "one cycle", "plateau",
)  # fmt: skip


def constant(step: int) -> float:  # noqa: ARG001 (every schedule takes the step)
    """1"""
    return 1.0


def staircase(step: int, period: int, gamma: float = 0.1) -> float:
    """gamma ^ floor(step / period)"""
    return gamma ** (step // period)


def exponential(step: int, gamma: float) -> float:
    """gamma ^ step"""
    return gamma**step


def linear(step: int, steps: int) -> float:
    """1 - step / steps"""
    return 1 - step / steps


def cosine(step: float | int, steps: float | int) -> float:
    """(1 + cos(pi step / steps)) / 2: flat at both ends (Loshchilov & Hutter 2017, equation 5)."""
    return (1 + math.cos(math.pi * step / steps)) / 2


def restarts(step: int, first: int) -> float:
    """Cosines of first, 2 first, 4 first ... steps, one after the other."""
    length = first
    while step >= length:
        step, length = step - length, 2 * length
    return cosine(step, length)


def one_cycle(step: int, steps: int, rise: float = 0.3, start: float = 1 / 25, end: float = 1 / 250_000) -> float:
    """Half a cosine up from `start` to 1, then half a cosine down to `end` (Smith & Topin 2018)."""
    peak = rise * steps - 1
    if step <= peak:
        return 1 + (start - 1) * cosine(step, peak)
    return end + (1 - end) * cosine(step - peak, steps - 1 - peak)


class Plateau:
    """gamma ^ (how often the validation loss has not been lower for more than `patience` updates)"""

    def __init__(self, patience: int, gamma: float = 0.1) -> None:
        self.patience, self.gamma = patience, gamma
        self.factor, self.lowest, self.waited = 1.0, math.inf, 0

    def __call__(self, step: int) -> float:  # noqa: ARG002
        return self.factor

    def update(self, loss: float) -> None:
        # Lower by less than a ten-thousandth is not lower, as in PyTorch.
        if loss < self.lowest * (1 - 1e-4):
            self.lowest, self.waited = loss, 0
        else:
            self.waited += 1
        if self.waited > self.patience:
            self.factor, self.waited = self.factor * self.gamma, 0


def make_schedule(name: str, steps: int) -> Factor:
    """Return a schedule for a run of so many steps."""
    factors: dict[str, Factor] = {
        "constant": constant,
        "staircase": lambda step: staircase(step, period=steps // 3),
        "exponential": lambda step: exponential(step, gamma=0.01 ** (1 / steps)),
        "linear": lambda step: linear(step, steps),
        "cosine": lambda step: cosine(step, steps),
        "cosine with restarts": lambda step: restarts(step, first=math.ceil(steps / 7)),
        "one cycle": lambda step: one_cycle(step, steps),
        "plateau": Plateau(patience=1),
    }
    return factors[name]

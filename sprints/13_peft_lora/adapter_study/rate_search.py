"""A search for a learning rate that does not end at an edge of its grid.

Theory: notes/04_beside_full_fine_tuning.md
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class FoundRate(Generic[T]):
    """The best rate, what came of it, the loss of each rate (infinite: training diverged), and whether it has
    neighbours on both sides, which are worse.
    """

    rate: float
    outcome: T
    losses: dict[float, float]
    inside: bool


def search_rate(
    attempt: Callable[[float], tuple[float, T]], rates: Sequence[float], widenings: int = 2
) -> FoundRate[T]:
    """Try rates and, as long as the best of them is the largest or the smallest, another one beyond it.

    Args:
        attempt: trains with a rate; returns the loss on validation data, and what is wanted of the best attempt.
        rates: to begin with; a single one is taken as it is.
        widenings: how many rates are added at most. What is still best at an edge then is not `inside`.

    Raises:
        ValueError: training diverged with every rate.
    """
    losses: dict[float, float] = {}
    kept: dict[float, T] = {}
    waiting = sorted(set(rates))
    left = widenings if len(waiting) > 1 else 0
    while waiting:
        rate = waiting.pop(0)
        try:
            losses[rate], made = attempt(rate)
        except ArithmeticError:  # a loss or a gradient that is not finite
            losses[rate] = math.inf
        else:
            if losses[rate] <= min(losses.values()):
                kept = {rate: made}  # of the others the losses are enough
        grid = sorted(losses)
        best = min(grid, key=lambda rate: losses[rate])
        if not waiting and left and best in (grid[0], grid[-1]):
            neighbour = grid[1] if best == grid[0] else grid[-2]
            waiting.append(float(f"{best**2 / neighbour:.2g}"))
            left -= 1
    if not kept:
        raise ValueError(f"training diverged with every rate of {', '.join(f'{rate:g}' for rate in losses)}: try lower")
    grid = sorted(losses)
    (best,) = kept
    return FoundRate(best, kept[best], {rate: losses[rate] for rate in grid}, inside=grid[0] < best < grid[-1])

"""Why is a sum of the same numbers another one on two processes? By hand, with three digits.

    uv run sprints/24_distributed_training/order_by_hand.py
    uv run sprints/24_distributed_training/order_by_hand.py --rows 100 0.3 0.3 0.3

Four rows have one gradient each. Every sum is rounded to three digits before the next number is added, as a computer
rounds to 24 binary digits. Theory: notes/08_equal_numbers.md
"""

from dataclasses import dataclass
from decimal import Context, Decimal

import torch
from matplotlib.figure import Figure

from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.drawings import KEY, QUERY, TOKEN, VALUE, arrow, canvas, cells, text
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

LARGE = (2.0**24, 1.0, 1.0, 1.0)  # float32 has 24 binary digits


@dataclass(frozen=True)
class Config(ScriptConfig):
    rows: tuple[float, float, float, float] = (100.0, 0.4, 0.4, 0.4)  # gradients of the rows
    digits: PositiveInt = 3  # decimal digits that a number keeps


@dataclass(frozen=True)
class Results:
    rows: list[float]
    exact: float
    forward: list[float]  # one process: the sum after each row
    shares: list[list[float]]  # two processes: the same for each of them, every second row
    together: float  # the sum of the two
    backward: list[float]  # one process that begins with the last row
    float32: dict[str, float]  # the three sums of 16,777,216 and three ones


def partial_sums(numbers: list[float], digits: int) -> list[float]:
    """Return the sum after each number, rounded to so many digits every time."""
    context, sums = Context(prec=digits), [Decimal(0)]
    for number in numbers:
        sums.append(context.add(sums[-1], Decimal(str(number))))
    return [float(total) for total in sums[1:]]


def sums_in_float32() -> dict[str, float]:
    """Return the sum of `LARGE` in three orders."""
    a, b, c, d = torch.tensor(LARGE)
    return {"forward": (a + b + c + d).item(), "two": ((a + c) + (b + d)).item(), "backward": (d + c + b + a).item()}


def main(config: Config) -> Results:
    rows = list(config.rows)
    shares = [partial_sums(rows[rank::2], config.digits) for rank in range(2)]
    together = partial_sums([share[-1] for share in shares], config.digits)[-1]
    forward, backward = (partial_sums(numbers, config.digits) for numbers in (rows, rows[::-1]))
    exact = float(sum(Decimal(str(row)) for row in rows))
    print(f"exact {exact:g}; one process {forward[-1]:g}, two {together:g}, one from the last row on {backward[-1]:g}")
    in_float32 = sums_in_float32()
    print("2^24 + 1 + 1 + 1 in float32:", ", ".join(f"{name} {total:,.0f}" for name, total in in_float32.items()))
    return Results(rows, exact, forward, shares, together, backward, in_float32)


def plot(results: Results) -> Figure:
    """Draw three orders of the same sum: in each cell what has been added up so far."""
    figure, axes = canvas(7.6, 4.1)

    def chain(numbers: list[float], sums: list[float], y: float, colour: str) -> None:
        text(axes, "add", 2.25, y + 0.25, align="right")
        cells(axes, [numbers], 2.4, y + 0.5, colour=TOKEN, size=0.5)
        text(axes, "so far", 2.25, y - 0.3, align="right")
        cells(axes, [sums], 2.4, y - 0.05, colour=colour, size=0.5)

    def ending(total: float, y: float, x: float) -> None:
        cells(axes, [[total]], x, y, colour=VALUE, size=0.5, strengths=[[0.6]])

    text(axes, "one process", 0.1, 3.55, align="left", bold=True)
    chain(results.rows, results.forward, 3.45, QUERY)
    ending(results.forward[-1], 3.4, 6.8)
    arrow(axes, (4.5, 3.15), (6.75, 3.15))
    text(axes, "two processes", 0.1, 2.1, align="left", bold=True)
    for rank, (share, x) in enumerate(zip(results.shares, (2.4, 4.2), strict=True)):
        cells(axes, [results.rows[rank::2]], x, 2.5, colour=TOKEN, size=0.5, title=f"process {rank}")
        cells(axes, [share], x, 1.95, colour=(QUERY, KEY)[rank], size=0.5)
    ending(results.together, 1.95, 6.8)
    text(axes, "+", 3.8, 1.7, bold=True)
    arrow(axes, (5.3, 1.7), (6.75, 1.7))
    text(axes, "one process,", 0.1, 0.75, align="left", bold=True)
    text(axes, "last row first", 0.1, 0.5, align="left", bold=True)
    chain(results.rows[::-1], results.backward, 0.6, QUERY)
    ending(results.backward[-1], 0.55, 6.8)
    arrow(axes, (4.5, 0.3), (6.75, 0.3))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})

"""Five questions, and how sure a reader is of each: when should it rather say that it does not know?

    uv run sprints/25_retrieval_augmented_generation/abstain_by_hand.py
    uv run sprints/25_retrieval_augmented_generation/abstain_by_hand.py --prices 0.25 9

Theory: notes/11_a_reader.md
"""

from dataclasses import dataclass
from itertools import accumulate

from matplotlib.figure import Figure

from retrieval.readers import least_belief
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import OpenFraction, PositiveFloat
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    beliefs: tuple[OpenFraction, ...] = (0.9, 0.8, 0.6, 0.5, 0.2)  # in the best answer to each question
    prices: tuple[PositiveFloat, ...] = (1.0, 4.0)  # points that an error costs; a right answer earns 1


@dataclass(frozen=True)
class Results:
    """Beliefs, falling; by price the least belief and the expected points; errors among the first so many answers."""

    beliefs: list[float]
    least: dict[str, float]
    points: dict[str, list[float]]  # of each question, if it is answered
    errors: list[float]


def main(config: Config) -> Results:
    beliefs = sorted(config.beliefs, reverse=True)
    errors = [total / place for place, total in enumerate(accumulate(1 - belief for belief in beliefs), start=1)]
    least = {f"{price:g}": least_belief(price) for price in config.prices}
    points = {f"{price:g}": [belief - price * (1 - belief) for belief in beliefs] for price in config.prices}
    for price, values in points.items():
        kept = sum(value for value in values if value > 0)
        print(f"an error costs {price}: answer above {least[price]:.3f}; points {kept:.2f}, all {sum(values):.2f}")
    print("errors among the surest answers: " + ", ".join(f"{share:.3f}" for share in errors))
    return Results(beliefs, least, points, errors)


def plot(results: Results) -> Figure:
    """Draw the beliefs, what each answer is worth at each price, and the share of errors, column by column."""
    size, x = 0.72, 3.2
    prices = list(results.points)
    figure, axes = drawings.canvas(x + size * len(results.beliefs) + 2.1, 1.75 + 0.85 * (len(prices) + 1))
    top = 0.85 * (len(prices) + 2) + 0.45
    drawings.text(axes, "belief in the best answer", x - 0.15, top - size / 2, align="right")
    drawings.cells(
        axes, [results.beliefs], x, top, colour=drawings.QUERY, size=size,
        strengths=[[0.6 * belief for belief in results.beliefs]],
    )  # fmt: skip
    for row, price in enumerate(prices, start=1):
        y, values = top - 0.85 * row, [round(value, 6) + 0.0 for value in results.points[price]]
        drawings.text(axes, f"points, if an error costs {price}", x - 0.15, y - size / 2, align="right")
        drawings.cells(
            axes, [values], x, y, colour=drawings.VALUE, size=size,
            strengths=[[0.5 if value > 0 else 0.0 for value in values]],
        )  # fmt: skip
        kept = sum(value for value in values if value > 0)
        end = x + size * len(values) + 0.15
        drawings.text(axes, f"answer above {results.least[price]:.3g}:", end, y - size / 2 + 0.13, align="left")
        drawings.text(axes, f"{kept:.3g} points", end, y - size / 2 - 0.13, align="left", bold=True)
    y = top - 0.85 * (len(prices) + 1)
    drawings.text(axes, "errors among these and all surer", x - 0.15, y - size / 2, align="right")
    drawings.cells(axes, [results.errors], x, y, colour=drawings.KEY, size=size)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

"""What comes out when three pairs are kept in a state of two numbers? And if attention keeps all three?

    uv run sprints/18_sequence_models/pairs_by_hand.py

Keys have two entries, values one; every number fits on paper. Theory: notes/14_recall.md
"""

import math
from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat
from shared.lab.run import run

KEYS = ((1.0, 0.0), (0.0, 1.0), (0.6, 0.8))
VALUES = (10.0, 20.0, 30.0)


@dataclass(frozen=True)
class Config(ScriptConfig):
    sharpness: PositiveFloat = 10.0  # what the scores of attention are multiplied by


@dataclass(frozen=True)
class Results:
    state_of_two: list[float]
    answers_of_two: list[float]
    state: list[float]
    answers: list[float]
    attention: list[float]


def dot(left: tuple[float, ...] | list[float], right: tuple[float, ...] | list[float]) -> float:
    """Return the sum of products."""
    return sum(a * b for a, b in zip(left, right, strict=True))


def written(pairs: int) -> list[float]:
    """Return the sum of value times key over the first so many pairs."""
    return [sum(VALUES[i] * KEYS[i][entry] for i in range(pairs)) for entry in range(2)]


def attend(query: tuple[float, ...], sharpness: float) -> float:
    """Return the mean of the values, weighted by softmax of the scores."""
    powers = [math.exp(sharpness * dot(query, key)) for key in KEYS]
    return dot(powers, list(VALUES)) / sum(powers)


def main(config: Config) -> Results:
    two, state = written(2), written(3)
    answers_of_two = [dot(key, two) for key in KEYS[:2]]
    answers = [dot(key, state) for key in KEYS]
    attention = [attend(key, config.sharpness) for key in KEYS]
    print(f"two pairs: state {two}, answers {answers_of_two}")
    print(f"three pairs: state {state}, answers {answers}; wanted {VALUES}")
    print("attention:", *(f"{answer:.2f}" for answer in attention))
    return Results(two, answers_of_two, state, answers, attention)


def plot(results: Results) -> Figure:
    """Draw keys and values, the state that is their sum, and what each key gets from it and from attention."""
    figure, axes = drawings.canvas(8.6, 2.6)
    size, top = 0.5, 1.9
    drawings.cells(axes, KEYS, 0.3, top, colour=drawings.KEY, size=size, title="keys")
    drawings.cells(axes, [[value] for value in VALUES], 1.6, top, colour=drawings.VALUE, size=size, title="values")
    drawings.arrow(axes, (2.3, 1.15), (3.3, 1.15), "multiply, add")
    drawings.cells(axes, [results.state], 3.45, 1.4, colour=drawings.MIXED, size=size, title="state")
    drawings.arrow(axes, (4.6, 1.15), (5.5, 1.15), "ask a key")
    columns = (("state's answer", results.answers), ("attention's", results.attention))
    for index, (title, numbers) in enumerate(columns):
        x = 5.9 + 1.6 * index
        drawings.cells(axes, [[round(n, 1)] for n in numbers], x, top, colour=drawings.MIXED, size=size, title=title)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

"""What does attention compute? Three words, every number of it.

    uv run sprints/06_multi_head_attention/by_hand.py
    uv run sprints/06_multi_head_attention/by_hand.py --query 0 0 0 0

The words are *the*, *cat* and *sat*; *sat* asks. Keys and values are chosen so that all of it fits on paper, and the
last line is what three lines of matrix products give. Theory: notes/01_asking_the_other_words.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from attention_study.twelve_lines import attention
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

WORDS = ("the", "cat", "sat")
KEYS = ((0.0, 0.0, 0.0, 0.0), (2.0, 0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0))
VALUES = (20.0, 10.0, 30.0)


@dataclass(frozen=True)
class Config(ScriptConfig):
    query: tuple[float, float, float, float] = (2.0, 0.0, 0.0, 0.0)  # what *sat* looks for


@dataclass(frozen=True)
class Results:
    query: list[float]
    scores: list[float]
    scaled: list[float]
    powers: list[float]
    weights: list[float]
    mixed: float
    at_once: float


def main(config: Config) -> Results:
    scores = [sum(q * k for q, k in zip(config.query, key, strict=True)) for key in KEYS]
    scaled = [score / math.sqrt(len(config.query)) for score in scores]
    powers = [math.exp(score) for score in scaled]
    weights = [power / sum(powers) for power in powers]
    mixed = sum(weight * value for weight, value in zip(weights, VALUES, strict=True))
    for word, score, small, power, weight in zip(WORDS, scores, scaled, powers, weights, strict=True):
        print(f"{word}: score {score:g}, scaled {small:g}, exponential {power:.3f}, weight {weight:.3f}")
    query, key, value = (torch.tensor(rows) for rows in ([config.query], KEYS, [[value] for value in VALUES]))
    at_once = attention(query, key, value).item()
    print(f"mixed {mixed:.3f}, all at once {at_once:.3f}")
    return Results(list(config.query), scores, scaled, powers, weights, mixed, at_once)


def plot(results: Results) -> Figure:
    """Draw the steps from left to right: keys, scores, weights, the mixed value."""
    figure, axes = drawings.canvas(9.6, 2.9)
    cells, arrow = drawings.cells, drawings.arrow
    cells(axes, [results.query], 0.5, 0.62, colour=drawings.QUERY, size=0.42, title="query of sat")
    cells(axes, KEYS, 0.5, 2.45, colour=drawings.KEY, size=0.42, row_names=WORDS, title="keys")
    arrow(axes, (2.3, 1.8), (3.1, 1.8), "multiply, add")
    columns = [
        ("scores", results.scores),
        ("÷ √4", results.scaled),
        ("weights", [round(w, 3) for w in results.weights]),
    ]
    for index, (title, numbers) in enumerate(columns):
        strengths = [[w] for w in results.weights] if index == 2 else None
        x = 3.35 + 1.35 * index
        cells(axes, [[n] for n in numbers], x, 2.45, colour=drawings.QUERY, size=0.42, strengths=strengths, title=title)
        if index < 2:
            arrow(axes, (x + 0.5, 1.8), (x + 1.28, 1.8), ("scale", "softmax")[index])
    drawings.text(axes, "×", 6.75, 1.8, size=14)
    cells(axes, [[value] for value in VALUES], 7.0, 2.45, colour=drawings.VALUE, size=0.42, title="values")
    arrow(axes, (7.5, 1.8), (8.3, 1.8), "mix")
    cells(axes, [[results.mixed]], 8.5, 2.02, colour=drawings.MIXED, size=0.5, title="sat now holds")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

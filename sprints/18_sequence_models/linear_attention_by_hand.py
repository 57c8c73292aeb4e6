"""What does attention without a softmax keep? Three tokens write into one state, and it is asked after each.

    uv run sprints/18_sequence_models/linear_attention_by_hand.py
    uv run sprints/18_sequence_models/linear_attention_by_hand.py --decay 0.5 --query 0 1

Keys are addresses: *cat* is (1, 0), *dog* (0, 1). A value is one number, so the state has two. Theory:
notes/06_linear_attention.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFraction
from shared.lab.run import run
from shared.nn.linear_attention import attend_by_scan, attend_by_tokens, attend_in_chunks

WORDS = ("cat", "dog", "cat")
KEYS = ((1.0, 0.0), (0.0, 1.0), (1.0, 0.0))
VALUES = (5.0, 7.0, 2.0)


@dataclass(frozen=True)
class Config(ScriptConfig):
    query: tuple[float, float] = (1.0, 0.0)  # what is asked after each token
    decay: PositiveFraction = 1.0  # what the state is multiplied by in front of each token


@dataclass(frozen=True)
class Results:
    query: list[float]
    decay: float
    states: list[list[float]]
    answers: list[float]
    weight_sums: list[float]
    scores: list[float]
    largest_difference: float


def main(config: Config) -> Results:
    state, total = [0.0, 0.0], [0.0, 0.0]
    states, answers, weight_sums = [], [], []
    for word, key, value in zip(WORDS, KEYS, VALUES, strict=True):
        state = [config.decay * held + part * value for held, part in zip(state, key, strict=True)]  # key value^T
        total = [config.decay * held + part for held, part in zip(total, key, strict=True)]  # the same, value 1
        states.append(state)
        answers.append(sum(q * held for q, held in zip(config.query, state, strict=True)))
        weight_sums.append(sum(q * held for q, held in zip(config.query, total, strict=True)))
        print(f"{word}, value {value:g}: state {state}, answer {answers[-1]:g}, sum of weights {weight_sums[-1]:g}")
    products = [sum(q * part for q, part in zip(config.query, key, strict=True)) for key in KEYS]
    scores = [config.decay ** (2 - place) * product for place, product in enumerate(products)]
    by_scores = sum(score * value for score, value in zip(scores, VALUES, strict=True))
    print(f"the same as attention: scores {scores}, without a softmax, mix the values to {by_scores:g}")
    query, key = (torch.tensor(part, dtype=torch.float64)[None, None] for part in ([config.query] * 3, KEYS))
    value = torch.tensor(VALUES, dtype=torch.float64)[None, None, :, None]
    log_decay = torch.full((1, 1, 3), math.log(config.decay), dtype=torch.float64)
    outputs = [
        way(query, key, value, log_decay)[0].flatten() for way in (attend_by_tokens, attend_by_scan, attend_in_chunks)
    ]
    expected = torch.tensor(answers, dtype=torch.float64)
    difference = max((output - expected).abs().max().item() for output in outputs)
    difference = max(difference, abs(by_scores - answers[-1]))
    return Results(list(config.query), config.decay, states, answers, weight_sums, scores, difference)


def plot(results: Results) -> Figure:
    """Draw what each token writes, the state that is handed on, and the answer to the query."""
    figure, axes = drawings.canvas(9.6, 3.9)
    for y, words in ((3.35, "token"), (1.95, "state"), (0.45, "answer")):
        drawings.text(axes, words, 0.45, y, bold=True)
    drawings.cells(axes, [[0.0], [0.0]], 1.0, 2.45, colour=drawings.TOKEN, title="start")
    for index, (word, key, value) in enumerate(zip(WORDS, KEYS, VALUES, strict=True)):
        left = 3.4 + 2.4 * index
        drawings.cells(axes, [list(key)], left - 0.6, 3.6, colour=drawings.KEY, title=f"key of {word}")
        drawings.cells(axes, [[value]], left + 0.7, 3.6, colour=drawings.VALUE, title="value")
        drawings.arrow(axes, (left + 0.25, 3.05), (left + 0.25, 2.5))
        drawings.cells(axes, [[number] for number in results.states[index]], left, 2.45, colour=drawings.MIXED)
        drawings.arrow(axes, (left - 1.85, 1.95), (left - 0.05, 1.95), f"× {results.decay:g}, + key · value")
        drawings.arrow(axes, (left + 0.25, 1.4), (left + 0.25, 0.75))
        drawings.cells(axes, [[results.answers[index]]], left, 0.7, colour=drawings.MIXED)
    drawings.cells(axes, [results.query], 1.0, 0.7, colour=drawings.QUERY, title="query")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

"""Who asks, and who answers? Cross-attention of two words on three, every number of it.

    uv run sprints/07_transformer_block/cross_attention.py
    uv run sprints/07_transformer_block/cross_attention.py --hidden 1

A translation that is being written (*die*, *Katze*) asks the sentence that was read (*the*, *cat* and padding). Queries
are made of the one, keys and values of the other. Theory: notes/06_the_decoder_block.md
"""

import math
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from block_study.strokes import line, plus
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run
from shared.nn.attention import attend

TARGETS, SOURCE = ("die", "Katze"), ("the", "cat", "·")
# What the decoder holds of each word of the translation, and the encoder of each word of the source.
X = ((1.0, 0.0), (0.0, 1.0))
MEMORY = ((2.0, 0.0), (0.0, 2.0), (9.0, 9.0))
TO_QUERY, TO_KEY = ((2.0, 0.0), (0.0, 2.0)), ((1.0, 0.0), (0.0, 1.0))
TO_VALUE = ((5.0, 0.0), (0.0, 10.0))  # each (d_model, d_model)


@dataclass(frozen=True)
class Config(ScriptConfig):
    hidden: Annotated[int, Field(ge=0, le=2)] = 1  # words at the end of the source that are padding


@dataclass(frozen=True)
class Results:
    """Queries of the targets, keys and values of the source, and what comes of them."""

    queries: list[list[float]]
    keys: list[list[float]]
    values: list[list[float]]
    visible: list[bool]
    scores: list[list[float]]
    weights: list[list[float]]
    mixed: list[list[float]]
    output: list[list[float]]


def main(config: Config) -> Results:
    x, memory = torch.tensor(X), torch.tensor(MEMORY)
    query = x @ torch.tensor(TO_QUERY)  # (targets, d_model): one question for each word of the translation
    key, value = memory @ torch.tensor(TO_KEY), memory @ torch.tensor(TO_VALUE)  # (source, d_model) each
    visible = torch.arange(len(memory)) < len(memory) - config.hidden
    mixed, weights = attend(query[None, None], key[None, None], value[None, None], visible)
    scores = query @ key.T / math.sqrt(query.shape[-1])
    output = x + mixed[0, 0]
    for word, row, result in zip(TARGETS, weights[0, 0].tolist(), output.tolist(), strict=True):
        shares = ", ".join(f"{share:.3f} {name}" for share, name in zip(row, SOURCE, strict=True))
        print(f"{word:<6} looks at {shares}; x + mixed = ({result[0]:.2f}, {result[1]:.2f})")
    return Results(
        *(tensor.tolist() for tensor in (query, key, value, visible, scores, weights[0, 0], mixed[0, 0], output))
    )


def plot(results: Results) -> Figure:
    """Draw the target on the upper left, the memory on the lower left, and the weights between them."""
    figure, axes = drawings.canvas(10.0, 3.7)
    cells, size, high, low = drawings.cells, 0.42, 3.05, 1.55
    cells(axes, X, 0.75, high, size=size, row_names=TARGETS, title="x, of the decoder")
    cells(axes, MEMORY, 0.75, low, size=size, row_names=SOURCE, title="memory, of the encoder")
    cells(axes, results.queries, 2.75, high, size=size, colour=drawings.QUERY, title="queries")
    drawings.arrow(axes, (1.75, high - size), (2.65, high - size))
    cells(axes, results.keys, 2.75, low, size=size, colour=drawings.KEY, title="keys")
    drawings.arrow(axes, (1.75, low - 0.63), (2.65, low - 0.63))
    cells(axes, results.values, 4.05, low, size=size, colour=drawings.VALUE, title="values")
    shown = [
        [f"{weight:.2f}" if seen else "0" for weight, seen in zip(row, results.visible, strict=True)]
        for row in results.weights
    ]
    strengths = [
        [0.15 + 0.5 * weight if seen else 0.0 for weight, seen in zip(row, results.visible, strict=True)]
        for row in results.weights
    ]
    cells(
        axes, shown, 5.4, high, size=size, colour=drawings.QUERY, strengths=strengths, column_names=SOURCE,
        title="weights",
    )  # fmt: skip
    drawings.arrow(axes, (3.7, high - size), (5.3, high - size))
    line(axes, (3.17, low + 0.36), (3.17, 1.98), (4.7, 1.98), (4.7, high - size - 0.03))
    line(axes, (4.95, low - 0.63), (6.03, low - 0.63), (6.03, high - 2 * size - 0.03))
    mixed = [[round(number, 2) for number in row] for row in results.mixed]
    drawings.arrow(axes, (6.75, high - size), (7.2, high - size))
    cells(axes, mixed, 7.3, high, size=size, colour=drawings.MIXED, title="mixed")
    plus(axes, 8.5, high - size)
    drawings.arrow(axes, (8.5, high + 0.15), (8.5, high - size + 0.14))
    drawings.text(axes, "x", 8.5, high + 0.25)
    drawings.arrow(axes, (8.2, high - size), (8.34, high - size))
    drawings.arrow(axes, (8.66, high - size), (8.9, high - size))
    output = [[round(number, 2) for number in row] for row in results.output]
    cells(axes, output, 9.0, high, size=size, title="x + mixed")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

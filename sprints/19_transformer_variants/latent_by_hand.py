"""How can keys and values that are never made be looked at? Two words, two heads, every number of it.

    uv run sprints/19_transformer_variants/latent_by_hand.py

*cat* looks at *the* and at itself. Once the keys and values are made of what was kept, once the query is changed
instead. Theory: notes/12_latent_attention.md
"""

import math
from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

Vector = list[float]
Matrix = list[Vector]
WORDS = ("the", "cat")
LATENTS: Matrix = [[1.0, 0.0], [1.0, 2.0]]  # kept of each word, and
SHARED: Matrix = [[2.0, 0.0], [0.0, 2.0]]  # a key that was turned by its position, for both heads
PLAIN: Matrix = [[2.0, 1.0], [0.0, 2.0]]  # of each head: the query of *cat*, the part without a position
TURNED: Matrix = [[1.0, 1.0], [1.0, 0.0]]  # and the part with one
UP_KEY: list[Matrix] = [[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]  # of each head, (head_dim, latent)
UP_VALUE: list[Matrix] = [[[2.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [0.0, 3.0]]]  # of each head, (value_dim, latent)
SCALE = math.sqrt(4)  # a whole query has two features without a position and two with one


@dataclass(frozen=True)
class Config(ScriptConfig):
    pass


@dataclass(frozen=True)
class Head:
    """What a head computes in either way."""

    keys: Matrix
    values: Matrix
    absorbed_query: Vector
    scores: Vector
    absorbed_scores: Vector
    weights: Vector
    mixed: Vector
    mixed_latent: Vector
    absorbed_mixed: Vector


@dataclass(frozen=True)
class Results:
    heads: list[Head]
    kept: int
    made: int


def times(matrix: Matrix, vector: Vector) -> Vector:
    return [dot(row, vector) for row in matrix]


def dot(left: Vector, right: Vector) -> float:
    return sum(a * b for a, b in zip(left, right, strict=True))


def softmax(scores: Vector) -> Vector:
    powers = [math.exp(score) for score in scores]
    return [power / sum(powers) for power in powers]


def mean(weights: Vector, rows: Matrix) -> Vector:
    return [dot(weights, list(column)) for column in zip(*rows, strict=True)]


def attend_both_ways(plain: Vector, turned: Vector, up_key: Matrix, up_value: Matrix) -> Head:
    # Materialised: each head makes its keys and values of the latents.
    keys, values = [times(up_key, c) for c in LATENTS], [times(up_value, c) for c in LATENTS]
    scores = [(dot(plain, key) + dot(turned, k)) / SCALE for key, k in zip(keys, SHARED, strict=True)]
    weights = softmax(scores)
    # Absorbed: the matrix that would make the keys is applied to the query, the one of the values to the result.
    query = times([list(column) for column in zip(*up_key, strict=True)], plain)
    absorbed = [(dot(query, c) + dot(turned, k)) / SCALE for c, k in zip(LATENTS, SHARED, strict=True)]
    latent = mean(softmax(absorbed), LATENTS)
    return Head(
        keys, values, query, scores, absorbed, weights, mean(weights, values), latent, times(up_value, latent)
    )  # fmt: skip


def main(config: Config) -> Results:  # noqa: ARG001
    heads = [attend_both_ways(*parts) for parts in zip(PLAIN, TURNED, UP_KEY, UP_VALUE, strict=True)]
    for number, head in enumerate(heads, 1):
        print(f"head {number}: keys {head.keys}, values {head.values}, scores {head.scores}")
        print(f"        weights {', '.join(f'{w:.3f}' for w in head.weights)}, mixed {show(head.mixed)}")
        print(f"        absorbed: query {head.absorbed_query}, scores {head.absorbed_scores}")
        print(f"        mixed latent {show(head.mixed_latent)}, value made of it {show(head.absorbed_mixed)}")
    kept, made = len(LATENTS[0]) + len(SHARED[0]), sum(4 + len(head.values[0]) for head in heads)
    print(f"kept of each word: {kept} numbers; keys and values of both heads would be {made}")
    return Results(heads, kept, made)


def show(vector: Vector) -> str:
    return f"({', '.join(f'{number:.3f}' for number in vector)})"


def plot(results: Results) -> Figure:
    """Draw the second head in both ways: above with keys and values, below with what was kept."""
    head, size = results.heads[1], 0.42
    figure, axes = drawings.canvas(10.4, 5.0)
    cells, arrow, text = drawings.cells, drawings.arrow, drawings.text
    kept = [latent + shared for latent, shared in zip(LATENTS, SHARED, strict=True)]
    keys = [key + shared for key, shared in zip(head.keys, SHARED, strict=True)]
    cells(axes, kept, 0.55, 2.75, size=size, colour=drawings.TOKEN, row_names=WORDS, title="kept: latent, shared key")
    for y, query, rows, name, scores, mixed in (
        (4.1, PLAIN[1] + TURNED[1], keys, "keys made", head.scores, head.values),
        (1.6, head.absorbed_query + TURNED[1], kept, "what was kept", head.absorbed_scores, LATENTS),
    ):
        made, title = y > 2, "query" if y > 2 else "query, absorbed"
        arrow(axes, (2.35, 2.5 if made else 2.2), (2.95, y - 0.75 if made else y - 0.2))
        cells(axes, rows, 3.1, y, size=size, colour=drawings.KEY if made else drawings.TOKEN, title=name)
        cells(axes, [query], 3.1, y - 1.1, size=size, colour=drawings.QUERY)
        text(axes, title, 4.88, y - 1.31, align="left", bold=True)
        arrow(axes, (4.9, y - 0.42), (5.7, y - 0.42), "÷ √4")
        cells(axes, [[score] for score in scores], 5.85, y, size=size, colour=drawings.QUERY, title="scores")
        arrow(axes, (6.4, y - 0.42), (7.0, y - 0.42), "softmax")
        weights = [[round(weight, 3)] for weight in head.weights]
        strengths = [[weight] for weight in head.weights]
        cells(axes, weights, 7.15, y, size=size, colour=drawings.QUERY, strengths=strengths, title="weights")
        text(axes, "×", 7.77, y - 0.42, size=13)
        colour = drawings.VALUE if made else drawings.TOKEN
        cells(axes, mixed, 7.98, y, size=size, colour=colour, title="values made" if made else "latents")
        arrow(axes, (8.9, y - 0.42), (9.3, y - 0.42))
        result = [[round(number, 3)] for number in (head.mixed if made else head.mixed_latent)]
        cells(axes, result, 9.42, y, size=size, colour=drawings.MIXED if made else drawings.TOKEN, title="mixed")
    arrow(axes, (9.63, 0.7), (9.63, 0.32))
    text(axes, f"then the values' matrix: ({', '.join(f'{n:.3f}' for n in head.absorbed_mixed)}), as above", 8.4, 0.18)
    text(axes, "materialised", 1.4, 4.75, bold=True, size=11)
    text(axes, "absorbed", 1.4, 0.9, bold=True, size=11)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

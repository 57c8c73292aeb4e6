"""What does a window hide, how far does a token reach through layers, and what does the ring keep? Six tokens.

    uv run sprints/19_transformer_variants/windows_by_hand.py
    uv run sprints/19_transformer_variants/windows_by_hand.py --window 2 --layers 3

Every token asks for nothing, so it takes the mean of what it may look at. Theory: notes/16_windows.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn.attention import attend
from shared.nn.windows import WindowCache, window_mask

VALUES = (12.0, 6.0, 9.0, 3.0, 30.0, 0.0)
TOKENS = len(VALUES)


@dataclass(frozen=True)
class Config(ScriptConfig):
    window: PositiveInt = 3  # tokens that a token looks at, itself among them
    layers: PositiveInt = 2  # windows one upon the other


@dataclass(frozen=True)
class Results:
    """Means by layer, the weight of every token in the last one's by layer, and the places in the ring after each."""

    window: int
    without: list[float]
    means: list[list[float]]
    last_token: list[list[float]]
    ring: list[list[int | None]]


def average(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return what queries of zeros gather of values (tokens, features)."""
    nothing = torch.zeros(1, 1, TOKENS, 1)
    return attend(nothing, nothing, values[None, None], mask)[0][0, 0]


def main(config: Config) -> Results:
    mask = window_mask(TOKENS, TOKENS, config.window)
    values = torch.tensor(VALUES)[:, None]
    without = average(values, window_mask(TOKENS, TOKENS, TOKENS)).flatten().tolist()
    means, weights, shares = [], torch.eye(TOKENS), []
    for layer in range(config.layers):
        values, weights = average(values, mask), average(weights, mask)
        means.append(values.flatten().tolist())
        shares.append(weights[-1].tolist())
        seen = int((weights[-1] > 0).sum())
        print(f"layer {layer + 1}: {[round(mean, 2) for mean in means[-1]]}, the last token hears {seen} tokens")
    cache, ring = WindowCache(1, 1, config.window, 1), []
    for place in range(TOKENS):
        cache.append(torch.full((1, 1, 1, 1), float(place)), torch.zeros(1, 1, 1, 1))
        filled = min(cache.length, config.window)
        slots: list[int | None] = [int(slot) for slot in cache.keys.flatten()[:filled]]
        ring.append(slots + [None] * (config.window - filled))
        print(f"after place {place} the ring holds the places {ring[-1][:filled]}")
    return Results(config.window, without, means, shares, ring)


def plot(results: Results) -> Figure:
    """Draw the window, how the last token's weights spread through the layers, and the ring after each token."""
    figure, axes = drawings.canvas(9.6, 3.9)
    mask = window_mask(TOKENS, TOKENS, results.window).tolist()
    places = [str(place) for place in range(TOKENS)]
    marks = [["" if seen else None for seen in row] for row in mask]
    drawings.cells(
        axes, marks, 0.6, 3.1, colour=drawings.QUERY, size=0.4, row_names=places, column_names=places,
        title=f"a window of {results.window}",
    )  # fmt: skip
    drawings.text(axes, "looks at", 1.8, 0.5)
    rows = [[round(weight, 2) if weight else None for weight in row] for row in results.last_token]
    names = [f"layer {layer + 1}" for layer in range(len(rows))]
    largest = max(max(row) for row in results.last_token)
    strengths = [[weight / largest * 0.7 for weight in row] for row in results.last_token]
    drawings.cells(
        axes, rows, 4.35, 3.1, colour=drawings.MIXED, size=0.4, strengths=strengths, row_names=names,
        column_names=places, title="what place 5 is a mean of",
    )  # fmt: skip
    ring = [["" if place is None else str(place) for place in row] for row in results.ring]
    fresh = [[0.6 if place == str(after) else 0.15 for place in row] for after, row in enumerate(ring)]
    slots = [f"slot {slot}" if results.window < 5 else str(slot) for slot in range(results.window)]
    drawings.cells(
        axes, ring, 7.75, 3.1, colour=drawings.KEY, size=0.48 if results.window < 4 else 0.4, strengths=fresh,
        row_names=[f"after {place}" for place in places], column_names=slots, title="the ring",
    )  # fmt: skip
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

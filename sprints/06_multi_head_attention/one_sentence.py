"""What may each word look at? Masks for padding, for the future, and for another text, on one sentence.

    uv run sprints/06_multi_head_attention/one_sentence.py
    uv run sprints/06_multi_head_attention/one_sentence.py --words the dog ate my homework --padding 3

Every word spreads its weight evenly over what it may look at, as attention does that asks for nothing: so the numbers
show what a mask does, and nothing else. Theory: notes/04_masks.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import NonNegativeInt
from shared.lab.run import run
from shared.nn.attention import attend
from shared.nn.masks import causal_mask, padding_mask

EMPTY = "·"  # fills a row up to the length of the longest one in the batch


@dataclass(frozen=True)
class Config(ScriptConfig):
    words: tuple[str, ...] = ("the", "cat", "sat", "down")  # the sentence
    padding: NonNegativeInt = 2  # places behind it that only fill the row up
    translation: tuple[str, ...] = ("die", "Katze", "saß")  # what a decoder has written of it so far


@dataclass(frozen=True)
class MaskedAttention:
    """Who looks (queries), at what (keys), and with which weights."""

    queries: list[str]
    keys: list[str]
    weights: list[list[float]]


@dataclass(frozen=True)
class Results:
    panels: dict[str, MaskedAttention]


def spread(queries: list[str], keys: list[str], mask: torch.Tensor) -> MaskedAttention:
    """Return what queries that ask for nothing see through a mask, broadcast to (queries, keys)."""
    nothing = torch.zeros(1, 1, len(queries), 1)
    anything = torch.zeros(1, 1, len(keys), 1)
    _, weights = attend(nothing, anything, anything, mask)
    return MaskedAttention(queries, keys, weights[0, 0].tolist())


def main(config: Config) -> Results:
    sentence = [*config.words, *[EMPTY] * config.padding]
    real = padding_mask(torch.tensor([len(config.words)]), len(sentence))  # (1, 1, 1, keys)
    past = causal_mask(len(sentence))  # (queries, keys)
    translation = list(config.translation)
    panels = {
        "padding": spread(sentence, sentence, real),
        "causal": spread(sentence, sentence, past),
        "both": spread(sentence, sentence, past & real),
        "cross-attention": spread(translation, sentence, real),
    }
    for name, panel in panels.items():
        print(name)
        for word, weights in zip(panel.queries, panel.weights, strict=True):
            print(f"  {word:<8}", *(f"{weight:.2f}" if weight else "    " for weight in weights))
    return Results(panels)


def plot(results: Results) -> Figure:
    """Draw the weights; white where a query may not look."""
    size, gap = 0.4, 1.0
    columns = max(len(panel.keys) for panel in results.panels.values())
    rows = max(len(panel.queries) for panel in results.panels.values())
    width, height = columns * size + gap, rows * size + 1.1
    figure, axes = drawings.canvas(2 * width, 2 * height)
    for index, (name, panel) in enumerate(results.panels.items()):
        shares = [
            [None if weight == 0 else f"{weight:.2f}"[1:] if weight < 1 else "1" for weight in row]
            for row in panel.weights
        ]
        drawings.cells(
            axes, shares, gap - 0.2 + index % 2 * width, (2 - index // 2) * height - 0.8, size=size,
            strengths=[[0.2 + 0.5 * weight for weight in row] for row in panel.weights], colour=drawings.QUERY,
            row_names=panel.queries, column_names=panel.keys, title=name,
        )  # fmt: skip
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

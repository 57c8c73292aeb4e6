"""What do padding, a mask and packing do with a batch of unequal texts? Drawn with all their numbers.

    uv run sprints/18_sequence_models/packing_by_hand.py
    uv run sprints/18_sequence_models/packing_by_hand.py --lengths 3 3 2

The network of note 1, with one number of state, reads texts whose words all are the number 1. Theory:
notes/04_padding_and_documents.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab.config import ScriptConfig
from shared.lab.drawings import QUERY, TOKEN, VALUE, canvas, cells, text
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn.lengths import pack, real_tokens


@dataclass(frozen=True)
class Config(ScriptConfig):
    lengths: tuple[PositiveInt, ...] = (4, 2, 1)  # words of each text, the longest first
    input_weight: float = 1.0  # of a word
    state_weight: float = 0.5  # of the state before


@dataclass(frozen=True)
class Results:
    lengths: list[int]
    read: list[list[float]]
    masked: list[list[float]]
    packed: list[list[str]]
    steps: int
    multiplied: int


def states(config: Config, words: list[float], real: list[bool] | None) -> list[float]:
    """Return the state behind each word; where a word is not real, the state stays."""
    state, found = 0.0, []
    for index, word in enumerate(words):
        new = math.tanh(config.input_weight * word + config.state_weight * state)
        state = new if real is None or real[index] else state
        found.append(state)
    return found


def main(config: Config) -> Results:
    lengths, tokens = torch.tensor(config.lengths), max(config.lengths)
    real = real_tokens(lengths, tokens)
    rows = real.double()  # a word is 1, padding is 0
    read = [states(config, row, None) for row in rows.tolist()]
    masked = [states(config, row, known) for row, known in zip(rows.tolist(), real.tolist(), strict=True)]
    # Each word carries its text's and its own number, so that one sees where packing puts it.
    names = torch.stack([torch.arange(len(lengths))[:, None].expand(-1, tokens), torch.arange(tokens).expand_as(real)])
    order, counts = pack(names.permute(1, 2, 0).double(), lengths)
    labels = [f"{chr(ord('a') + int(row))}{int(place) + 1}" for row, place in order.tolist()]
    packed = [list(part) for part in _split(labels, counts.tolist())]
    print("last states, padding read:  ", *(f"{row[-1]:.3f}" for row in read))
    print("last states, padding masked:", *(f"{row[-1]:.3f}" for row in masked))
    print("packed:", " | ".join(" ".join(part) for part in packed))
    return Results(list(config.lengths), read, masked, packed, tokens, int(counts.sum()))


def _split(labels: list[str], counts: list[int]) -> list[list[str]]:
    """Return labels cut into pieces of these sizes."""
    ends = [sum(counts[: index + 1]) for index in range(len(counts))]
    return [labels[end - count : end] for count, end in zip(counts, ends, strict=True)]


def plot(results: Results) -> Figure:
    """Draw the states with padding read and with a mask, padding grey, and the words in the order of packing."""
    rows, tokens, size = len(results.lengths), results.steps, 0.58
    wide, high = size * tokens, size * rows
    figure, axes = canvas(3 * wide + 1.7, high + 1.1)
    top = high + 0.65
    names = [f"text {chr(ord('a') + index)}" for index in range(rows)]
    for title, values, colour, left in (
        ("padding is read", results.read, QUERY, 0.75),
        ("padding leaves the state", results.masked, VALUE, wide + 1.15),
    ):
        for row, length in enumerate(results.lengths):
            for place in range(tokens):
                real = place < length
                where = (left + place * size, top - row * size)
                cells(axes, [[f"{values[row][place]:.3f}"]], *where, colour=colour if real else TOKEN, size=size)
        text(axes, title, left + wide / 2, top + 0.22, bold=True)
    for row, name in enumerate(names):
        text(axes, name, 0.68, top - size * (row + 0.5), align="right")
    left = 2 * wide + 1.55
    for step, part in enumerate(results.packed):
        for row, name in enumerate(part):
            cells(axes, [[name]], left + step * size, top - row * size, colour=QUERY, size=size)
        text(axes, f"step {step + 1}", left + (step + 0.5) * size, 0.42, size=8)
    text(
        axes, f"packed: {results.multiplied} words, {len(results.packed)} steps", left + wide / 2, top + 0.22, bold=True
    )
    text(axes, "grey: padding; the last column is what the network keeps of a text", 0.75, 0.15, align="left", size=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

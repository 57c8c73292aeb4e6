"""What is an encoder-decoder? Its parts in a drawing, with the shapes of a real pass.

    uv run sprints/15_encoder_decoder/drawn_with_shapes.py
    uv run sprints/15_encoder_decoder/drawn_with_shapes.py --words dada be --d-model 32

The longest word gives the width of the batch. `data_flow.py` prints every module. Theory:
notes/01_the_encoder_decoder.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch import nn

from seq2seq_study.likelihood import small_model
from seq2seq_study.sequences import FIRST, make_pair, read, write
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import MOST
from shared.lab.run import run
from shared.lab.runtime import seed_everything


@dataclass(frozen=True)
class Config(ScriptConfig):
    words: tuple[str, ...] = ("cab", "de")  # sources
    d_model: Annotated[int, Field(ge=4, le=MOST, multiple_of=4)] = 64  # features of a token


@dataclass(frozen=True)
class Results:
    sources: list[str]
    inputs: list[str]
    targets: list[str]
    shapes: dict[str, list[int]]


def main(config: Config) -> Results:
    rows = [read(word) for word in config.words]
    lengths = torch.tensor([len(row) for row in rows])
    pair = make_pair(nn.utils.rnn.pad_sequence(rows, batch_first=True), lengths)
    model = small_model(FIRST + 26, seed_everything(config.seed), d_model=config.d_model).eval()
    source, inputs = pair.source.tokens, pair.target.tokens[:, :-1]
    with torch.no_grad():
        memory = model.encoder(source, pair.source.mask)  # (batch, source, d_model)
        hidden = model.decoder.hidden(inputs, memory, pair.source.mask)  # (batch, targets, d_model)
        logits = model.decoder.head(hidden)  # (batch, targets, vocab)
    tensors = {"source": source, "memory": memory, "inputs": inputs, "hidden": hidden, "logits": logits}
    shapes = {name: list(tensor.shape) for name, tensor in tensors.items()}
    for name, shape in shapes.items():
        print(f"{name:<8}{tuple(shape)}")
    return Results(
        [write(row) for row in source], [write(row) for row in inputs],
        [write(row) for row in pair.target.tokens[:, 1:]], shapes,
    )  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw the encoder above, the decoder below, and what passes between them."""
    size, rows = 0.34, len(results.sources)
    figure, axes = drawings.canvas(10.8, 4.0)
    shown = {name: "(" + ", ".join(map(str, shape)) + ")" for name, shape in results.shapes.items()}

    def tokens(words: list[str], x: float, y: float, title: str, shape: str, colour: str = drawings.TOKEN) -> None:
        width, _ = drawings.cells(axes, [list(word) for word in words], x, y, colour=colour, size=size, title=title)
        drawings.text(axes, shape, x + width / 2, y - rows * size - 0.17)

    up, low = 3.0, 0.75
    tokens(results.sources, 0.2, up + rows * size / 2 + 0.2, "source", shown["source"])
    drawings.arrow(axes, (1.75, up + 0.2), (2.15, up + 0.2))
    drawings.box(axes, "embedding\n+ position", 2.15, up - 0.1, 1.25, 0.6)
    drawings.arrow(axes, (3.4, up + 0.2), (3.8, up + 0.2))
    drawings.box(axes, "self-attention\nthe whole source", 3.8, up - 0.1, 1.6, 0.6, drawings.QUERY)
    drawings.arrow(axes, (5.4, up + 0.2), (5.75, up + 0.2))
    drawings.box(axes, "feed-forward", 5.75, up - 0.1, 1.2, 0.6)
    drawings.arrow(axes, (6.95, up + 0.2), (7.35, up + 0.2))
    drawings.box(axes, f"memory\n{shown['memory']}", 7.35, up - 0.1, 1.3, 0.6, drawings.VALUE)
    drawings.text(axes, "encoder: blocks × 2", 5.35, up + 0.72, bold=True)
    tokens(results.inputs, 0.2, low + rows * size / 2 + 0.2, "target so far", shown["inputs"])
    drawings.arrow(axes, (1.75, low + 0.2), (2.15, low + 0.2))
    drawings.box(axes, "embedding\n+ position", 2.15, low - 0.1, 1.25, 0.6)
    drawings.arrow(axes, (3.4, low + 0.2), (3.8, low + 0.2))
    drawings.box(axes, "self-attention\ncausal", 3.8, low - 0.1, 1.35, 0.6, drawings.QUERY)
    drawings.arrow(axes, (5.15, low + 0.2), (5.45, low + 0.2))
    drawings.box(axes, "cross-attention\nqueries", 5.45, low - 0.1, 1.35, 0.6, drawings.QUERY)
    drawings.arrow(axes, (6.8, low + 0.2), (7.05, low + 0.2))
    drawings.box(axes, "feed-\nforward", 7.05, low - 0.1, 0.75, 0.6)
    drawings.arrow(axes, (7.8, low + 0.2), (8.05, low + 0.2))
    drawings.box(axes, f"head\n{shown['logits']}", 8.05, low - 0.1, 0.95, 0.6)
    drawings.arrow(axes, (9.0, low + 0.2), (9.25, low + 0.2))
    tokens(results.targets, 9.25, low + rows * size / 2 + 0.2, "to be said", "")
    drawings.text(axes, f"decoder: blocks × 2, hidden {shown['hidden']}", 5.8, low - 0.4, bold=True)
    drawings.arrow(axes, (8.0, up - 0.1), (6.3, low + 0.5))
    drawings.text(axes, "keys and values", 7.9, (up + low) / 2 + 0.15)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

"""What does the whole of GPT-2 look like, with every shape and every parameter?

    uv run sprints/08_gpt2_assembly/whole_model.py
    uv run sprints/08_gpt2_assembly/whole_model.py --layers 4 --heads 4 --d-model 192 --vocab-size 2048 --context 256

Builds the model without its numbers and counts them part by part. Theory: notes/01_the_whole_model.md
"""

from dataclasses import dataclass
from typing import Any

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn.gpt import GPT, GPTConfig


@dataclass(frozen=True)
class Config(ScriptConfig):
    vocab_size: PositiveInt = 50_257  # distinct tokens
    context: PositiveInt = 1024  # places
    layers: PositiveInt = 12  # blocks
    heads: PositiveInt = 12  # attention heads of a block
    d_model: PositiveInt = 768  # features of a token


@dataclass(frozen=True)
class Results:
    d_model: int
    layers: int
    vocab_size: int
    parts: dict[str, int]
    parameters: int


def main(config: Config) -> Results:
    # GPTConfig refuses sizes that do not fit each other.
    size = GPTConfig(config.vocab_size, config.context, config.layers, config.heads, config.d_model)
    with torch.device("meta"):
        model = GPT(size)
    block: Any = model.blocks[0]
    modules = {
        "token embedding": model.token_embedding,
        "positions": model.positions,
        "attention": block.attention,
        "feed-forward": block.feed_forward,
        "norm of a part": block.attention_norm,
        "norm at the end": model.norm,
    }
    parts = {name: sum(weight.numel() for weight in module.parameters()) for name, module in modules.items()}
    for name, count in parts.items():
        print(f"{name:<18}{count:>14,}")
    print(f"in all, with {config.layers} blocks: {model.parameter_count():,} (the head is the token embedding)")
    return Results(config.d_model, config.layers, config.vocab_size, parts, model.parameter_count())


def plot(results: Results) -> Figure:
    """Draw the model from left to right: one block is opened, and the others are like it."""
    figure, axes = drawings.canvas(9.6, 4.1)
    box, arrow, text = drawings.box, drawings.arrow, drawings.text
    path, grey, found = 1.35, drawings.TOKEN, drawings.MIXED
    counts = {name: f"{count:,}" for name, count in results.parts.items()}

    box(axes, "token ids\n\n3\n0\n7", 0.1, path - 0.75, 0.8, 1.5, grey)
    arrow(axes, (0.92, path), (1.18, path))
    box(axes, f"token embedding\n{counts['token embedding']}", 1.2, path + 0.1, 1.5, 0.65, grey)
    box(axes, f"positions\n{counts['positions']}", 1.2, path - 0.75, 1.5, 0.65, grey)
    text(axes, "+", 1.95, path, size=12)

    left, right = 3.0, 7.0
    axes.plot([left, right, right, left, left], [0.85, 0.85, 3.6, 3.6, 0.85], color="#999999", linestyle="dashed")
    text(axes, f"a block; there are {results.layers} of them, one after the other", (left + right) / 2, 3.78, bold=True)
    axes.plot([2.72, right + 0.35], [path, path], color="#444444", linewidth=3)
    text(axes, "the residual path", (left + right) / 2, path - 0.22)
    for x, name, colour in ((3.25, "attention", drawings.QUERY), (5.2, "feed-forward", drawings.VALUE)):
        arrow(axes, (x, path), (x, 2.0))
        box(axes, f"norm\n{counts['norm of a part']}", x - 0.13, 2.02, 0.75, 0.5, grey)
        arrow(axes, (x + 0.25, 2.53), (x + 0.25, 2.8))
        box(axes, f"{name}\n{counts[name]}", x - 0.13, 2.82, 1.5, 0.6, colour)
        arrow(axes, (x + 1.3, 2.8), (x + 1.3, path + 0.12))
        text(axes, "+", x + 1.3, path, size=12)
    arrow(axes, (right + 0.3, path), (right + 0.5, path))
    box(axes, f"norm\n{counts['norm at the end']}", right + 0.52, path - 0.35, 0.7, 0.7, grey)
    arrow(axes, (right + 1.24, path), (right + 1.5, path))
    box(axes, "head\n(the token\nembedding)", right + 1.52, path - 0.45, 1.0, 0.9, found)
    for x, words in (
        (0.5, "(batch, tokens)"),
        (4.4, f"(batch, tokens, {results.d_model:,}) all the way"),
        (8.6, f"logits (batch, tokens, {results.vocab_size:,})"),
    ):
        text(axes, words, x, 0.3)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

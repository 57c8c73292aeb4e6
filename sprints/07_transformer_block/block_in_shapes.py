"""Which shape has what flows through a block? Read off while it runs, and drawn on every arrow.

    uv run sprints/07_transformer_block/block_in_shapes.py
    uv run sprints/07_transformer_block/block_in_shapes.py --tokens 1024 --d-model 768 --heads 12

A pre-norm encoder block. Hooks note the shape of what each part returns; attention's inner shapes come from the
functions that it is made of. Theory: notes/01_a_block.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import nn

from block_study.strokes import ATTENTION, FEED_FORWARD, NORM, STREAM, line, plus
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo, PositiveInt, check_heads
from shared.lab.run import run
from shared.nn.attention import attend
from shared.nn.blocks import EncoderBlock


@dataclass(frozen=True)
class Config(ScriptConfig):
    batch: PositiveInt = 2  # texts
    tokens: PositiveInt = 5  # tokens of each
    d_model: AtLeastTwo = 8  # features of a token
    heads: PositiveInt = 2  # attention heads

    def check(self) -> None:
        check_heads(self.d_model, self.heads)


@dataclass(frozen=True)
class Results:
    """The shape of each tensor in the order in which it is made, and the parameters of each part."""

    shapes: dict[str, list[int]]
    parameters: dict[str, int]


@torch.no_grad()
def main(config: Config) -> Results:
    block = EncoderBlock(config.d_model, config.heads, norm="pre")
    x = torch.zeros(config.batch, config.tokens, config.d_model)
    shapes = {"x": list(x.shape)}
    query, key, value = block.attention.project(x)
    mixed, weights = attend(query, key, value)
    for name, tensor in (("query", query), ("key", key), ("value", value), ("weights", weights), ("mixed", mixed)):
        shapes[name] = list(tensor.shape)

    def note(name: str, part: nn.Module) -> None:
        part.register_forward_hook(lambda _part, _given, output: shapes.update({name: list(output.shape)}))

    for name in ("attention_norm", "attention", "feed_forward_norm", "feed_forward.expand", "feed_forward"):
        note(name, block.get_submodule(name))
    shapes["output"] = list(block(x).shape)
    for name, shape in shapes.items():
        print(f"{name:<20} {tuple(shape)}")
    counts = {name: sum(parameter.numel() for parameter in part.parameters()) for name, part in block.named_children()}
    return Results(shapes, {name: count for name, count in counts.items() if count})


def plot(results: Results) -> Figure:
    """Draw the residual path below, the parts above it, a shape on every arrow."""
    shapes = {name: " × ".join(map(str, shape)) for name, shape in results.shapes.items()}
    figure, axes = drawings.canvas(10.4, 3.9)
    low, high, height = 0.85, 2.55, 0.9
    axes.plot([1.0, 9.4], [low, low], color=STREAM, linewidth=4, alpha=0.25, solid_capstyle="butt", zorder=0)
    drawings.text(axes, f"x\n{shapes['x']}", 0.5, low)
    drawings.text(axes, f"output\n{shapes['output']}", 9.9, low)
    drawings.text(axes, "the residual path: nothing is done to x here but adding", 5.2, 0.2)
    parts = (
        (1.35, "norm", "attention_norm", 2.9, "attention", "attention", ATTENTION, 4.85),
        (5.65, "norm", "feed_forward_norm", 7.2, "feed-forward", "feed_forward", FEED_FORWARD, 9.1),
    )
    inner = (
        f"weights {shapes['weights']}",
        f"hidden {shapes['feed_forward.expand']}",
    )
    for (norm_x, norm, norm_name, part_x, title, part, colour, add), inside in zip(parts, inner, strict=True):
        bottom = high - height / 2
        drawings.box(axes, norm, norm_x, bottom, 0.75, height, NORM)
        drawings.box(axes, f"{title}\n{inside}", part_x, bottom, 1.55, height, colour)
        line(axes, (norm_x + 0.37, low), (norm_x + 0.37, bottom))
        drawings.text(axes, shapes["x"], norm_x + 0.45, 1.45, align="left")
        line(axes, (norm_x + 0.75, high), (part_x, high))
        drawings.text(axes, shapes[norm_name], (norm_x + 0.75 + part_x) / 2, high + 0.17)
        line(axes, (part_x + 1.55, high), (add, high), (add, low + 0.16))
        drawings.text(axes, shapes[part], add + 0.06, 1.75, align="left")
        plus(axes, add, low)
    drawings.text(axes, "x + attention(norm(x))", 3.1, 3.5, bold=True)
    drawings.text(axes, "x + feed_forward(norm(x))", 7.3, 3.5, bold=True)
    drawings.text(axes, shapes["x"], 5.35, low - 0.22)
    line(axes, (1.0, low), (4.69, low))
    line(axes, (5.01, low), (8.94, low))
    line(axes, (9.26, low), (9.5, low))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

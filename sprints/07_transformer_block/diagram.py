"""What does a block look like? A diagram drawn from what ran, not from what was meant.

    uv run sprints/07_transformer_block/diagram.py

Each block is run once and traced: the order of its parts, the residual additions and the places of the norms come from
autograd's record, and the little squares (which token looks at which) from gradients.
Theory: notes/06_the_decoder_block.md
"""

from dataclasses import dataclass
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, Polygon, Rectangle
from torch import nn

from block_study.block_trace import Node, trace
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt, check_heads
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.nn.blocks import DecoderBlock, EncoderBlock, GPTBlock

TITLES = {"MultiHeadAttention": "attention", "FeedForward": "feed-forward", "LayerNorm": "layer norm"}
FILLS = {"MultiHeadAttention": "#FBDDA8", "FeedForward": "#BFE0F3", "LayerNorm": "#F6F3B8"}
CAPTION = (
    "Number: parameters of the part.\n"
    "Square: a row for each token that comes out,\n"
    "a column for each that comes in, filled where the\n"
    "one depends on the other (measured by gradients)."
)
WIDTH, HEIGHT, STEP = 3.5, 0.74, 1.16


@dataclass(frozen=True)
class Config(ScriptConfig):
    batch: PositiveInt = 2  # rows
    tokens: PositiveInt = 6  # tokens of a row
    memory: PositiveInt = 8  # tokens that the decoder's cross-attention looks at
    d_model: AtLeastTwo = 64  # features of a token
    heads: PositiveInt = 4  # attention heads

    def check(self) -> None:
        check_heads(self.d_model, self.heads)


@dataclass(frozen=True)
class Results:
    """What ran in each block, in order."""

    blocks: dict[str, list[Node]]


def blocks(config: Config) -> dict[str, nn.Module]:
    sizes = (config.d_model, config.heads)
    return {
        "encoder, post-norm": EncoderBlock(*sizes, norm="post"),
        "encoder, pre-norm": EncoderBlock(*sizes, norm="pre"),
        "GPT (causal, pre-norm)": GPTBlock(*sizes),
        "decoder, post-norm": DecoderBlock(*sizes, norm="post"),
    }


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    x = torch.randn(config.batch, config.tokens, config.d_model, generator=generator)
    memory = torch.randn(config.batch, config.memory, config.d_model, generator=generator)
    traced = {}
    for title, block in blocks(config).items():
        traced[title] = trace(block, x=x, memory=memory) if isinstance(block, DecoderBlock) else trace(block, x=x)
        print(f"\n{title}")
        for node in traced[title]:
            print(f"  {node.name:<28}{node.kind:<20}{node.parameters:>8,} parameters  from {', '.join(node.sources)}")
    return Results(traced)


def plot(results: Results) -> Figure:
    """Draw the blocks side by side, each from its input at the bottom to its output at the top."""
    tallest = max(map(len, results.blocks.values()))
    figure, fields = new_figure(width=9.6, height=5.8, columns=len(results.blocks))
    for axes, (title, nodes) in zip(fields, results.blocks.items(), strict=True):
        draw(axes, nodes)
        axes.set(xlim=(-2.75, 3.05), ylim=(-1.3, (tallest - 0.9) * STEP), aspect="equal")
        axes.text(0, -0.95, title, ha="center", va="center", fontsize=10, fontweight="bold")
        axes.axis("off")
    # Outside of the layout, or the first field would make room for it.
    caption = fields[0].text(-2.5, (tallest - 1.1) * STEP, CAPTION, va="top", fontsize=9, linespacing=1.5)
    caption.set_in_layout(False)
    return figure


def draw(axes: Axes, nodes: list[Node]) -> None:
    """Draw one block: a column of parts, the residual paths on its left, the memory on its right."""
    column = [node for node in nodes if node.name != "memory"]
    height = {node.name: index * STEP for index, node in enumerate(column)}
    for below, node in zip([None, *column], column, strict=False):
        y = height[node.name]
        for source in node.sources:
            if source == "memory":
                arrow(axes, [(2.35, y - 0.75), (2.35, y), (WIDTH / 2, y)])
                axes.text(2.42, y - 0.85, "memory", ha="center", va="top", fontsize=9)
            elif below is not None and source == below.name:
                arrow(axes, [(0, height[source] + top(below)), (0, y - top(node))])
            else:
                # The path leaves the column between its source and the part above that.
                start = height[source] + STEP / 2
                arrow(axes, [(0, start), (-2.3, start), (-2.3, y), (-top(node), y)])
        draw_node(axes, node, y)
    last = column[-1]
    arrow(axes, [(0, height[last.name] + top(last)), (0, height[last.name] + STEP * 0.72)])


def top(node: Node) -> float:
    """Return the distance from the middle of a node to its edge."""
    return {"input": 0.3, "add": 0.24}.get(node.kind, HEIGHT / 2)


def arrow(axes: Axes, points: list[tuple[float, float]]) -> None:
    """Draw a path of straight lines with a head at its end."""
    (x0, y0), (x1, y1) = points[-2:]
    length = abs(x1 - x0) + abs(y1 - y0)
    ux, uy = (x1 - x0) / length, (y1 - y0) / length
    base = (x1 - 0.16 * ux, y1 - 0.16 * uy)
    xs, ys = zip(*points[:-1], base, strict=True)
    axes.plot(xs, ys, color="#333333", linewidth=1.2, solid_joinstyle="round", zorder=1)
    side = (-0.09 * uy, 0.09 * ux)
    head = [(x1, y1), (base[0] + side[0], base[1] + side[1]), (base[0] - side[0], base[1] - side[1])]
    axes.add_patch(Polygon(head, closed=True, color="#333333", zorder=2))


def draw_node(axes: Axes, node: Node, y: float) -> None:
    edge: dict[str, Any] = {"edgecolor": "#333333", "linewidth": 1.0, "zorder": 3}
    if node.kind == "input":
        axes.text(0, y, f"{node.name}\n" + " × ".join(map(str, node.shape)), ha="center", va="center", fontsize=9)
        return
    if node.kind == "add":
        axes.add_patch(Circle((0, y), 0.24, facecolor="white", **edge))
        axes.text(0, y - 0.01, "+", ha="center", va="center", fontsize=12, zorder=4)
        return
    corner = (-WIDTH / 2, y - HEIGHT / 2)
    box = FancyBboxPatch(corner, WIDTH, HEIGHT, boxstyle="round,pad=0,rounding_size=0.12", **edge)
    box.set_facecolor(FILLS[node.kind])
    axes.add_patch(box)
    title = "cross-attention" if len(node.sources) == 2 else TITLES[node.kind]
    axes.text(-WIDTH / 2 + 0.12, y + 0.12, title, va="center", fontsize=9, zorder=4)
    axes.text(-WIDTH / 2 + 0.12, y - 0.19, f"{node.parameters:,}", va="center", fontsize=8, color="#444444", zorder=4)
    draw_looks(axes, node.looks_at[-1], WIDTH / 2 - 0.09, y)


def draw_looks(axes: Axes, looks: list[list[bool]], right: float, y: float) -> None:
    """Draw which token (column) each token (row, the first at the top) takes from."""
    cell = (HEIGHT - 0.18) / len(looks)
    left, upper = right - cell * len(looks[0]), y + HEIGHT / 2 - 0.09
    for row, line in enumerate(looks):
        for column, sees in enumerate(line):
            corner = (left + column * cell, upper - (row + 1) * cell)
            colour = "#0072B2" if sees else "white"
            axes.add_patch(Rectangle(corner, cell, cell, facecolor=colour, edgecolor="white", linewidth=0.4, zorder=4))


if __name__ == "__main__":
    run(main, Config, plot=plot)

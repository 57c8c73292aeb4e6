"""How does a text become rows to train on, and which of their tokens are scored?

    uv run sprints/12_finetune_gpt2_generative/books_into_blocks.py
    uv run sprints/12_finetune_gpt2_generative/books_into_blocks.py --context 4 --stride 1

A scene between two end tokens is cut into blocks twice: side by side, and overlapping. Every token but the first is
scored exactly once in both. Theory: notes/01_books_and_splits.md and notes/05_strides.md
"""

from dataclasses import dataclass
from typing import Annotated

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pydantic import Field

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.text.batches import TextDataset

END = "end"


@dataclass(frozen=True)
class Config(ScriptConfig):
    words: Annotated[tuple[str, ...], Field(min_length=1, max_length=10)] = (
        "we", "let", "it", "simmer", "all", "night",
    )  # a scene, a token each  # fmt: skip
    context: PositiveInt = 3  # tokens that the model sees at once
    stride: PositiveInt = 1  # tokens from one overlapping block to the next

    def check(self) -> None:
        if self.stride > self.context:
            raise ValueError(
                f"--stride must be 1 to --context {self.context}, or tokens would be skipped; got {self.stride}"
            )


@dataclass(frozen=True)
class Cut:
    """The blocks of a document, where each begins, how many of its last tokens are scored, and what that costs."""

    blocks: list[list[str]]
    starts: list[int]
    fresh: list[int]
    least_context: int
    tokens_computed: float


@dataclass(frozen=True)
class Results:
    document: list[str]
    disjoint: Cut
    overlapping: Cut


def cut(document: list[str], context: int, stride: int) -> Cut:
    """Cut a document into blocks with a stride."""
    data = TextDataset([list(range(len(document)))], context, stride)
    starts = [block[0] for block in data.blocks]
    # Of the tokens scored from the second block on, the first one has the fewest tokens before it.
    before = [len(block) - new for block, new in zip(data.blocks, data.fresh, strict=True)][1:]
    blocks = [[document[token] for token in block] for block in data.blocks]
    computed = sum(len(block) - 1 for block in blocks) / (len(document) - 1)
    return Cut(blocks, starts, data.fresh, min(before, default=1), computed)


def main(config: Config) -> Results:
    document = [END, *config.words, END]
    cuts = [cut(document, config.context, stride) for stride in (config.context, config.stride)]
    for name, one in zip(("side by side", f"stride {config.stride}"), cuts, strict=True):
        print(f"{name}: {one.tokens_computed:.2f} tokens computed for each one scored")
        for block, new in zip(one.blocks, one.fresh, strict=True):
            print("   ", " ".join(block[:-new]), "->", " ".join(block[-new:]))
    return Results(document, *cuts)


def draw(axes: Axes, one: Cut, x: float, y: float, size: float) -> None:
    """Draw the blocks below each other, each where it stands in the document; scored tokens are strong."""
    for row, (block, start, new) in enumerate(zip(one.blocks, one.starts, one.fresh, strict=True)):
        strengths = [[0.15] * (len(block) - new) + [0.6] * new]
        left, top = x + start * size, y - row * (size + 0.1)
        drawings.cells(axes, [block], left, top, colour=drawings.QUERY, size=size, strengths=strengths)


def plot(results: Results) -> Figure:
    """Draw the document, and under it the blocks of both cuts."""
    size, words = 0.62, len(results.document)
    rows = [len(results.disjoint.blocks), len(results.overlapping.blocks)]
    height = 1.9 + sum(rows) * (size + 0.1) + size
    figure, axes = drawings.canvas(words * size + 3.4, height)
    y = height - 0.45
    drawings.text(axes, "the scene", 0.2, y - size / 2, align="left")
    drawings.cells(axes, [results.document], 1.8, y, size=size)
    y -= size + 0.35
    for name, one in (("side by side", results.disjoint), ("overlapping", results.overlapping)):
        drawings.text(axes, name, 0.2, y - size / 2, align="left", bold=True)
        draw(axes, one, 1.8, y, size)
        cost = f"{one.tokens_computed:.1f} computed\nfor each scored"
        drawings.text(axes, cost, 1.9 + words * size, y - size / 2, align="left")
        y -= len(one.blocks) * (size + 0.1) + 0.25
    drawings.cells(axes, [["", ""]], 1.8, 0.4, colour=drawings.QUERY, size=0.22, strengths=[[0.15, 0.6]])
    drawings.text(axes, "read only, and scored", 2.35, 0.29, align="left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

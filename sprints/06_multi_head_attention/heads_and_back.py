"""How is one row of features cut into heads, and put together again?

    uv run sprints/06_multi_head_attention/heads_and_back.py

Every number says whose it is: 23 is feature 3 of token 2. So one sees where each one goes, and that a plain reshape,
which gives the same shape, hands each head a mixture of tokens. Theory: notes/05_heads.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.nn.attention import merge_heads, split_heads


@dataclass(frozen=True)
class Config(ScriptConfig):
    tokens: PositiveInt = 3  # tokens of the row
    heads: PositiveInt = 2  # attention heads
    head_dim: PositiveInt = 4  # features of each head

    def check(self) -> None:
        if self.heads * self.head_dim > 9 or self.tokens > 9:
            raise ValueError(
                "a number has one digit for the token and one for the feature, so that there may be 9 of each; got "
                f"{self.tokens} tokens and {self.heads} x {self.head_dim} features"
            )


@dataclass(frozen=True)
class Results:
    row: list[list[int]]
    heads: list[list[list[int]]]
    reshaped: list[list[list[int]]]
    put_together: bool


def main(config: Config) -> Results:
    # Token and feature count from 1, so that no number begins with a zero.
    features = 1 + torch.arange(config.heads * config.head_dim)
    row = 10.0 * (1 + torch.arange(config.tokens))[:, None] + features  # (tokens, d_model)
    heads = split_heads(row[None], config.heads)[0]  # (heads, tokens, head_dim)
    reshaped = row.reshape(config.heads, config.tokens, config.head_dim)
    print(f"{tuple(row.shape)} -> {tuple(heads.shape)}; a plain reshape has the same shape and other numbers")
    same = torch.equal(merge_heads(heads[None])[0], row)
    return Results(row.int().tolist(), heads.int().tolist(), reshaped.int().tolist(), same)


def plot(results: Results) -> Figure:
    """Draw the row, its heads and what a plain reshape would make."""
    figure, axes = drawings.canvas(9.6, 3.6)
    tokens, head_dim, size = len(results.row), len(results.heads[0][0]), 0.36
    names = [f"token {index + 1}" for index in range(tokens)]
    # Colours stay with the features, whichever head has them.
    drawings.cells(
        axes, results.row, 0.75, 2.2, size=size, row_names=names, title="(tokens, d_model)", colour=drawings.QUERY,
        strengths=[[0.15 + 0.45 * (column // head_dim) for column in range(len(results.row[0]))]] * tokens,
    )  # fmt: skip
    drawings.arrow(axes, (3.75, 2.0), (4.65, 2.45))
    drawings.text(axes, "split_heads", 4.1, 2.5)
    drawings.arrow(axes, (3.75, 1.4), (4.65, 0.95))
    drawings.text(axes, "reshape", 4.1, 0.9)
    for kind, (x, parts) in enumerate(((5.0, results.heads), (5.0, results.reshaped))):
        for index, part in enumerate(parts):
            y = 3.25 - 1.75 * kind
            strengths = [[0.15 + 0.45 * ((number % 10 - 1) // head_dim) for number in row] for row in part]
            left = x + index * (head_dim * size + 0.7)
            title = f"head {index + 1}" + (", wrong" if kind else "")
            drawings.cells(axes, part, left, y, size=size, strengths=strengths, colour=drawings.QUERY, title=title)
    drawings.text(axes, "(heads, tokens, head_dim)", 6.8, 1.93)
    drawings.text(axes, "the same shape: tokens and features are mixed", 6.8, 0.2)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

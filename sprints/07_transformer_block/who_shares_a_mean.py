"""Which numbers does a normalised number depend on? Asked of two norms, one gradient for each.

    uv run sprints/07_transformer_block/who_shares_a_mean.py

Two texts of three tokens of four features. One number of the output is chosen, and every number of the input that moves
it is marked. Theory: notes/10_batch_norm.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import nn

from block_study.token_batch_norm import TokenBatchNorm
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import AtLeastTwo
from shared.lab.run import run
from shared.lab.runtime import seed_everything

TEXT, TOKEN, FEATURE = 0, 0, 1  # of the number that is asked about


@dataclass(frozen=True)
class Config(ScriptConfig):
    texts: AtLeastTwo = 2  # texts of the batch
    tokens: AtLeastTwo = 3  # tokens of each
    d_model: AtLeastTwo = 4  # features of a token


@dataclass(frozen=True)
class Results:
    """By norm: whether each number of the input moves the chosen one of the output, (texts, tokens, features)."""

    moves: dict[str, list[list[list[bool]]]]


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    x = torch.randn(config.texts, config.tokens, config.d_model, generator=generator, requires_grad=True)
    norms = {"layer norm": nn.LayerNorm(config.d_model), "batch norm": TokenBatchNorm(config.d_model)}
    moves = {}
    for name, norm in norms.items():
        (gradient,) = torch.autograd.grad(norm(x)[TEXT, TOKEN, FEATURE], x)
        moves[name] = (gradient != 0).tolist()
        print(f"{name}: depends on {int((gradient != 0).sum())} of {gradient.numel()} numbers")
    return Results(moves)


def plot(results: Results) -> Figure:
    """Draw the input once for each norm: the chosen number dark, what moves it light, all else grey."""
    size, gap = 0.42, 0.55
    texts = next(iter(results.moves.values()))
    tokens, features = len(texts[0]), len(texts[0][0])
    width, height = features * size + 1.9, len(texts) * (tokens * size + gap) + 0.25
    figure, axes = drawings.canvas(len(results.moves) * width + 0.3, height)
    for index, (name, moves) in enumerate(results.moves.items()):
        x, y = index * width + 1.0, height - 0.65
        drawings.text(axes, name, x + features * size / 2, height - 0.2, bold=True)
        for number, text in enumerate(moves):
            for row, line in enumerate(text):
                for column, moved in enumerate(line):
                    chosen = (number, row, column) == (TEXT, TOKEN, FEATURE)
                    drawings.cells(
                        axes, [["?" if chosen else ""]], x + column * size, y - row * size, size=size,
                        colour=drawings.QUERY if moved else drawings.TOKEN,
                        strengths=[[0.8 if chosen else 0.4 if moved else 0.12]],
                    )  # fmt: skip
                drawings.text(axes, f"token {row + 1}", x - 0.08, y - (row + 0.5) * size, align="right")
            drawings.text(axes, f"text {number + 1}", x + features * size + 0.3, y - tokens * size / 2)
            y -= tokens * size + gap
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

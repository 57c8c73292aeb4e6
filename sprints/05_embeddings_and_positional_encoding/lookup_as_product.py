"""What is an embedding? A table; looking up rows equals a product with one-hot vectors, and the gradient adds up rows.

    uv run sprints/05_embeddings_and_positional_encoding/lookup_as_product.py
    uv run sprints/05_embeddings_and_positional_encoding/lookup_as_product.py --tokens 3 3 3

A table of four words, small enough for paper. Theory: notes/01_a_table_of_vectors.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch.nn import functional

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.run import run

WORDS = ("butter", "lard", "penne", "basil")
TABLE = ((1.0, 2.0, 0.0), (0.0, 1.0, 3.0), (4.0, 0.0, 1.0), (2.0, 2.0, 2.0))
# What comes back from the loss, a row for each place of the text
UPSTREAM = ((1.0, 0.0, 2.0), (0.0, 2.0, 0.0), (3.0, 1.0, 0.0))
Token = Annotated[int, Field(ge=0, le=3)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    tokens: tuple[Token, ...] = (2, 0, 2)  # the text: three words by their numbers

    def check(self) -> None:
        if len(self.tokens) != len(UPSTREAM):
            raise ValueError(f"the example has {len(UPSTREAM)} places; got {len(self.tokens)} --tokens")


@dataclass(frozen=True)
class Results:
    tokens: list[int]
    one_hot: list[list[int]]
    looked_up: list[list[float]]
    by_product: list[list[float]]
    gradient: list[list[float]]
    gradient_of_the_lookup: list[list[float]]


def main(config: Config) -> Results:
    tokens, table, upstream = torch.tensor(config.tokens), torch.tensor(TABLE).requires_grad_(), torch.tensor(UPSTREAM)
    one_hot = functional.one_hot(tokens, len(TABLE)).float()  # (tokens, words)
    by_product = one_hot @ table  # (tokens, features)
    looked_up = table[tokens]  # the same rows, and no multiplication
    gradient = one_hot.T @ upstream  # (words, features): the gradient of the product, as in sprint 1
    (of_the_lookup,) = torch.autograd.grad(looked_up, table, upstream)
    print(f"rows {list(config.tokens)} of the table:\n{looked_up.detach().numpy()}")
    print(f"the gradient of the table:\n{of_the_lookup.numpy()}")
    return Results(
        list(config.tokens), one_hot.int().tolist(), looked_up.tolist(), by_product.tolist(), gradient.tolist(),
        of_the_lookup.tolist(),
    )  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw the product above, the gradient below."""
    figure, axes = drawings.canvas(9.0, 5.0)
    cells, size, table = drawings.cells, 0.42, drawings.MIXED
    names = [WORDS[token] for token in results.tokens]
    ones = [[0.4 * number + 0.1 for number in row] for row in results.one_hot]
    read = [[0.45 if index in results.tokens else 0.12] * 3 for index in range(len(WORDS))]
    cells(axes, results.one_hot, 1.0, 4.3, size=size, strengths=ones, row_names=names, title="one-hot rows (3, 4)")
    drawings.text(axes, "×", 3.05, 3.65, size=14)
    rows = [list(row) for row in TABLE]
    cells(axes, rows, 4.1, 4.5, size=size, colour=table, strengths=read, row_names=WORDS, title="table (4, 3)")
    drawings.text(axes, "=", 5.85, 3.65, size=14)
    taken = [[0.45] * 3] * len(names)
    cells(axes, results.by_product, 6.9, 4.3, size=size, colour=table, strengths=taken, row_names=names,
          title="vectors (3, 3)")  # fmt: skip
    back = COLOURS[3]
    upstream = [list(row) for row in UPSTREAM]
    cells(axes, upstream, 6.9, 1.8, size=size, colour=back, row_names=names, title="gradients that come back")
    for place, token in enumerate(results.tokens):
        drawings.arrow(axes, (6.15, 1.6 - size * place), (5.5, 1.8 - size * token))
    got = [[0.25 if index in results.tokens else 0.06] * 3 for index in range(len(WORDS))]
    cells(axes, results.gradient, 4.1, 2.0, size=size, colour=back, strengths=got, row_names=WORDS,
          title="gradient of the table")  # fmt: skip
    drawings.text(axes, "a row that was read twice", 1.7, 1.3)
    drawings.text(axes, "gets the sum of both", 1.7, 1.08)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

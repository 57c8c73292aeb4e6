"""How can one matrix be the embedding and the head? A vocabulary of three words, every number of it.

    uv run sprints/08_gpt2_assembly/one_matrix_two_uses.py
    uv run sprints/08_gpt2_assembly/one_matrix_two_uses.py --text 1 2

The model is the one without blocks of note 1; its head is tied. Theory: notes/03_the_configuration.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import nn
from torch.nn import functional

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

WORDS = ("the", "cat", "sat")
VECTORS = ((1.0, 0.0), (0.0, 1.0), (2.0, -1.0))
PLACES = ((0.0, 1.0), (0.5, 0.0))


@dataclass(frozen=True)
class Config(ScriptConfig):
    text: tuple[int, int] = (2, 0)  # ids of two tokens, each from 0 to 2

    def check(self) -> None:
        if not all(0 <= token < len(WORDS) for token in self.text):
            raise ValueError(f"--text must be ids from 0 to {len(WORDS) - 1}; got {self.text}")


@dataclass(frozen=True)
class Results:
    text: list[int]
    looked_up: list[list[float]]
    normalised: list[float]
    logits: list[float]
    parameters: int


@torch.no_grad()
def main(config: Config) -> Results:
    embedding, head = nn.Embedding(3, 2), nn.Linear(2, 3, bias=False)
    head.weight = embedding.weight  # the same parameter, not a copy of it
    embedding.weight.copy_(torch.tensor(VECTORS))  # the head has these numbers as well
    looked_up = embedding(torch.tensor(config.text))  # (tokens, d_model)
    normalised = functional.layer_norm(looked_up + torch.tensor(PLACES), (2,))[-1]  # (d_model,), of the last token
    logits = head(normalised)  # (vocab_size,)
    parameters = sum(weight.numel() for weight in nn.ModuleList([embedding, head]).parameters())
    print(f"ids {config.text} have the rows {looked_up.tolist()}")
    print(f"after places and norm the last token is {[round(number, 2) for number in normalised.tolist()]}")
    print("logits: " + ", ".join(f"{word} {logit:.2f}" for word, logit in zip(WORDS, logits.tolist(), strict=True)))
    print(f"embedding and head have {parameters} parameters together")
    return Results(list(config.text), looked_up.tolist(), normalised.tolist(), logits.tolist(), parameters)


def plot(results: Results) -> Figure:
    """Draw the way of a text from left to right, and above it the matrix that is used twice."""
    figure, axes = drawings.canvas(9.6, 3.7)
    cells, arrow, text = drawings.cells, drawings.arrow, drawings.text
    size, middle = 0.48, 0.85
    # The norm's epsilon leaves 0.99999 where 1 is meant.
    normalised, logits = ([round(number, 2) for number in row] for row in (results.normalised, results.logits))
    cells(axes, VECTORS, 4.4, 3.3, size=size, row_names=WORDS, title="one matrix")
    names = [WORDS[token] for token in results.text]
    cells(axes, [[token] for token in results.text], 0.7, middle + size, size=size, row_names=names, title="ids")
    arrow(axes, (1.3, middle), (2.95, middle))
    cells(axes, results.looked_up, 3.1, middle + size, size=size, title="vectors")
    arrow(axes, (4.15, middle), (5.35, middle), "places, norm")
    cells(axes, [normalised], 5.5, middle + size / 2, size=size, colour=drawings.MIXED, title="last token")
    arrow(axes, (6.55, middle), (8.1, middle))
    column = [[logit] for logit in logits]
    cells(axes, column, 8.6, middle + 1.5 * size, size=size, colour=drawings.MIXED, row_names=WORDS, title="logits")
    arrow(axes, (4.0, 2.3), (2.15, middle + 0.1))
    text(axes, "use 1: take the rows\nof the ids", 2.0, 2.15)
    arrow(axes, (5.45, 2.3), (7.2, middle + 0.1))
    text(axes, "use 2: dot product\nwith every row", 7.4, 2.15)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

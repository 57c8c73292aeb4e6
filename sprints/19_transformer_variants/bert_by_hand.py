"""What goes into BERT, what comes out, and what is lost if label 0 is ignored? All numbers on paper.

    uv run sprints/19_transformer_variants/bert_by_hand.py
    uv run sprints/19_transformer_variants/bert_by_hand.py --hidden 0 2 0

Vectors have three features. The last part is about pairs of sentences. Theory: notes/02_bert.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run
from shared.nn.bert import BertConfig, PredictionHead

WORDS = ("whisk", "eggs", "oil")
TOKENS = torch.tensor([[1.0, 0, 2], [0, 1, 0], [1, 1, 0]])
POSITIONS = {1: torch.tensor([0.0, 1, 0]), 4: torch.tensor([1.0, 0, 0])}
SEGMENTS = torch.tensor([[0.0, 0, 0], [0, 1, 1]])
BIAS = torch.tensor([0.0, 0.0, 0.5])
# Logits (follows, does not follow) of a model that always says "does not follow", and the true labels of four pairs.
ANSWERS, LABELS = torch.tensor([[0.0, 5.0]] * 4), torch.tensor([0, 0, 1, 1])


@dataclass(frozen=True)
class Config(ScriptConfig):
    hidden: tuple[float, float, float] = (1.0, 0.0, 2.0)  # what the last block leaves at the hole


@dataclass(frozen=True)
class Results:
    sums: list[list[float]]
    embedded: list[list[float]]
    hidden: list[float]
    activated: list[float]
    normalised: list[float]
    logits: list[float]
    probabilities: list[float]
    of_the_class: list[float]
    loss: float
    ignored: float


def normalise(x: Tensor) -> Tensor:
    """Return vectors with mean 0 and variance 1, by the formula."""
    centred = x - x.mean(dim=-1, keepdim=True)
    return centred / (centred.square().mean(dim=-1, keepdim=True) + 1e-12).sqrt()


def main(config: Config) -> Results:
    sums = torch.stack([TOKENS[0] + POSITIONS[1] + SEGMENTS[0], TOKENS[0] + POSITIONS[4] + SEGMENTS[1]])
    embedded, hidden = normalise(sums), torch.tensor(config.hidden)
    for place, total, vector in zip((1, 4), sums, embedded, strict=True):
        print(f"whisk at place {place}: sum {total.tolist()}, normalised {show(vector)}")
    # The layer of this head is the identity, to keep it on paper.
    activated = functional.gelu(hidden)
    normalised = normalise(activated)
    logits = TOKENS @ normalised + BIAS
    probabilities = logits.softmax(dim=0)
    print(f"head: GELU {show(activated)}, normalised {show(normalised)}, logits {show(logits)}")
    print("probabilities", dict(zip(WORDS, (round(p, 3) for p in probabilities.tolist()), strict=True)))
    head = PredictionHead(BertConfig(3, 8, 1, 1, 3))
    with torch.no_grad():
        head.dense.weight.copy_(torch.eye(3))
        head.dense.bias.zero_()
        head.bias.copy_(BIAS)
        of_the_class = head(hidden, TOKENS)
    loss = functional.cross_entropy(ANSWERS, LABELS).item()
    ignored = functional.cross_entropy(ANSWERS, LABELS, ignore_index=0).item()
    print(f"always 'does not follow': loss {loss:.3f}, and {ignored:.4f} if label 0 is ignored")
    return Results(
        sums.tolist(), embedded.tolist(), list(config.hidden), activated.tolist(), normalised.tolist(),
        logits.tolist(), probabilities.tolist(), of_the_class.tolist(), loss, ignored,
    )  # fmt: skip


def show(vector: Tensor) -> str:
    return "(" + ", ".join(f"{number:.3f}" for number in vector.tolist()) + ")"


def plot(results: Results) -> Figure:
    """Draw the three embeddings of a token at two places, their sums, and what normalisation makes of them."""
    figure, axes = drawings.canvas(9.4, 2.9)
    for row, (place, segment) in enumerate(((1, 0), (4, 1))):
        y = 2.4 - 1.35 * row
        parts = (
            ("whisk", TOKENS[0].tolist(), drawings.QUERY),
            (f"place {place}", POSITIONS[place].tolist(), drawings.KEY),
            (f"segment {segment}", SEGMENTS[segment].tolist(), drawings.VALUE),
            ("sum", results.sums[row], drawings.TOKEN),
            ("normalised", [round(number, 2) for number in results.embedded[row]], drawings.MIXED),
        )
        for index, (title, numbers, colour) in enumerate(parts):
            x = 0.2 + 1.85 * index
            drawings.cells(axes, [numbers], x, y, colour=colour, size=0.5, title=title)
            if index:
                drawings.text(axes, ("+", "+", "=", "→")[index - 1], x - 0.18, y - 0.25, size=13)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

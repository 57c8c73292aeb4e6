"""Four candidates read again, together with the question: their order, the loss of such a list, and what it costs.

    uv run sprints/25_retrieval_augmented_generation/rerank_by_hand.py
    uv run sprints/25_retrieval_augmented_generation/rerank_by_hand.py --passages 1000000 --candidates 100

Theory: notes/07_a_second_look.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from retrieval.cross_encoder import list_loss
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

NAMES = ("D", "B", "A", "C")  # in the order of the first stage; A is right
SCORES = (2.0, 1.0, 3.0, 0.0)  # of the cross-encoder
PRIOR = (0.6, 0.2, 0.1, 0.1)  # how often each one is asked about, among these four


@dataclass(frozen=True)
class Config(ScriptConfig):
    passages: PositiveInt = 1000  # that can be found
    candidates: PositiveInt = 20  # that are read again
    question_tokens: PositiveInt = 10
    passage_tokens: PositiveInt = 30

    def check(self) -> None:
        if self.candidates > self.passages:
            raise ValueError(
                f"at most all --passages {self.passages} can be read again; got --candidates {self.candidates}"
            )


@dataclass(frozen=True)
class Results:
    """Probabilities of the four with and without prior, the loss, and tokens that are read for a question."""

    probabilities: dict[str, list[float]]
    orders: dict[str, str]
    losses: dict[str, float]
    tokens: dict[str, int]


def main(config: Config) -> Results:
    scores, log_prior = torch.tensor([SCORES]), torch.tensor([PRIOR]).log()
    probabilities: dict[str, list[float]] = {}
    orders: dict[str, str] = {}
    losses: dict[str, float] = {}
    for name, added in (("scores alone", torch.zeros(1, 4)), ("with the prior", log_prior)):
        shares = (scores + added).softmax(dim=1)[0]
        probabilities[name] = shares.tolist()
        orders[name] = "".join(NAMES[place] for place in shares.sort(descending=True).indices.tolist())
        losses[name] = list_loss(scores, torch.tensor([NAMES.index("A")]), added).item()
        print(f"{name}: {orders[name]}; " + ", ".join(f"{share:.3f}" for share in shares), end="")
        print(f"; loss {losses[name]:.3f}")
    pair = config.question_tokens + config.passage_tokens
    tokens = {
        "bi-encoder": config.question_tokens,
        "and candidates read again": config.question_tokens + config.candidates * pair,
        "all pairs read": config.passages * pair,
    }
    print("tokens read for a question: " + ", ".join(f"{name} {count:,}" for name, count in tokens.items()))
    return Results(probabilities, orders, losses, tokens)


def plot(results: Results) -> Figure:
    """Draw both ways to score a pair: two texts apart and a product of two vectors, and one text of both."""
    figure, axes = drawings.canvas(9.4, 3.9)
    drawings.text(axes, "bi-encoder", 2.3, 3.7, bold=True)
    for y, name, colour in ((2.75, "question", drawings.QUERY), (1.45, "passage", drawings.KEY)):
        drawings.box(axes, name, 0.1, y - 0.25, 1.05, 0.5, colour)
        drawings.arrow(axes, (1.2, y), (1.55, y))
        drawings.box(axes, "BERT", 1.6, y - 0.25, 0.8, 0.5)
        drawings.arrow(axes, (2.45, y), (2.75, y))
        drawings.cells(axes, [["", "", ""]], 2.8, y + 0.13, colour=colour, size=0.26, strengths=[[0.5, 0.3, 0.7]])
        drawings.arrow(axes, (3.65, y), (4.05, 2.1 + (0.12 if y > 2 else -0.12)))
    drawings.text(axes, "product", 4.35, 2.1)
    drawings.text(axes, "made once, before any question", 1.9, 0.95)
    left = 5.3
    drawings.text(axes, "cross-encoder", left + 2.0, 3.7, bold=True)
    drawings.box(axes, "question", left, 2.1, 1.05, 0.5, drawings.QUERY)
    drawings.box(axes, "passage", left, 1.55, 1.05, 0.5, drawings.KEY)
    drawings.arrow(axes, (left + 1.1, 2.08), (left + 1.5, 2.08))
    drawings.box(axes, "BERT", left + 1.55, 1.7, 0.9, 0.75)
    drawings.arrow(axes, (left + 2.5, 2.08), (left + 2.9, 2.08))
    drawings.cells(axes, [["1 score"]], left + 2.95, 2.43, colour=COLOURS[4], size=0.7)
    drawings.text(axes, "every word of one looks at every word of the other", left + 1.9, 1.2)
    drawings.text(axes, "all of it again for each pair", left + 1.9, 0.95)
    words = ", ".join(f"{name}: {count:,}" for name, count in results.tokens.items())
    drawings.text(axes, f"tokens read for a question: {words}", 4.7, 0.35, bold=True)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

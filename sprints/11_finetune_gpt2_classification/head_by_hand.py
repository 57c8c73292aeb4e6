"""What does a classification head compute? One text of three tokens, every number of it.

    uv run sprints/11_finetune_gpt2_classification/head_by_hand.py
    uv run sprints/11_finetune_gpt2_classification/head_by_hand.py --features 0 0

The features of the last token meet the rows of the head; softmax, cross-entropy and the gradient of the head follow.
Theory: notes/01_fine_tuning.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch.nn import functional

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

TOKENS = ("boil", "the", "salad")
HEAD = ((1.0, 0.0), (-1.0, 1.0))  # one row for each class
CLASSES = ("genuine", "spoiled")
LABEL = 1


@dataclass(frozen=True)
class Config(ScriptConfig):
    features: tuple[float, float] = (1.0, 3.0)  # of the last token


@dataclass(frozen=True)
class Results:
    features: list[float]
    logits: list[float]
    probabilities: list[float]
    loss: float
    gradient: list[list[float]]


def main(config: Config) -> Results:
    features, head = torch.tensor(config.features), torch.tensor(HEAD, requires_grad=True)
    logits = head @ features  # (classes,)
    loss = functional.cross_entropy(logits, torch.tensor(LABEL))
    (gradient,) = torch.autograd.grad(loss, head)  # (classes, d_model)
    results = Results(
        list(config.features), logits.tolist(), logits.softmax(0).tolist(), loss.item(), gradient.tolist()
    )
    for name, logit, probability in zip(CLASSES, results.logits, results.probabilities, strict=True):
        print(f"{name}: logit {logit:g}, probability {probability:.3f}")
    print(f"loss {results.loss:.3f}, gradient of the head {[[round(g, 3) for g in row] for row in results.gradient]}")
    return results


def plot(results: Results) -> Figure:
    """Draw the way from the tokens to the probabilities."""
    figure, axes = drawings.canvas(9.4, 2.7)
    for index, token in enumerate(TOKENS):
        y = 1.75 - 0.62 * index
        drawings.box(axes, token, 0.1, y, 0.9, 0.42)
        drawings.arrow(axes, (1.05, y + 0.21), (1.55, y + 0.21))
    drawings.box(axes, "pre-trained\nblocks", 1.6, 0.45, 1.3, 1.8, drawings.QUERY)
    for index in range(len(TOKENS)):
        y = 1.96 - 0.62 * index
        last = index == len(TOKENS) - 1
        row = [results.features if last else ["", ""]]
        drawings.arrow(axes, (2.95, y), (3.4, y))
        drawings.cells(axes, row, 3.45, y + 0.2, size=0.4, colour=drawings.VALUE if last else drawings.TOKEN)
    drawings.text(axes, "features: only those of\nthe last token are read", 3.85, 0.14)
    drawings.arrow(axes, (4.35, 0.72), (4.95, 1.15))
    drawings.cells(axes, HEAD, 5.0, 1.75, size=0.45, colour=drawings.KEY, title="head, new")
    drawings.arrow(axes, (6.0, 1.3), (6.5, 1.3))
    drawings.cells(axes, [[logit] for logit in results.logits], 6.6, 1.75, size=0.45, title="logits")
    drawings.arrow(axes, (7.15, 1.3), (7.85, 1.3), "softmax")
    shares = [[round(share, 3)] for share in results.probabilities]
    drawings.cells(axes, shares, 7.95, 1.75, size=0.45, colour=drawings.MIXED, title="probabilities")
    for index, name in enumerate(CLASSES):
        drawings.text(axes, name, 8.48, 1.52 - 0.45 * index, align="left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

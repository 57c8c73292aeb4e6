"""What does a word see that stands behind another document? One attention, with the block mask and without.

    uv run sprints/23_loader_memory/apart_by_hand.py
    uv run sprints/23_loader_memory/apart_by_hand.py --value 0

*the cat sat*, the three words of sprint 6, stand in one row behind a document of two words.
Theory: notes/07_documents_apart.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from memory_study.documents import block_mask
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.run import run
from shared.nn.attention import attend
from shared.nn.masks import causal_mask

WORDS = ("salt", "it", "the", "cat", "sat")
DOCUMENTS = (0, 0, 1, 1, 1)
POSITIONS = (0, 1, 0, 1, 2)
QUERIES = (0.0, 1.0, 0.0, 1.0, 2.0)  # first of four numbers, the others are 0; *sat* has 2
KEYS = (0.0, 2.0, 0.0, 2.0, 1.0)
VALUES = (20.0, 10.0, 30.0)  # of *the*, *cat* and *sat*


@dataclass(frozen=True)
class Config(ScriptConfig):
    value: float = 100.0  # value of *it*, the last word of the other document


@dataclass(frozen=True)
class Results:
    """Rows of weights of *sat*, and what it holds."""

    weights: dict[str, list[float]]
    mixed: dict[str, float]
    seen: list[list[bool]]  # where query and key have the same document and the key is not later
    scores: dict[str, int]  # how many scores are computed for something


def main(config: Config) -> Results:
    query, key = (torch.tensor(numbers)[:, None] * torch.eye(1, 4) for numbers in (QUERIES, KEYS))  # (tokens, 4)
    value = torch.tensor([0.0, config.value, *VALUES])[:, None]
    past, same = causal_mask(len(WORDS)), block_mask(torch.tensor([DOCUMENTS]))[0, 0]
    masks = {"without a block mask": past, "with it": past & same}
    weights: dict[str, list[float]] = {}
    mixed: dict[str, float] = {}
    for name, mask in masks.items():
        held, shares = attend(query[None, None], key[None, None], value[None, None], mask)
        weights[name], mixed[name] = shares[0, 0, -1].tolist(), held[0, 0, -1].item()
        print(f"{name}: weights of sat " + ", ".join(f"{share:.3f}" for share in weights[name]), end="")
        print(f"; it holds {mixed[name]:.2f}")
    scores = {name: int(mask.sum()) for name, mask in masks.items()}
    return Results(weights, mixed, masks["with it"].tolist(), scores)


def plot(results: Results) -> Figure:
    """Draw the mask of the row with words, documents and positions, and the weights of *sat* both ways."""
    figure, axes = drawings.canvas(9.2, 3.8)
    size, x, top = 0.44, 1.0, 2.55
    colours = [COLOURS[1] if document == 0 else COLOURS[0] for document in DOCUMENTS]
    drawings.text(axes, "who may look at whom", x + 2.5 * size, 3.62, bold=True)
    for place, word in enumerate(WORDS):
        middle = x + (place + 0.5) * size
        drawings.text(axes, word, middle, top + 0.62)
        drawings.text(axes, str(POSITIONS[place]), middle, top + 0.38)
        drawings.text(axes, word, x - 0.08, top - (place + 0.5) * size, align="right")
        row: list[drawings.Cell] = ["" if seen else None for seen in results.seen[place]]
        drawings.cells(axes, [row], x, top - place * size, colour=colours[place], size=size, strengths=[[0.6] * 5])
        for other in range(place + 1):
            if not results.seen[place][other]:
                middle_y = top - (place + 0.5) * size
                drawings.text(axes, "×", x + (other + 0.5) * size, middle_y, size=13)
    drawings.text(axes, "position", x - 0.08, top + 0.38, align="right")
    drawings.text(axes, "× another document", x + 2.5 * size, top - 5 * size - 0.2)
    left, cell = 5.0, 0.58
    for y, (name, weights) in zip((2.5, 1.1), results.weights.items(), strict=True):
        way = "with a block mask" if name == "with it" else name  # *it* is a word of the row
        drawings.text(axes, f"weights of sat {way}", left + 2.5 * cell, y + 0.44, bold=True)
        drawings.text(axes, "sat holds", left + 5.5 * cell + 0.6, y + 0.2)
        shares: list[list[drawings.Cell]] = [[round(share, 3) for share in weights]]
        strengths = [[max(0.08, share) for share in weights]]
        names = WORDS
        drawings.cells(axes, shares, left, y, colour=drawings.QUERY, size=cell, strengths=strengths, column_names=names)
        drawings.arrow(axes, (left + 5 * cell + 0.1, y - cell / 2), (left + 5 * cell + 0.5, y - cell / 2))
        drawings.cells(axes, [[results.mixed[name]]], left + 5 * cell + 0.6, y, colour=drawings.MIXED, size=cell)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

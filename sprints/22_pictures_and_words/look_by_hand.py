"""Where does a word look? One attention over four places, from the query to the loss; and a caption, word by word.

    uv run sprints/22_pictures_and_words/look_by_hand.py
    uv run sprints/22_pictures_and_words/look_by_hand.py --query 0 0 0 0
    uv run sprints/22_pictures_and_words/look_by_hand.py --caption "a yellow knife."

A model has said "a red" and must say of what kind the red thing is. Theory: notes/08_saying_what_is_there.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from seeing.captions import Mention, log_probability_without_picture, read_caption
from seeing.drawing import draw_place, empty_place
from seeing.scenes import COLOURS, KINDS, MOST_ITEMS, SIZES
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run
from shared.nn.attention import attend

PLACES = (("plate", "red"), ("bowl", "green"), ("napkin", "blue"), None)  # kind and colour of each place
KEYS = ((4.0, 0.0, 0.0, 0.0), (0.0, 4.0, 0.0, 0.0), (0.0, 0.0, 4.0, 0.0), (0.0, 0.0, 0.0, 4.0))
VALUES = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0), (0.0, 0.0, 0.0))  # which kind it is
SHARPNESS = 6.0  # how many logits a mixed value of 1 is


@dataclass(frozen=True)
class Config(ScriptConfig):
    query: tuple[float, float, float, float] = (2.0, 0.0, 0.0, 0.0)  # of the word "red": red, green, blue, nothing
    caption: str = "a small red plate."  # of one item

    def check(self) -> None:
        facts = read_caption(self.caption)
        if facts is None or len(facts.mentions) != 1:
            raise ValueError(f'the caption must be of one item, such as "a small red plate."; got {self.caption!r}')


@dataclass(frozen=True)
class Results:
    """The attention, step by step, and the nats of each word of a caption with the picture and without it."""

    scores: list[float]
    weights: list[float]
    mixed: list[float]
    probabilities: dict[str, float]
    nats: float
    at_once: list[float]
    words: list[tuple[str, float, float]]
    seeing: float
    blind: float


def word_by_word(mention: Mention) -> list[tuple[str, float, float]]:
    """Return the words of a caption of one item, each with its nats with the picture and without it."""
    said = math.log(2)  # that the size is said, and that it is not, have the probability 1/2 each
    size = [(mention.size, said, said + math.log(len(SIZES)))] if mention.size else []
    colour = (mention.colour, 0.0 if mention.size else said, math.log(len(COLOURS)) + (0.0 if mention.size else said))
    kind = (mention.kind, 0.0, math.log(len(KINDS)))
    return [("a", 0.0, 0.0), *size, colour, kind, (".", 0.0, math.log(MOST_ITEMS))]


def main(config: Config) -> Results:
    scores = [sum(q * k for q, k in zip(config.query, key, strict=True)) / math.sqrt(len(key)) for key in KEYS]
    powers = [math.exp(score) for score in scores]
    weights = [power / sum(powers) for power in powers]
    mixed = [sum(w * value[kind] for w, value in zip(weights, VALUES, strict=True)) for kind in range(len(VALUES[0]))]
    print("weights " + ", ".join(f"{weight:.3f}" for weight in weights) + f"; mixed {mixed[0]:.3f}, {mixed[1]:.3f}, …")
    logits = [math.exp(SHARPNESS * number) for number in mixed]
    names = [place[0] for place in PLACES if place]
    probabilities = {name: logit / sum(logits) for name, logit in zip(names, logits, strict=True)}
    nats = -math.log(probabilities["plate"])
    print(f"P(plate) = {probabilities['plate']:.4f}: {nats:.4f} nats")

    keys, values = torch.tensor(KEYS)[None, None], torch.tensor(VALUES)[None, None]
    at_once = attend(torch.tensor([config.query])[None, None], keys, values)[0].flatten().tolist()
    facts = read_caption(config.caption)
    assert facts is not None  # checked above
    words = word_by_word(facts.mentions[0])
    seeing, blind = (sum(column) for column in ([word[1] for word in words], [word[2] for word in words]))
    for word, with_picture, without in words:
        print(f"{word:8} {with_picture:.3f} with the picture, {without:.3f} without it")
    print(
        f"together {seeing:.3f} and {blind:.3f}; by the grammar {-log_probability_without_picture(config.caption):.3f}"
    )
    return Results(scores, weights, mixed, probabilities, nats, at_once, words, seeing, blind)


def plot(results: Results) -> Figure:
    """Draw four places with their keys, the weights of the word, the values, and what is mixed of them."""
    figure, axes = drawings.canvas(9.4, 4.3)
    cells, text, size = drawings.cells, drawings.text, 0.42
    for row, place in enumerate(PLACES):
        top = 3.7 - 0.95 * row
        tile = empty_place() if place is None else draw_place(*place, "large", 0, 0)
        axes.imshow(tile.permute(1, 2, 0).numpy(), extent=(0.2, 0.95, top - 0.75, top))
        middle = top - 0.375 + size / 2
        cells(axes, [[int(number) for number in KEYS[row]]], 2.35, middle, colour=drawings.KEY, size=size)
        drawings.arrow(axes, (1.05, top - 0.375), (2.25, top - 0.375))
        weight = results.weights[row]
        cells(axes, [[round(weight, 3)]], 4.75, middle + 0.07, colour=drawings.QUERY, size=0.56, strengths=[[weight]])
        cells(axes, [[int(number) for number in VALUES[row]]], 5.85, middle, colour=drawings.VALUE, size=size)
    for words, x in (("key: which colour", 3.19), ("weight", 5.03), ("value: which kind", 6.48), ("mixed", 8.3)):
        text(axes, words, x, 4.05, bold=True)
    drawings.arrow(axes, (7.2, 2.1), (7.55, 2.1))
    mixed = [[round(number, 3)] for number in results.mixed]
    cells(axes, mixed, 8.0, 3.0, colour=drawings.MIXED, size=0.6, row_names=list(results.probabilities))
    for row, probability in enumerate(results.probabilities.values()):
        text(axes, f"P = {probability:.3f}", 8.68, 2.7 - 0.6 * row, align="left")
    text(axes, '"a red" asks: which kind is it?', 4.75, 0.02)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

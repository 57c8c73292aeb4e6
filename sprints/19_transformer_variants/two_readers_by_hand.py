"""What can a reader of the whole text tell about a word that a reader from the left cannot? Four texts of two words.

    uv run sprints/19_transformer_variants/two_readers_by_hand.py
    uv run sprints/19_transformer_variants/two_readers_by_hand.py --share 0.1

A text is *hot soup* or *cold salad*, and in a share of them one of the words was changed. Theory:
notes/08_what_an_encoder_is_for.md
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import OpenFraction
from shared.lab.run import run
from variants.changed_words import Changer
from variants.small_grammar import TextTable

WORDS = ("hot", "cold", "soup", "salad")
TABLE = TextTable(WORDS, np.array([[0, 2], [1, 3]]), np.array([0.5, 0.5]))
TEXTS = ((0, 2), (0, 3), (1, 2), (1, 3))


@dataclass(frozen=True)
class Config(ScriptConfig):
    share: OpenFraction = 0.5  # probability that a word of the text is changed


@dataclass(frozen=True)
class Reading:
    """A text: its probability, and of each word the chance that it was changed, by the whole text and from the left."""

    probability: float
    whole: list[float]
    from_left: list[float]


@dataclass(frozen=True)
class Results:
    readings: dict[str, Reading]
    whole: float
    from_left: float
    whether: float


def uncertainty(chance: float) -> float:
    """Return the entropy of a yes or no, in nats: what the best possible answer to it costs on average."""
    return -sum(p * np.log(p) for p in (chance, 1 - chance) if p > 0)


def main(config: Config) -> Results:
    changer, readings = Changer(TABLE, config.share), {}
    for text in TEXTS:
        row = np.array(text)
        whole = changer.posterior(row, 2)
        begun = [changer.posterior(row, place + 1)[place] for place in range(2)]
        # Kept as it was drawn, or made of one of the two texts by a change at one of the two places.
        probability = 0.5 * (1 - config.share) if text in ((0, 2), (1, 3)) else 2 * 0.5 * config.share / 2
        readings[TABLE.text(list(text))] = Reading(float(probability), whole.tolist(), [float(p) for p in begun])
    for text, reading in readings.items():
        print(f"{text:<11} p {reading.probability:.3f}  whole text {reading.whole}  from the left {reading.from_left}")
    means = {
        way: sum(r.probability * sum(map(uncertainty, vars(r)[way])) for r in readings.values())
        for way in ("whole", "from_left")
    }
    whether = sum(r.probability * uncertainty(min(1.0, sum(r.whole))) for r in readings.values())
    print(
        f"nats per text: whole text {means['whole']:.3f}, from the left {means['from_left']:.3f}; whether {whether:.3f}"
    )
    return Results(readings, float(means["whole"]), float(means["from_left"]), float(whether))


def plot(results: Results) -> Figure:
    """Draw each text with what both readers say about its words."""
    figure, axes = drawings.canvas(8.6, 3.0)
    size = 0.72
    titles = ("words", "whole text: P(changed)", "from the left: P(changed)")
    for column, title in enumerate(titles):
        drawings.text(axes, title, 1.2 + 2.9 * column, 2.75, bold=True)
    for row, text in enumerate(("hot soup", "hot salad")):
        reading, y = results.readings[text], 2.45 - 1.2 * row
        for column, shown in enumerate((text.split(), reading.whole, reading.from_left)):
            strengths = [[0.15 if isinstance(cell, str) else 0.1 + 0.6 * cell for cell in shown]]
            colour = (drawings.TOKEN, drawings.MIXED, drawings.QUERY)[column]
            x = 1.2 + 2.9 * column - size
            drawings.cells(axes, [list(shown)], x, y, size=size, colour=colour, strengths=strengths)
    drawings.text(axes, f"all texts: {results.whole:.3f} nats", 4.1, 0.2)
    drawings.text(axes, f"{results.from_left:.3f} nats", 7.0, 0.2)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

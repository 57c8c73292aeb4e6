"""Does the most probable first word begin the most probable text? Six texts of two words, and all their chances.

    uv run sprints/10_pretrained_generation_demo/two_steps.py
    uv run sprints/10_pretrained_generation_demo/two_steps.py --width 3

A made-up model of two words behind "a", small enough to look at every text: what greedy decoding finds, what a beam
finds, and what there is to find. Theory: notes/01_one_token_after_the_other.md
"""

import math
from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

FIRST = {"nice": 0.4, "warm": 0.35, "hot": 0.25}
SECOND = {
    "nice": {"pie": 0.4, "soup": 0.3, "stew": 0.3},
    "warm": {"soup": 0.5, "stew": 0.5},
    "hot": {"soup": 1.0},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    width: PositiveInt = 2  # beginnings that beam search keeps; 1 is greedy


@dataclass(frozen=True)
class Results:
    texts: dict[str, float]
    kept: list[str]
    greedy: str
    beam: str
    best: str
    width: PositiveInt


def search(width: int) -> tuple[list[str], str]:
    """Return the beginnings that a beam keeps, and the text that it finds; scores are logarithms, so they add up."""
    beam = sorted(FIRST, key=lambda word: -math.log(FIRST[word]))[:width]
    scores = {
        f"{first} {second}": math.log(FIRST[first]) + math.log(probability)
        for first in beam
        for second, probability in SECOND[first].items()
    }
    return beam, max(scores, key=lambda text: scores[text])


def main(config: Config) -> Results:
    texts = {
        f"{first} {second}": FIRST[first] * probability
        for first in FIRST
        for second, probability in SECOND[first].items()
    }
    kept, beam = search(config.width)
    results = Results(texts, kept, search(1)[1], beam, max(texts, key=lambda text: texts[text]), config.width)
    for text, probability in texts.items():
        print(f"a {text:<10} {probability:.3f}")
    print(f"greedy: {results.greedy}; beam of {config.width}: {beam}; most probable: {results.best}")
    return results


def plot(results: Results) -> Figure:
    """Draw the tree of texts from left to right, each with its probability."""
    figure, axes = drawings.canvas(8.4, 3.9)
    drawings.box(axes, "a", 0.2, 1.75, 0.6, 0.4)
    y, step = 3.35, 0.6
    for word, probability in FIRST.items():
        ends = [y - step * index for index in range(len(SECOND[word]))]
        middle = sum(ends) / len(ends)
        drawings.arrow(axes, (0.8, 1.95), (2.2, middle))
        drawings.text(axes, f"{probability:g}", 1.65, (1.95 + middle) / 2 + 0.19)
        is_kept = word in results.kept
        drawings.box(axes, word, 2.2, middle - 0.2, 0.9, 0.4, drawings.QUERY if is_kept else drawings.TOKEN)
        for end, (second, after) in zip(ends, SECOND[word].items(), strict=True):
            text = f"{word} {second}"
            drawings.arrow(axes, (3.1, middle), (4.3, end))
            drawings.text(axes, f"{after:g}", 3.9, (middle + end) / 2 + 0.17)
            found = [
                name
                for name, one in (
                    ("greedy", results.greedy),
                    (f"beam of {results.width}", results.beam),
                    ("most probable", results.best),
                )
                if one == text
            ]
            drawings.box(axes, second, 4.3, end - 0.2, 0.9, 0.4, drawings.VALUE if found else drawings.TOKEN)
            drawings.text(axes, f"{results.texts[text]:.3f}", 5.35, end, align="left", bold=bool(found))
            drawings.text(axes, ", ".join(found), 6.05, end, align="left")
        y = ends[-1] - step
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

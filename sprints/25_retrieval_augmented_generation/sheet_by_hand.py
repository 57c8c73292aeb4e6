"""What does a reader learn from? Two passages, two questions, the tokens that are scored, and losses of who knows less.

    uv run sprints/25_retrieval_augmented_generation/sheet_by_hand.py

Theory: notes/15_a_reader_that_was_trained.md
"""

import math
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from retrieval.pantry import Question
from retrieval.pantry_facts import Fact
from retrieval.pantry_grammar import Reading, form_question
from retrieval.reader_tokens import ReaderTokens
from retrieval.reading import Example
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, OpenFraction, PositiveInt
from shared.lab.run import run

SHOWN = (
    Fact(1, ("berries", "butler", "supermarket", "11"), 2023, None),
    Fact(0, ("soups", "teacher", "prawns", "weddings"), 2021, None),
)
ASKED = (
    (Reading(0, 2, {0: "soups", 1: "teacher"}, "cooked", None), 1, "prawns"),
    (Reading(2, 1, {0: "eggs"}, "kept", None), 2, "maid"),
)
PER_ROW = 23  # tokens in a row of the drawing


@dataclass(frozen=True)
class Config(ScriptConfig):
    citation: OpenFraction = 0.5  # probability that a model gives the right citation
    word: OpenFraction = 0.8  # and the right word behind it
    missing: OpenFraction = 0.3  # share of tasks whose passage is missing
    passages: PositiveInt = 3  # that are shown
    words: AtLeastTwo = 20  # that could be the answer


@dataclass(frozen=True)
class Results:
    tokens: list[str]  # of the sheet
    scored: list[bool]  # whether each is part of an answer
    loss: float  # of one answer, in nats
    belief: float
    citation_by_chance: float  # nats of the first token for one who knows how often each is right, and nothing else
    plateaus: dict[str, float]  # nats a scored token, by what is known


def sheet() -> list[Example]:
    """Return two tasks that show the same passages: the answer of one stands there."""
    return [
        Example(Question(form_question(reading), number, (number,), answer, reading), "right", (0, 1), SHOWN)
        for reading, number, answer in ASKED
    ]


def plateaus(missing: float, passages: int, words: int) -> tuple[float, dict[str, float]]:
    """Return the nats of a first token by chance, and those of a token for readers that know more and more."""
    each = (1 - missing) / passages
    first = -missing * math.log(missing) - (1 - missing) * math.log(each)
    tokens = 1 + (1 - missing)  # "I do not know" is one token, a citation with its word are two
    return first, {
        "which words could be an answer": (first + (1 - missing) * math.log(words)) / tokens,
        "how to copy out of the cited passage": first / tokens,
        "everything": 0.0,
    }


def main(config: Config) -> Results:
    tokens = ReaderTokens()
    rows = tokens.sheets([sheet()])
    words, scored = [tokens.words[number] for number in rows.tokens[0].tolist()], rows.answers[0].tolist()
    print(" ".join(f"<{word}>" if answer else word for word, answer in zip(words, scored, strict=True)))
    print(f"{len(words)} tokens, {sum(scored)} of them scored")
    loss, belief = -math.log(config.citation) - math.log(config.word), config.citation * config.word
    print(f"an answer: loss {loss:.3f}, belief {belief:.2f}")
    first, found = plateaus(config.missing, config.passages, config.words)
    print(f"a citation by chance: {first:.3f} nats; a token of an answer, if one knows")
    for name, value in found.items():
        print(f"  {name:<40} {value:.3f}")
    return Results(words, scored, loss, belief, first, found)


def plot(results: Results) -> Figure:
    """Draw the sheet as tokens, row by row, each passage and question from its own place on; scored ones are filled."""
    lines: list[list[tuple[str, bool]]] = []
    for word, scored in zip(results.tokens, results.scored, strict=True):
        if word in ("<begin>", "[1]", "[2]", "question:") and not scored:
            lines.append([])
        lines[-1].append((word, scored))
    lines = [line[start : start + PER_ROW] for line in lines[1:] for start in range(0, len(line), PER_ROW)]
    figure, axes = new_figure(9.2, 0.55 * len(lines) + 0.3)
    for row, line in enumerate(lines):
        left = 0.0
        for word, scored in line:
            width = 0.55 + 0.17 * len(word)
            colour = COLOURS[1] if scored else ("#dce6f1" if line[0][0].startswith("[") else "#eeeeee")
            axes.add_patch(Rectangle((left, -row), width - 0.06, 0.75, facecolor=colour, edgecolor="none"))
            axes.text(left + width / 2 - 0.03, 0.37 - row, word, ha="center", va="center", fontsize=8)
            left += width
    axes.set(xlim=(0, 23.5), ylim=(-len(lines) + 0.7, 0.95))
    axes.axis("off")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

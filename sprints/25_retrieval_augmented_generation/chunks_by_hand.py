"""How often does a border cut a fact in two? Twelve words in pieces of four, with and without overlap.

    uv run sprints/25_retrieval_augmented_generation/chunks_by_hand.py
    uv run sprints/25_retrieval_augmented_generation/chunks_by_hand.py --overlaps 0 3 --fact 4

Theory: notes/09_pieces_of_a_document.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from retrieval.chunks import cut
from retrieval.long_documents import whole_probability
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.ranges import NonNegativeInt, PositiveInt
from shared.lab.run import run

TEXT = "The soup needs three onions. Peel them first. Its salt comes last."


@dataclass(frozen=True)
class Config(ScriptConfig):
    size: PositiveInt = 4  # words of a chunk
    overlaps: tuple[NonNegativeInt, ...] = (0, 2)  # words that two neighbours share
    fact: PositiveInt = 3  # words that belong together

    def check(self) -> None:
        if max(self.overlaps) >= self.size or self.fact > len(TEXT.split()):
            raise ValueError(
                f"overlaps must be below the --size, and the fact has at most {len(TEXT.split())} words; got size "
                f"{self.size}, overlaps {self.overlaps} and fact {self.fact}"
            )


@dataclass(frozen=True)
class Cutting:
    """A text cut in one way."""

    chunks: list[list[int]]  # the numbers of their words
    whole: list[bool]  # for each beginning of a fact, whether one chunk holds all of it
    probability: float  # by formula, in a long text
    copies: float  # words of all chunks by words of the text


@dataclass(frozen=True)
class Results:
    words: list[str]
    cuttings: dict[str, Cutting]  # by overlap


def main(config: Config) -> Results:
    words: list[str] = [*TEXT.split()]
    cuttings = {}
    for overlap in config.overlaps:
        texts = [chunk.text for chunk in cut("soup", TEXT, "words", config.size, overlap)]
        starts = range(0, len(words), config.size - overlap)
        chunks = [list(range(start, start + len(text.split()))) for start, text in zip(starts, texts, strict=False)]
        facts = [set(range(start, start + config.fact)) for start in range(len(words) - config.fact + 1)]
        whole = [any(fact <= set(chunk) for chunk in chunks) for fact in facts]
        probability = whole_probability(config.fact, config.size, overlap)
        copies = sum(len(chunk) for chunk in chunks) / len(words)
        cuttings[str(overlap)] = Cutting(chunks, whole, probability, copies)
        print(f"overlap {overlap}: {' | '.join(texts)}")
        print(f"  whole {sum(whole)} of {len(whole)}, in a long text {probability:.2f}; {copies:.2f} x the words")
    return Results(words, cuttings)


def plot(results: Results) -> Figure:
    """Draw the words, the chunks below them, and at which beginnings a fact stays whole."""
    size, left = 0.62, 1.5
    rows = sum(len(cutting.chunks) + 2 for cutting in results.cuttings.values())
    height = 0.9 + 0.36 * rows
    figure, axes = drawings.canvas(left + len(results.words) * size + 0.2, height)
    top = height - 0.15
    drawings.cells(axes, [results.words], left, top, size=size, strengths=[[0.12] * len(results.words)])
    y = top - size - 0.3
    for overlap, cutting in results.cuttings.items():
        drawings.text(axes, f"overlap {overlap}", left - 0.15, y - 0.1, align="right", bold=True)
        for number, chunk in enumerate(cutting.chunks):
            width = len(chunk) * size - 0.1
            colour = COLOURS[0] if number % 2 else COLOURS[5]
            drawings.box(axes, "", left + chunk[0] * size + 0.05, y - 0.24, width, 0.26, colour)
            y -= 0.36
        for start, whole in enumerate(cutting.whole):
            drawings.text(axes, "whole" if whole else "cut", left + (start + 0.5) * size, y - 0.1, bold=not whole)
        drawings.text(axes, "fact from here", left - 0.15, y - 0.1, align="right", size=8)
        y -= 0.72
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

"""Which parts of a text stand in a book word for word? Every character of a short example.

    uv run sprints/12_finetune_gpt2_generative/longest_copies.py
    uv run sprints/12_finetune_gpt2_generative/longest_copies.py --text "salt the egg" --shortest 4

Under each character stands the length of the longest run that ends with it and is in the book.
Theory: notes/06_copying.md
"""

from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from pydantic import Field

from book_finetuning.copied_text import SuffixAutomaton, copied_share
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    book: tuple[str, ...] = ("melt the butter", "salt the egg")  # scenes of the book
    text: Annotated[str, Field(min_length=1, max_length=24)] = "melt the ghee"  # what may have been copied
    shortest: PositiveInt = 6  # characters from which a run counts as copied


@dataclass(frozen=True)
class Results:
    text: str
    lengths: list[int]
    longest: int
    share: float
    shortest: int


def main(config: Config) -> Results:
    automaton = SuffixAutomaton(config.book)
    lengths = automaton.matches(config.text)
    share = copied_share(automaton, config.text, config.shortest)
    print(" ".join(f"{character!s:>2}" for character in config.text))
    print(" ".join(f"{length:2d}" for length in lengths))
    print(f"longest run {max(lengths)}; {share:.0%} of the text lies in runs of {config.shortest} or more")
    return Results(config.text, lengths, max(lengths), share, config.shortest)


def plot(results: Results) -> Figure:
    """Draw the text, and under each character the length of its longest run; where a run ends, its whole length."""
    size = 0.44
    figure, axes = drawings.canvas(len(results.text) * size + 2.6, 2.5)
    covered = [0.12] * len(results.text)
    for end, length in enumerate(results.lengths, start=1):
        if length >= results.shortest:
            covered[end - length : end] = [0.55] * length
    drawings.text(axes, "text", 0.15, 1.9, align="left")
    letters = ["␣" if character == " " else character for character in results.text]
    drawings.cells(axes, [letters], 2.0, 1.9 + size / 2, colour=drawings.KEY, size=size, strengths=[covered])
    drawings.text(axes, "longest run\nthat ends here", 0.15, 1.2, align="left")
    drawings.cells(axes, [results.lengths], 2.0, 1.2 + size / 2, colour=drawings.QUERY, size=size)
    words = f"dark: in a run of {results.shortest} or more, {results.share:.0%} of the text"
    drawings.text(axes, words, 2.0, 0.45, align="left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

"""How many patterns can be copied from two bits? Eight patterns, four states, all of it drawn.

    uv run sprints/18_sequence_models/bits_by_hand.py

A pattern is three tokens, each 0 or 1. The state keeps the first two. Theory: notes/13_copying.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from sequences.copying import all_patterns, most_copied
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

LENGTH, BITS = 3, 2


@dataclass(frozen=True)
class Config(ScriptConfig):
    pass


@dataclass(frozen=True)
class Results:
    patterns: list[str]
    states: list[str]
    written: list[str]
    copied: int
    bound: float


def main(config: Config) -> Results:  # noqa: ARG001 - there is nothing to choose
    patterns = ["".join(map(str, row)) for row in all_patterns(2, LENGTH).tolist()]
    states = [pattern[:BITS] for pattern in patterns]  # what is known behind the pattern
    written = [state + "0" for state in states]  # the rest must be guessed
    copied = sum(pattern == text for pattern, text in zip(patterns, written, strict=True))
    for pattern, state, text in zip(patterns, states, written, strict=True):
        print(f"{pattern} -> state {state} -> {text} {'copied' if pattern == text else ''}")
    bound = most_copied(BITS, 2, LENGTH)
    print(f"{copied} of {len(patterns)} copied; the bound is {bound:.0%}")
    return Results(patterns, states, written, copied, bound)


def plot(results: Results) -> Figure:
    """Draw patterns, states and what is written, with arrows from left to right."""
    figure, axes = drawings.canvas(6.4, 4.6)
    top = [3.95 - 0.47 * index for index in range(len(results.patterns))]
    for pattern, state, text, y in zip(results.patterns, results.states, results.written, top, strict=True):
        same = pattern == text
        drawings.cells(axes, [list(pattern)], 0.3, y, size=0.4)
        middle = 3.95 - 0.94 * int(state, 2) - 0.235
        drawings.arrow(axes, (1.55, y - 0.2), (2.85, middle - 0.2))
        if same:
            drawings.cells(axes, [list(state)], 2.9, middle, size=0.4, colour=drawings.KEY)
            drawings.arrow(axes, (3.75, middle - 0.2), (4.95, middle - 0.2))
            drawings.cells(axes, [list(text)], 5.0, middle, size=0.4, colour=drawings.MIXED)
        drawings.text(axes, "copied" if same else "lost", 1.55, y - 0.05, align="left", bold=same, size=7)
    for words, x in (("8 patterns", 0.9), ("4 states", 3.3), ("4 texts", 5.6)):
        drawings.text(axes, words, x, 4.25, bold=True)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

"""What is there to predict in a row of brackets? Its stack and the entropy of every token.

    uv run sprints/18_sequence_models/brackets_by_hand.py

Two kinds of brackets, at most two open at once, opening and closing alike. Theory: notes/15_nested_brackets.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from sequences.dyck import Brackets
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

ROW = "([])[()]"
PAIRS = ("()", "[]")


@dataclass(frozen=True)
class Config(ScriptConfig):
    pass


@dataclass(frozen=True)
class Results:
    stacks: list[str]
    entropies: list[float]
    by_depth: list[float]
    rate: float
    first_four: float


def main(config: Config) -> Results:  # noqa: ARG001 - there is nothing to choose
    grammar = Brackets(kinds=2, deepest=2, opening=0.5)
    stack, stacks = "", []
    for bracket in ROW:
        stacks.append(stack)
        stack = stack + bracket if bracket in "([" else stack[:-1]
    entropies = [grammar.entropy_at(len(stack)) for stack in stacks]
    for bracket, stack, entropy in zip(ROW, stacks, entropies, strict=True):
        print(f"open {stack or '-':3} next {bracket}  entropy {entropy:.3f}")
    by_depth = [grammar.entropy_at(depth) for depth in range(3)]
    print(f"entropy rate {grammar.rate():.3f}, first four tokens {grammar.entropy(4):.3f}")
    return Results(stacks, entropies, by_depth, grammar.rate(), grammar.entropy(4))


def plot(results: Results) -> Figure:
    """Draw the row, what is open before each token, and the entropy of the token."""
    figure, axes = drawings.canvas(7.4, 2.7)
    size, left = 0.68, 1.75
    drawings.cells(axes, [list(ROW)], left, 2.55, size=size, row_names=["token"])
    for place, stack in enumerate(results.stacks):
        for level, bracket in enumerate(stack):
            x, y = left + place * size + 0.14, 1.2 + 0.34 * level
            drawings.cells(axes, [[bracket]], x, y + 0.1, size=0.33, colour=drawings.KEY)
    drawings.text(axes, "open before it", left - 0.08, 1.3, align="right")
    strengths = [[entropy / 1.6 for entropy in results.entropies]]
    rows = [[round(entropy, 3) for entropy in results.entropies]]
    drawings.cells(
        axes, rows, left, 0.75, size=size, colour=drawings.MIXED, strengths=strengths, row_names=["entropy, nats"]
    )
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

"""What does the decoder read, and what is it scored against? Four ways to train, on one word.

    uv run sprints/15_encoder_decoder/what_each_reads.py
    uv run sprints/15_encoder_decoder/what_each_reads.py --true-tokens no yes no

The model is asked for "bac." and says something else on the way; scheduled sampling mixes its words into the true ones.
Theory: notes/08_remedies.md
"""

from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

TRUE = "bac."
# What the made-up model says next after each beginning.
SAYS = {"": "c", "b": "c", "c": "b", "bc": "a", "ba": "c", "cb": "b", "ca": "b"}


@dataclass(frozen=True)
class Config(ScriptConfig):
    true_tokens: tuple[bool, bool, bool] = (True, False, True)  # whether the coin keeps the true token, at each place


@dataclass(frozen=True)
class Reading:
    """What the decoder reads, which of it the model has said, and what each place is scored against."""

    reads: str
    own: list[bool]
    wanted: str


@dataclass(frozen=True)
class Results:
    ways: dict[str, Reading]


def mix(keep: tuple[bool, ...]) -> tuple[str, list[bool]]:
    """Return the input of scheduled sampling: from left to right the true token, or the model's own."""
    mixed, own = "", []
    for place, kept in enumerate(keep):
        mixed += TRUE[place] if kept else SAYS.get(mixed, ".")
        own.append(not kept)
    return mixed, own


def main(config: Config) -> Results:
    mixed, own = mix(config.true_tokens)
    free, _ = mix((False, False, False))
    ways = {
        "teacher forcing": Reading(">" + TRUE[:-1], [False] * 4, TRUE),
        "scheduled sampling": Reading(">" + mixed, [False, *own], TRUE),
        "scheduled sampling, at the end": Reading(">" + free, [False, True, True, True], TRUE),
        "REINFORCE": Reading(">" + free, [False, True, True, True], free + SAYS.get(free, ".")),
    }
    for name, reading in ways.items():
        print(f"{name:<32} reads {reading.reads}, is scored against {reading.wanted}")
    return Results(ways)


def plot(results: Results) -> Figure:
    """Draw a row for each way: what is read on the left, what is scored on the right."""
    figure, axes = drawings.canvas(8.4, 0.75 + 0.62 * len(results.ways))
    top = 0.62 * len(results.ways) + 0.05
    drawings.text(axes, "the decoder reads", 3.55, top + 0.45, bold=True)
    drawings.text(axes, "each place is scored on", 6.5, top + 0.45, bold=True)
    for index, (name, reading) in enumerate(results.ways.items()):
        y = top - 0.62 * index + 0.2
        for place, letter in enumerate(reading.reads):
            colour = drawings.MIXED if reading.own[place] else drawings.TOKEN
            drawings.cells(axes, [[letter]], 2.6 + 0.48 * place, y, size=0.46, colour=colour)
        drawings.text(axes, name, 2.45, y - 0.23, align="right")
        drawings.arrow(axes, (4.65, y - 0.23), (5.35, y - 0.23))
        own = name == "REINFORCE"
        colour = drawings.MIXED if own else drawings.VALUE
        drawings.cells(axes, [list(reading.wanted)], 5.5, y, size=0.46, colour=colour)
        drawings.text(axes, "× reward" if own else "", 7.55, y - 0.23, align="left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

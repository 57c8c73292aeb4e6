"""What does a reader expect who has seen nine uses of a place that has four wordings?

    uv run sprints/12_finetune_gpt2_generative/what_a_reader_expects.py
    uv run sprints/12_finetune_gpt2_generative/what_a_reader_expects.py --counts 1 1 1 0

One reader knows all wordings and counts; the other knows those it has read, and has to spell a new one.
Theory: notes/04_how_close_can_one_get.md
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from pydantic import Field

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import NonNegativeInt, OpenFraction, PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    counts: Annotated[tuple[NonNegativeInt, ...], Field(min_length=2, max_length=8)] = (5, 3, 1, 0)  # uses of wordings
    tokens: PositiveInt = 3  # tokens of a wording that has to be spelled
    token_probability: OpenFraction = 0.01  # what the speller gives each of these tokens

    def check(self) -> None:
        if sum(self.counts) == 0:
            raise ValueError("at least one of --counts must be above 0: a reader who has read nothing has no counts")


@dataclass(frozen=True)
class Results:
    """Probabilities of each wording by both readers, and in truth; of the speller also the one of "something new"."""

    counts: list[int]
    knows_all: list[float]
    spells: list[float]
    something_new: float
    nats_of_a_new_one: float


def knows_all_wordings(counts: Sequence[int]) -> list[float]:
    """Return Laplace's estimate: each wording as if it had been read once more."""
    uses, kinds = sum(counts), len(counts)
    return [(count + 1) / (uses + kinds) for count in counts]


def expects_something_new(counts: Sequence[int]) -> float:
    """Return the estimate of Good and Turing, smoothed: what was read once is what was new until lately."""
    singletons = sum(count == 1 for count in counts)
    return (singletons + 0.5) / (sum(counts) + 1)


def main(config: Config) -> Results:
    knows_all, new = knows_all_wordings(config.counts), expects_something_new(config.counts)
    spelled = new * config.token_probability**config.tokens
    uses = sum(config.counts)
    spells = [(1 - new) * count / uses if count else spelled for count in config.counts]
    for count, one, other in zip(config.counts, knows_all, spells, strict=True):
        print(f"seen {count} times: {one:.3f} by who knows all wordings, {other:.3g} by who spells")
    nats = -math.log(spelled)
    print(f"something new: {new:.3f}; a new wording of {config.tokens} tokens costs {nats:.1f} nats")
    return Results(list(config.counts), knows_all, spells, new, nats)


def plot(results: Results) -> Figure:
    """Draw what each reader expects, beside the truth."""
    figure, axes = new_figure(7, 3.4)
    kinds = len(results.counts)
    names = [f"wording {chr(65 + index)}\nread {count} times" for index, count in enumerate(results.counts)]
    readers = (("who knows all wordings", results.knows_all), ("who knows what it has read", results.spells))
    for index, (name, expected) in enumerate(readers):
        xs = [place + 0.36 * index for place in range(kinds)]
        for bar in axes.bar(xs, expected, 0.34, label=name):
            height = bar.get_height()
            shown = f"{height:.3f}" if height >= 0.001 else f"{height:.0e}"
            axes.annotate(shown, (bar.get_x() + 0.17, height), ha="center", va="bottom", fontsize=8)
    axes.axhline(1 / kinds, color="black", linestyle=":", label=f"the grammar: 1/{kinds} each")
    axes.set_xticks([place + 0.18 for place in range(kinds)], names)
    axes.set(ylabel="probability of the wording", ylim=(0, 1.3 * max(results.knows_all + results.spells)))
    axes.legend(fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

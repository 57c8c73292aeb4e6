"""Can a prefix change how attention shares itself out among the words? A program tries to.

    uv run sprints/21_adapters_and_prompts/ratios.py
    uv run sprints/21_adapters_and_prompts/ratios.py --lengths 1 200 --draws 500

For each case, prefixes are drawn at random, large and small ones, and the best of them is then improved by gradient
ascent. What counts is how far the shares of the words move, each query's shares scaled to add up to 1. The theorem says
that in one layer with a softmax they cannot move. Theory: notes/06_what_a_prefix_cannot_do.md
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from torch import Tensor

from adaptation.shares import OneHead, sparsemax
from shared.lab.compare import TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt
from shared.lab.run import run

Trained = list[Tensor]  # what a case may choose freely
Case = Callable[[Trained], Tensor]  # gives the shares of the words, (queries, keys)


ROUNDING_ERROR = 1e-9  # what is smaller is none
# What ascent ends at differs between processors.
NOTHING = Tolerance(absolute=ROUNDING_ERROR)
TOLERANCE = {"changes.*": TRAINED, "changes.prefix of*": NOTHING, "changes.prompt*": NOTHING}


@dataclass(frozen=True)
class Config(ScriptConfig):
    tokens: PositiveInt = 8  # words of a text
    d_model: PositiveInt = 16  # features of a word
    lengths: Annotated[tuple[PositiveInt, ...], Different] = (1, 10, 100)  # places of a prefix
    draws: PositiveInt = 200  # random prefixes of each length
    steps: PositiveInt = 200  # of gradient ascent from the best of them
    rate: PositiveFloat = 0.05  # of the ascent, with Adam


@dataclass(frozen=True)
class Results:
    """The largest change of the shares that was found: 0 is none, 1 would be all of them elsewhere."""

    changes: dict[str, float]


def largest_change(case: Case, shapes: list[tuple[int, ...]], before: Tensor, config: Config, seed: int) -> float:
    """Return the largest change of any query's shares (half the sum of absolute differences) that was found."""
    generator = torch.Generator().manual_seed(seed)
    best, start = -1.0, []

    def change_of(trained: Trained) -> Tensor:
        moved = (case(trained) - before).abs().sum(dim=-1) / 2
        return moved.nan_to_num().max()  # 0 / 0: the prefix has everything, and the words share nothing

    for draw in range(config.draws):
        size = 10 ** (draw / config.draws * 3 - 1)  # from 0.1 to 100
        drawn = [torch.randn(shape, generator=generator, dtype=torch.double) * size for shape in shapes]
        if (found := change_of(drawn).item()) > best:
            best, start = found, drawn
    trained = [tensor.requires_grad_() for tensor in start]
    optimizer = torch.optim.Adam(trained, lr=config.rate, maximize=True)
    for _ in range(config.steps):
        optimizer.zero_grad()
        change = change_of(trained)
        change.backward()
        optimizer.step()
        best = max(best, change.item())
    return best


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(config.seed)
    d_model, length = config.d_model, config.lengths[0]
    first, second = OneHead(d_model, generator), OneHead(d_model, generator)
    words, table = (torch.randn(n, d_model, generator=generator, dtype=torch.double) for n in (config.tokens, 1000))
    none, changes = words[:0], {}

    def search(name: str, case: Case, shapes: list[tuple[int, ...]], before: Tensor) -> None:
        changes[name] = largest_change(case, shapes, before, config, config.seed + len(changes))
        print(f"{name}: {changes[name]:.1e}")

    before, place = first.shares(words, none), (length, d_model)
    for places in config.lengths:
        search(f"prefix of {places}, one layer", lambda t: first.shares(words, t[0]), [(places, d_model)], before)
    search("prompt, through the layer's own matrices", lambda t: first.shares(words, t[0] @ first.key), [place], before)
    search(
        "prefix in two layers: shares in the second",
        lambda t: second.shares(words + first(words, t[0], t[1]), t[2]),
        [place] * 3,
        second.shares(words + first(words, none, none), none),
    )
    at = [words + table[start : start + config.tokens] for start in (0, length)]
    search(
        "one layer, positions shifted by the prefix",
        lambda t: first.shares(at[1], t[0]), [place], first.shares(at[0], none),
    )  # fmt: skip
    search(
        "one layer, sparsemax instead of softmax",
        lambda t: first.shares(words, t[0], normalise=sparsemax),
        [place],
        first.shares(words, none, normalise=sparsemax),
    )
    search(
        "no prefix, queries changed by rank 1 (LoRA)",
        lambda t: first.shares(words, none, t[0] @ t[1]), [(d_model, 1), (1, d_model)], before,
    )  # fmt: skip
    return Results(changes)


def plot(results: Results) -> Figure:
    """Draw the largest change of each case on a logarithmic axis."""
    figure, axes = new_figure(7.6, 3.6)
    sizes = [max(change, 1e-17) for change in results.changes.values()]
    for row, size in enumerate(sizes):
        colour, words = ("C0", f"{size:.0e}") if size < ROUNDING_ERROR else ("C3", f"{size:.2f}")
        axes.plot([1e-17, size], [row, row], color=colour, linewidth=2)
        axes.plot(size, row, "o", color=colour)
        axes.annotate(words, (size, row), xytext=(7, -3), textcoords="offset points")
    axes.set_yticks(range(len(sizes)), list(results.changes))
    axes.set(xscale="log", xlim=(1e-17, 60), ylim=(len(sizes) - 0.5, -0.5))
    axes.set_xlabel("largest change found of the words' shares (1: all)")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)

"""What does a prefix change in one attention? The three words of sprint 6, and one place before them.

    uv run sprints/21_adapters_and_prompts/prefix_by_hand.py
    uv run sprints/21_adapters_and_prompts/prefix_by_hand.py --key -3 0 0 0
    uv run sprints/21_adapters_and_prompts/prefix_by_hand.py --value 0

*sat* asks, and looks at *the*, *cat* and itself. A prefix adds a key and a value that belong to no word; both are
trained. Theory: notes/05_prompts_and_prefixes.md and notes/06_what_a_prefix_cannot_do.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run
from shared.nn.attention import attend

WORDS = ("the", "cat", "sat")
QUERY = (2.0, 0.0, 0.0, 0.0)  # of *sat*
KEYS = ((0.0, 0.0, 0.0, 0.0), (2.0, 0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0))
VALUES = (20.0, 10.0, 30.0)


@dataclass(frozen=True)
class Config(ScriptConfig):
    key: tuple[float, float, float, float] = (3.0, 0.0, 0.0, 0.0)  # key of the prefix
    value: float = 40.0  # value of the prefix


@dataclass(frozen=True)
class Results:
    """Without the prefix and with it; the weight of the prefix is the first of `weights_with`."""

    value: float
    powers: list[float]
    weights: list[float]
    mixed: float
    power_of_prefix: float
    weights_with: list[float]
    mixed_with: float
    moved: float
    cat_to_sat: list[float]
    at_once: float


def score(query: tuple[float, ...], key: tuple[float, ...]) -> float:
    return sum(q * k for q, k in zip(query, key, strict=True)) / math.sqrt(len(query))


def main(config: Config) -> Results:
    powers = [math.exp(score(QUERY, key)) for key in KEYS]
    weights = [power / sum(powers) for power in powers]
    mixed = sum(weight * value for weight, value in zip(weights, VALUES, strict=True))
    print("without a prefix: weights " + ", ".join(f"{weight:.3f}" for weight in weights) + f", mixed {mixed:.3f}")

    extra = math.exp(score(QUERY, config.key))
    total = extra + sum(powers)
    weights_with = [power / total for power in (extra, *powers)]
    share = weights_with[0]
    mixed_with = sum(weight * value for weight, value in zip(weights_with, (config.value, *VALUES), strict=True))
    # The words' weights are what they were, times what the prefix leaves: so the result moves towards its value.
    moved = (1 - share) * mixed + share * config.value
    print("with it: weights " + ", ".join(f"{weight:.3f}" for weight in weights_with) + f", mixed {mixed_with:.3f}")
    print(f"(1 - {share:.3f}) x {mixed:.3f} + {share:.3f} x {config.value:g} = {moved:.3f}")
    ratios = [weights[1] / weights[2], weights_with[2] / weights_with[3]]
    print(f"cat to sat: {ratios[0]:.3f} without, {ratios[1]:.3f} with it")

    key, value = torch.tensor([config.key, *KEYS]), torch.tensor([config.value, *VALUES])[:, None]
    at_once = attend(torch.tensor([QUERY])[None, None], key[None, None], value[None, None])[0].item()
    return Results(
        config.value, powers, weights, mixed, extra, weights_with, mixed_with, moved, ratios, at_once
    )  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw values, and the weights of *sat* without and with the prefix; beside them what is mixed."""
    figure, axes = drawings.canvas(9.0, 3.6)
    cells, text, size = drawings.cells, drawings.text, 0.66
    for place, name in enumerate(("prefix", *WORDS)):
        text(axes, name, 2.0 + size * (place + 0.5), 3.4, bold=place == 0)
    shown = [round(weight, 3) for weight in results.weights_with]
    rows: list[tuple[float, str, list[drawings.Cell]]] = [
        (3.2, "values", [results.value, *VALUES]),
        (2.2, "weights, without", [None, *(round(weight, 3) for weight in results.weights)]),
        (1.2, "weights, with prefix", [*shown]),
    ]
    for y, name, row in rows:
        strengths = None if name == "values" else [[float(number or 0) for number in row]]
        colour = drawings.VALUE if name == "values" else drawings.QUERY
        text(axes, name, 1.9, y - size / 2, align="right", bold=True)
        cells(axes, [row], 2.0, y, colour=colour, size=size, strengths=strengths)
    for y, mixed, ratio in ((2.2, results.mixed, 0), (1.2, results.mixed_with, 1)):
        drawings.arrow(axes, (4.75, y - size / 2), (5.45, y - size / 2), "mix")
        cells(axes, [[mixed]], 5.6, y, colour=drawings.MIXED, size=size)
        text(axes, f"cat : sat = {results.cat_to_sat[ratio]:.3f} : 1", 6.5, y - size / 2, align="left")
    share = results.weights_with[0]
    text(axes, f"the words share {1 - share:.3f} in the proportions in which they shared 1", 4.0, 0.25)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

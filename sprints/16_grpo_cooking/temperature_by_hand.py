"""How good is one and the same policy at other temperatures? One right answer, several wrong ones, on paper.

    uv run sprints/16_grpo_cooking/temperature_by_hand.py
    uv run sprints/16_grpo_cooking/temperature_by_hand.py --right 0.2 --wrong 0.3 0.3 0.2

Nothing is trained: probabilities are raised to 1 / temperature and divided by their sum. Majority vote and pass@k
follow from them. Theory: notes/05_better_or_surer.md
"""

import itertools
import math
from collections import Counter
from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from pydantic import Field

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import OpenFraction, PositiveFloat
from shared.lab.run import run

MOST_WRONG = 8


@dataclass(frozen=True)
class Config(ScriptConfig):
    right: OpenFraction = 0.4  # probability of the right answer at temperature 1
    wrong: tuple[OpenFraction, ...] = (0.1,) * 6  # probabilities of wrong answers at temperature 1
    temperatures: tuple[PositiveFloat, ...] = (0.3, 0.7, 1.0)  # beside 0
    answers: Annotated[int, Field(ge=1, le=8)] = 5  # answers of a vote

    def check(self) -> None:
        if not math.isclose(self.right + sum(self.wrong), 1, abs_tol=1e-6) or len(self.wrong) > MOST_WRONG:
            raise ValueError(
                f"--right and at most {MOST_WRONG} --wrong must add up to 1; got {self.right} and {self.wrong}"
            )


@dataclass(frozen=True)
class Sharpened:
    """What the policy does at a temperature: its probabilities, the right one first, and what follows from them."""

    probabilities: list[float]
    majority: float
    pass_at: float


@dataclass(frozen=True)
class Results:
    answers: int
    temperatures: dict[str, Sharpened]


def sharpen(probabilities: list[float], temperature: float) -> list[float]:
    """Return probabilities at a temperature; at 0 all is on the most probable one, the first of equals."""
    if temperature == 0:
        best = probabilities.index(max(probabilities))
        return [float(index == best) for index in range(len(probabilities))]
    powers = [probability ** (1 / temperature) for probability in probabilities]
    return [power / sum(powers) for power in powers]


def majority_right(probabilities: list[float], answers: int) -> float:
    """Return how probably the right answer wins the vote; of equals one is drawn."""
    total = 0.0
    for chosen in itertools.combinations_with_replacement(range(len(probabilities)), answers):
        counts = Counter(chosen)
        ways = math.factorial(answers) / math.prod(math.factorial(count) for count in counts.values())
        chance = ways * math.prod(probabilities[index] ** count for index, count in counts.items())
        most = max(counts.values())
        winners = [index for index, count in counts.items() if count == most]
        total += chance * (0 in winners) / len(winners)
    return total


def main(config: Config) -> Results:
    at_one = [config.right, *config.wrong]
    found = {}
    for temperature in (0.0, *config.temperatures):
        now = sharpen(at_one, temperature)
        found[f"{temperature:g}"] = Sharpened(
            now, majority_right(now, config.answers), 1 - (1 - now[0]) ** config.answers
        )
        print(f"temperature {temperature:g}: right {now[0]:.3f}, ", end="")
        print(f"majority of {config.answers} {found[f'{temperature:g}'].majority:.3f}, ", end="")
        print(f"pass@{config.answers} {found[f'{temperature:g}'].pass_at:.3f}")
    return Results(config.answers, found)


def plot(results: Results) -> Figure:
    """Draw the probabilities at each temperature, the right answer in green."""
    figure, axes = new_figure(9.0, 2.8, columns=len(results.temperatures))
    for axis, (temperature, row) in zip(axes, results.temperatures.items(), strict=True):
        names = ["right", *[f"w{index}" for index in range(1, len(row.probabilities))]]
        axis.bar(names, row.probabilities, color=["C2", *["C3"] * (len(names) - 1)])
        axis.text(0, row.probabilities[0] + 0.02, f"{row.probabilities[0]:.2f}", ha="center", fontsize=9)
        axis.set(title=f"temperature {temperature}", ylim=(0, 1.12))
        axis.tick_params(axis="x", labelsize=8)
        axis.grid(visible=False, axis="x")
    axes[0].set_ylabel("probability of the answer")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

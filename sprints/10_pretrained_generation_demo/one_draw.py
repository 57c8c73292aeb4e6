"""What do temperature, top-k and top-p do to five probabilities? Every number of it.

    uv run sprints/10_pretrained_generation_demo/one_draw.py
    uv run sprints/10_pretrained_generation_demo/one_draw.py --probabilities 0.9 0.025 0.025 0.025 0.025

Each row is a distribution to draw from, made of the first row by one setting or by two. The last two rows have the same
settings in another order. Theory: notes/02_temperature_and_cuts.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field

from shared.generation.sampling import apply_temperature, top_k_filter, top_p_filter
from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat, PositiveFraction, PositiveInt
from shared.lab.run import run

TOKENS = ("soup", "stew", "pie", "cake", "shoe")


@dataclass(frozen=True)
class Config(ScriptConfig):
    probabilities: Annotated[tuple[PositiveFraction, ...], Field(min_length=5, max_length=5)] = (
        0.5,
        0.25,
        0.125,
        0.0625,
        0.0625,
    )  # of the five tokens; divided by their sum
    cold: PositiveFloat = 0.5  # a temperature below 1
    warm: PositiveFloat = 2.0  # a temperature above 1
    top_k: PositiveInt = 3  # tokens that top-k keeps
    top_p: PositiveFraction = 0.7  # probability that top-p keeps


@dataclass(frozen=True)
class Results:
    rows: dict[str, list[float]]


def main(config: Config) -> Results:
    logits = torch.tensor([config.probabilities], dtype=torch.float64).log()  # (1, 5)
    warm = apply_temperature(logits, config.warm)
    rows = {
        "the model": logits,
        f"temperature {config.cold:g}": apply_temperature(logits, config.cold),
        f"temperature {config.warm:g}": warm,
        f"top-k {config.top_k}": top_k_filter(logits, config.top_k),
        f"top-p {config.top_p:g}": top_p_filter(logits, config.top_p),
        f"temperature {config.warm:g}, then top-p {config.top_p:g}": top_p_filter(warm, config.top_p),
        f"top-p {config.top_p:g}, then temperature {config.warm:g}": apply_temperature(
            top_p_filter(logits, config.top_p), config.warm
        ),
    }
    results = Results({name: row[0].softmax(dim=-1).tolist() for name, row in rows.items()})
    for name, row in results.rows.items():
        print(f"{name:<32}", *(f"{probability:.3f}" for probability in row))
    return results


def plot(results: Results) -> Figure:
    """Draw a row of cells for each setting; white is what cannot be drawn any more."""
    figure, axes = drawings.canvas(7.2, 4.3)
    rows = [[f"{probability:.3f}" if probability else None for probability in row] for row in results.rows.values()]
    strengths = [[0.08 + 0.85 * probability for probability in row] for row in results.rows.values()]
    drawings.cells(
        axes, rows, 3.4, 3.85, size=0.55, colour=drawings.QUERY, strengths=strengths, row_names=list(results.rows),
        column_names=TOKENS,
    )  # fmt: skip
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

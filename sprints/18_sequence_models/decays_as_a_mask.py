"""How does a recurrence become a matrix product, and what does a chunk leave to its state?

    uv run sprints/18_sequence_models/decays_as_a_mask.py
    uv run sprints/18_sequence_models/decays_as_a_mask.py --chunk 1

A head of Mamba-2 whose keys and queries are all 1, by hand. Theory: notes/09_mamba2.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab.config import ScriptConfig
from shared.lab.drawings import MIXED, QUERY, TOKEN, VALUE, canvas, cells, text
from shared.lab.ranges import PositiveFraction, PositiveInt
from shared.lab.run import run
from shared.nn.linear_attention import attend_in_chunks


@dataclass(frozen=True)
class Config(ScriptConfig):
    decays: tuple[PositiveFraction, ...] = (1.0, 0.5, 0.5, 1.0)  # what each token leaves of the state
    values: tuple[float, ...] = (4.0, 2.0, 0.0, 1.0)  # what each token adds
    chunk: PositiveInt = 2  # tokens of a chunk

    def check(self) -> None:
        if len(self.decays) != len(self.values):
            raise ValueError(f"--values must be as many as --decays; got {len(self.values)} and {len(self.decays)}")


@dataclass(frozen=True)
class Results:
    mask: list[list[float]]
    values: list[float]
    outputs: list[float]
    chunk: int
    largest_difference: float


def main(config: Config) -> Results:
    decays, values = (torch.tensor(row, dtype=torch.float64) for row in (config.decays, config.values))
    so_far = decays.log().cumsum(0)  # the logarithm of a product is the sum of the logarithms
    mask = (so_far[:, None] - so_far).exp().tril()
    outputs = mask @ values
    ones = torch.ones(1, 1, len(values), 1, dtype=torch.float64)
    in_chunks, _ = attend_in_chunks(
        ones, ones, values[None, None, :, None], decays.log()[None, None], chunk=config.chunk
    )
    print("mask of decays:", *(" ".join(f"{number:g}" for number in row) for row in mask.tolist()), sep="\n  ")
    print("outputs:", *outputs.tolist())
    difference = (in_chunks.flatten() - outputs).abs().max().item()
    return Results(mask.tolist(), values.tolist(), outputs.tolist(), config.chunk, difference)


def plot(results: Results) -> Figure:
    """Draw the mask, in blue what is computed within chunks, in grey what comes through the state."""
    tokens, size = len(results.values), 0.6
    figure, axes = canvas(size * tokens + 3.5, size * tokens + 1.3)
    top = size * tokens + 0.6
    for row in range(tokens):
        for column in range(tokens):
            within = row // results.chunk == column // results.chunk
            content = results.mask[row][column] if column <= row else None
            cells(
                axes, [[content]], 0.7 + size * column, top - size * row, colour=QUERY if within else TOKEN, size=size
            )
        text(axes, f"token {row}", 0.6, top - size * (row + 0.5), align="right", size=8)
    right = 0.7 + size * tokens
    text(axes, "×", right + 0.3, top - size * tokens / 2, size=14)
    cells(axes, [[value] for value in results.values], right + 0.6, top, colour=VALUE, size=size)
    text(axes, "=", right + 1.6, top - size * tokens / 2, size=14)
    cells(axes, [[output] for output in results.outputs], right + 1.9, top, colour=MIXED, size=size)
    text(axes, "mask of decays", 0.7 + size * tokens / 2, top + 0.3)
    text(axes, "values", right + 0.6 + size / 2, top + 0.3)
    text(axes, "outputs", right + 1.9 + size / 2, top + 0.3)
    text(axes, "blue: within a chunk · grey: through the state", 0.7, 0.25, align="left", size=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

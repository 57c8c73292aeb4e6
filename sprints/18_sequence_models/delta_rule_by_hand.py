"""What happens if a key comes again? A state that adds, beside a state that corrects.

    uv run sprints/18_sequence_models/delta_rule_by_hand.py
    uv run sprints/18_sequence_models/delta_rule_by_hand.py --third 0.6 0.8
    uv run sprints/18_sequence_models/delta_rule_by_hand.py --beta 0.5

*cat* (1, 0) is told 5, *dog* (0, 1) is told 7, and a third key, *cat* again, is told 2. Theory: notes/10_delta_rule.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFraction
from shared.lab.run import run
from shared.nn.delta_rule import delta_by_scan, delta_by_tokens, delta_in_chunks

VALUES = (5.0, 7.0, 2.0)


@dataclass(frozen=True)
class Config(ScriptConfig):
    third: tuple[float, float] = (1.0, 0.0)  # the key of the third token, of length 1
    beta: PositiveFraction = 1.0  # which part of the difference is written

    def check(self) -> None:
        if abs(math.hypot(*self.third) - 1) > 1e-6:
            raise ValueError(f"a key must have length 1; --third {self.third} has {math.hypot(*self.third):g}")


@dataclass(frozen=True)
class Results:
    keys: list[list[float]]
    held: list[float]
    differences: list[float]
    corrected: list[list[float]]
    added: list[list[float]]
    written_in_chunks: list[float]
    largest_difference: float


def main(config: Config) -> Results:
    keys = [(1.0, 0.0), (0.0, 1.0), config.third]
    state, sums = [0.0, 0.0], [0.0, 0.0]
    held, differences, corrected, added = [], [], [], []
    for key, value in zip(keys, VALUES, strict=True):
        held.append(sum(part * number for part, number in zip(key, state, strict=True)))  # what stands there
        differences.append(config.beta * (value - held[-1]))
        state = [number + part * differences[-1] for part, number in zip(key, state, strict=True)]
        sums = [number + part * value for part, number in zip(key, sums, strict=True)]
        corrected.append(state)
        added.append(sums)
        print(f"key {key}, value {value:g}: holds {held[-1]:g}, writes {differences[-1]:g}: {state}; adding: {sums}")

    address = torch.tensor(keys, dtype=torch.float64)
    overlap = config.beta * (address @ address.T).tril(-1)  # how much each token hears of those before it
    system, told = torch.eye(3, dtype=torch.float64) + overlap, config.beta * torch.tensor(VALUES, dtype=torch.float64)
    written = torch.linalg.solve_triangular(system, told[:, None], upper=False).flatten()
    print("all at once, as a triangular system:", *(f"{number:g}" for number in written))

    query, key, value = address[None, None], address[None, None], torch.tensor(VALUES, dtype=torch.float64)
    never, beta = torch.zeros(1, 1, 3, dtype=torch.float64), torch.full((1, 1, 3), config.beta, dtype=torch.float64)
    ends = [way(query, key, value[None, None, :, None], never, beta)[1].flatten()
            for way in (delta_by_tokens, delta_by_scan, delta_in_chunks)]  # fmt: skip
    expected = torch.tensor(corrected[-1], dtype=torch.float64)
    difference = max((end - expected).abs().max().item() for end in ends)
    difference = max(difference, (written - torch.tensor(differences, dtype=torch.float64)).abs().max().item())
    rows = [list(key) for key in keys]
    return Results(rows, held, differences, corrected, added, written.tolist(), difference)


def plot(results: Results) -> Figure:
    """Draw both states after each token, the one that corrects above the one that adds."""
    figure, axes = drawings.canvas(9.6, 4.5)
    for y, words in ((4.0, "told"), (2.35, "delta rule"), (0.75, "adding")):
        drawings.text(axes, words, 0.55, y, bold=True)
    for top in (2.85, 1.25):
        drawings.cells(axes, [[0.0], [0.0]], 1.2, top, colour=drawings.TOKEN)
    for index, (key, value) in enumerate(zip(results.keys, VALUES, strict=True)):
        left = 3.6 + 2.4 * index
        drawings.cells(axes, [key], left - 0.6, 4.2, colour=drawings.KEY, title="key")
        drawings.cells(axes, [[value]], left + 0.7, 4.2, colour=drawings.VALUE, title="value")
        rows = ((results.corrected, 2.85, results.differences[index]), (results.added, 1.25, value))
        for states, top, written in rows:
            drawings.cells(axes, [[number] for number in states[index]], left, top, colour=drawings.MIXED)
            words = f"+ key · {written:.3g}".replace("-", "−")
            drawings.arrow(axes, (left - 1.85, top - 0.5), (left - 0.05, top - 0.5), words)
        words = f"held {results.held[index]:.3g}, so it writes {results.differences[index]:.3g}"
        drawings.text(axes, words.replace("-", "−"), left - 0.1, 3.15)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

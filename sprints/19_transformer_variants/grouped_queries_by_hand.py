"""Which query head reads which keys, what bounds a score, and why is the norm taken before the turn?

    uv run sprints/19_transformer_variants/grouped_queries_by_hand.py

Four query heads of one number share two heads of keys and values; then one pair of features, normalised and turned.
Theory: notes/10_queries_and_keys.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.figure import Figure
from torch import Tensor

from shared.lab import drawings
from shared.lab.compare import ROUNDING, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat
from shared.lab.run import run
from shared.nn.norms import RMSNorm
from shared.nn.rotary import rotate_halves

QUERIES = (1.0, 0.0, 1.0, -1.0)  # of the last token, one number for each of four heads
KEYS = ((0.0, 1.0, 2.0), (2.0, 0.0, 1.0))  # of three tokens, for each of two heads
VALUES = ((10.0, 20.0, 30.0), (1.0, 2.0, 3.0))


@dataclass(frozen=True)
class Config(ScriptConfig):
    size: PositiveFloat = 10.0  # how many times longer a query and a key get
    first_gain: PositiveFloat = 2.0  # gain of the first feature of a pair; that of the second is 1

    def check(self) -> None:
        if max(self.size, self.first_gain) > 1e6:
            raise ValueError(f"--size and --first-gain must be at most 1e6; got {self.size} and {self.first_gain}")


@dataclass(frozen=True)
class Results:
    weights: list[list[float]]
    mixed: list[float]
    mixed_in_turn: list[float]
    score: float
    long_score: float
    normalised_score: float
    norm_then_turn: list[float]
    turn_then_norm: list[float]


def read(query: float, group: int) -> tuple[list[float], float]:
    """Return the weights of a query head with the keys of a group, and what it receives."""
    powers = [math.exp(query * key) for key in KEYS[group]]
    weights = [power / sum(powers) for power in powers]
    return weights, sum(weight * value for weight, value in zip(weights, VALUES[group], strict=True))


def at_distance_one(first_gain: float, *, norm_first: bool) -> list[float]:
    """Return the score of the same query and key, one place apart, at four places of a text."""
    query, key = torch.tensor([3.0, 4.0]), torch.tensor([4.0, 3.0])
    norm = RMSNorm(2, 0.0)
    norm.gain.data = torch.tensor([first_gain, 1.0])

    def placed(vector: Tensor, place: int) -> Tensor:
        position = torch.tensor([place])
        turned = rotate_halves((norm(vector) if norm_first else vector)[None], position)[0]
        return turned if norm_first else norm(turned)

    with torch.no_grad():
        return [(placed(query, place + 1) @ placed(key, place) / math.sqrt(2)).item() for place in range(4)]


def main(config: Config) -> Results:
    shared_by = len(QUERIES) // len(KEYS)
    found = [read(query, head // shared_by) for head, query in enumerate(QUERIES)]
    in_turn = [read(query, head % len(KEYS))[1] for head, query in enumerate(QUERIES)]
    for head, (weights, mixed) in enumerate(found):
        shown = ", ".join(f"{weight:.3f}" for weight in weights)
        print(f"query head {head + 1}: weights {shown}, receives {mixed:.2f} (groups in turn: {in_turn[head]:.2f})")
    query, key, norm = torch.tensor([3.0, 4.0]), torch.tensor([4.0, 3.0]), RMSNorm(2, 0.0)
    score = (query @ key / math.sqrt(2)).item()
    with torch.no_grad():
        normalised = (norm(config.size * query) @ norm(config.size * key) / math.sqrt(2)).item()
    results = Results(
        [weights for weights, _ in found], [mixed for _, mixed in found], in_turn,
        score, score * config.size**2, normalised,
        at_distance_one(config.first_gain, norm_first=True), at_distance_one(config.first_gain, norm_first=False),
    )  # fmt: skip
    print(f"score {score:.1f}, {config.size:g} times longer {results.long_score:.0f}, normalised {normalised:.3f}")
    for name, scores in (("norm, then turn", results.norm_then_turn), ("turn, then norm", results.turn_then_norm)):
        print(f"{name}: one place apart, at four places:", ", ".join(f"{score:.3f}" for score in scores))
    return results


def plot(results: Results) -> Figure:
    """Draw the query heads, the key-value heads that they share, and what each receives."""
    figure, axes = drawings.canvas(8.8, 3.3)
    rows = [2.65 - 0.62 * head for head in range(len(QUERIES))]
    drawings.text(axes, "query heads", 0.9, 3.1, bold=True)
    drawings.text(axes, "keys and values: two heads", 4.2, 3.1, bold=True)
    drawings.text(axes, "received", 7.9, 3.1, bold=True)
    for group, y in enumerate((2.55, 1.31)):
        cells = drawings.cells
        cells(axes, [KEYS[group]], 2.9, y, colour=drawings.KEY, size=0.45)
        cells(axes, [VALUES[group]], 4.5, y, colour=drawings.VALUE, size=0.45)
    for head, (query, y) in enumerate(zip(QUERIES, rows, strict=True)):
        drawings.cells(axes, [[query]], 0.7, y + 0.2, colour=drawings.QUERY, size=0.45, row_names=[f"{head + 1}"])
        middle = 2.32 if head < 2 else 1.08
        drawings.arrow(axes, (1.25, y - 0.02), (2.8, middle))
        drawings.arrow(axes, (5.95, middle), (7.5, y - 0.02))
        drawings.cells(axes, [[round(results.mixed[head], 2)]], 7.6, y + 0.2, colour=drawings.MIXED, size=0.5)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": ROUNDING, "norm_then_turn*": Tolerance(absolute=1e-5)})

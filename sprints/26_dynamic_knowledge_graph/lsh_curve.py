"""How often do two sets become candidates? Bands of MinHash signatures, counted, beside 1 - (1 - J^r)^b.

    uv run sprints/26_dynamic_knowledge_graph/lsh_curve.py
    uv run sprints/26_dynamic_knowledge_graph/lsh_curve.py --rows 3 --tries 1000

Theory: notes/04_not_comparing_all_pairs.md
"""

from dataclasses import dataclass

import torch
from matplotlib.figure import Figure

from knowledge.blocking import jaccard, lsh_curve, signatures
from shared.checks.intervals import share_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    rows: tuple[PositiveInt, ...] = (1, 2, 4, 10)  # values in a band
    hashes: PositiveInt = 20  # values in a signature
    union: PositiveInt = 20  # members of both sets together
    tries: PositiveInt = 500  # signatures of each pair of sets

    def check(self) -> None:
        if any(self.hashes % rows for rows in self.rows):
            raise ValueError(f"--rows must divide --hashes; got {self.rows} and {self.hashes}")


@dataclass(frozen=True)
class Results:
    similarity: list[float]
    expected: dict[str, list[float]]  # by rows x bands
    counted: dict[str, list[float]]
    low: dict[str, list[float]]
    high: dict[str, list[float]]
    outside: int  # counted shares whose 95 % interval does not hold the formula


def two_sets(common: int, union: int) -> tuple[frozenset[str], frozenset[str]]:
    """Return two sets with so many common members of so many in all; the rest is shared out."""
    rest = [str(member) for member in range(common, union)]
    both = frozenset(map(str, range(common)))
    return both | set(rest[::2]), both | set(rest[1::2])


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(config.seed)
    curves: dict[str, dict[str, list[float]]] = {name: {} for name in ("expected", "counted", "low", "high")}
    pairs = [two_sets(common, config.union) for common in range(1, config.union)]
    similarity = torch.tensor([jaccard(*pair) for pair in pairs], dtype=torch.float64)
    signed = torch.stack([signatures(pair, config.hashes * config.tries, generator) for pair in pairs])
    equal = (signed[:, 0] == signed[:, 1]).unflatten(1, (config.tries, config.hashes))
    for rows in config.rows:
        name = f"{rows} x {config.hashes // rows}"
        found = equal.unflatten(2, (-1, rows)).all(dim=3).any(dim=2).sum(dim=1).tolist()  # (pairs,)
        ends = [share_interval(count, config.tries) for count in found]
        curves["expected"][name] = lsh_curve(similarity, rows, config.hashes // rows).tolist()
        curves["counted"][name] = [count / config.tries for count in found]
        curves["low"][name], curves["high"][name] = ([end[side] for end in ends] for side in (0, 1))
    outside = sum(
        not low <= share <= high
        for name in curves["expected"]
        for share, low, high in zip(*(curves[kind][name] for kind in ("expected", "low", "high")), strict=True)
    )
    print(
        f"{outside} of {len(pairs) * len(config.rows)} counted shares are off the formula by more than their interval"
    )
    return Results(similarity.tolist(), **curves, outside=outside)


def plot(results: Results) -> Figure:
    """Draw each formula as a line and what was counted as points with intervals."""
    figure, axes = new_figure(7, 3.8)
    for place, (name, expected) in enumerate(results.expected.items()):
        colour = COLOURS[place]
        axes.plot(results.similarity, expected, color=colour)
        spread = [
            [abs(end - share) for end, share in zip(ends[name], results.counted[name], strict=True)]
            for ends in (results.low, results.high)
        ]
        axes.errorbar(results.similarity, results.counted[name], yerr=spread, fmt="o", markersize=3, color=colour)
        middle = min(range(len(expected)), key=lambda index, values=expected: abs(values[index] - 0.55))
        axes.annotate(
            name, (results.similarity[middle], expected[middle]), xytext=(9, -9), textcoords="offset points",
            color=colour, fontweight="bold",
        )  # fmt: skip
    axes.set(xlabel="Jaccard similarity of the two sets", ylabel="share that becomes a pair", ylim=(-0.03, 1.03))
    axes.set_title("rows x bands", fontsize=10, loc="left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TRAINED})

"""What is each agreement worth? Three pairs of records weighed in bits, and one step of EM on a hundred pairs.

    uv run sprints/26_dynamic_knowledge_graph/evidence_by_hand.py
    uv run sprints/26_dynamic_knowledge_graph/evidence_by_hand.py --share 0.01

Theory: notes/03_the_weight_of_evidence.md
"""

import math
from dataclasses import dataclass

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from knowledge.comparisons import MISSING
from knowledge.evidence import Evidence, em_step
from shared.lab.compare import ROUNDING
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import OpenFraction
from shared.lab.run import run

PROPERTIES = ("first name", "surname", "town", "trade")
LEVELS = (("differs", "initial fits", "equal"), ("differs", "equal"), ("differs", "equal"), ("differs", "equal"))
M = ((0.2, 0.16, 0.64), (0.1, 0.9), (0.2, 0.8), (0.1, 0.9))
U = ((0.94, 0.04, 0.02), (0.99, 0.01), (0.9, 0.1), (0.9, 0.1))
PAIRS = {
    "Jon Smith, Oldham, cook · J. Smith, Oldham, cook": (1, 1, 1, 1),
    "Jon Smith, Oldham, cook · J. Smith, Ashford, teacher": (1, 1, 0, 0),
    "Ava Wood, Oldham · Eva Wood, Oldham, cook": (0, 1, 1, MISSING),
}
PATTERNS = ((1, 1), (1, 0), (0, 1), (0, 0))  # of two properties, in a hundred pairs
COUNTS = (10, 9, 9, 72)


@dataclass(frozen=True)
class Config(ScriptConfig):
    share: OpenFraction = 0.001  # of matches among all pairs


@dataclass(frozen=True)
class Step:
    """Evidence before and after a step of EM on a hundred pairs, and how likely each pattern is a match before."""

    match: list[float]
    share: float
    m: list[list[float]]
    u: list[list[float]]


@dataclass(frozen=True)
class Results:
    prior: float
    weights: dict[str, dict[str, float]]  # bits of each level, by property
    pairs: dict[str, list[float]]  # bits of each property, by pair
    total: dict[str, float]
    probability: dict[str, float]
    rare: dict[str, float]  # bits of an equal surname, by its frequency
    step: Step


def tensors(rows: tuple[tuple[float, ...], ...]) -> tuple[torch.Tensor, ...]:
    return tuple(torch.tensor(row, dtype=torch.float64) for row in rows)


def one_step() -> Step:
    """Return a step of EM that begins where matches agree in nine of ten cases, and others in one."""
    begin = Evidence(0.1, tensors(((0.1, 0.9), (0.1, 0.9))), tensors(((0.9, 0.1), (0.9, 0.1))))
    patterns, counts = torch.tensor(PATTERNS), torch.tensor(COUNTS, dtype=torch.float64)
    after = em_step(begin, patterns, counts, fixed_u=False)
    m, u = ([row.tolist() for row in rows] for rows in (after.m, after.u))
    return Step(begin.probability(patterns).tolist(), after.share, m, u)


def main(config: Config) -> Results:
    evidence = Evidence(config.share, tensors(M), tensors(U))
    levels = torch.tensor(list(PAIRS.values()))
    bits = dict(zip(PAIRS, evidence.weights(levels).tolist(), strict=True))
    total = {pair: sum(row) + evidence.prior() for pair, row in bits.items()}
    probability = dict(zip(PAIRS, evidence.probability(levels).tolist(), strict=True))
    for pair, row in bits.items():
        shown = ", ".join(f"{name} {value:+.2f}" for name, value in zip(PROPERTIES, row, strict=True))
        print(f"{pair}: {shown}, prior {evidence.prior():+.2f}: {total[pair]:+.2f} bits, {probability[pair]:.1%}")
    weights = {
        name: {level: math.log2(m / u) for level, m, u in zip(names, ms, us, strict=True)}
        for name, names, ms, us in zip(PROPERTIES, LEVELS, M, U, strict=True)
    }
    rare = {f"{share:g}": math.log2(M[1][1] / share) for share in (0.05, 0.01, 0.0001)}
    step = one_step()
    print(f"one step of EM: matches {step.share:.4f}; name agrees: m {step.m[0][1]:.4f}, u {step.u[0][1]:.4f}")
    return Results(evidence.prior(), weights, bits, total, probability, rare, step)


def draw_pair(axes: Axes, pair: str, results: Results) -> None:
    """Draw the bits of a pair one after another, from the prior to the sum."""
    steps = [("prior", results.prior), *zip(PROPERTIES, results.pairs[pair], strict=True)]
    at = 0.0
    for place, (name, bits) in enumerate(steps):
        axes.barh(-place, bits, left=at, color="#999999" if name == "prior" else COLOURS[2] if bits > 0 else COLOURS[3])
        axes.text(max(at, at + bits) + 0.2, -place, f"{bits:+.2f}" if bits else "not known", va="center", fontsize=8)
        at += bits
    axes.axvline(at, color="black", linewidth=1, linestyle=":")
    axes.axvline(0, color="#444444", linewidth=1)
    axes.set_yticks([-place for place in range(len(steps))], [name for name, _ in steps])
    axes.set_title(f"{pair}: {at:+.2f} bits, {results.probability[pair]:.1%}", fontsize=9, loc="left")
    axes.set(xlim=(-13, 8))


def plot(results: Results) -> Figure:
    """Draw the three pairs below each other; the dotted line is the sum, and right of 0 one person is more likely."""
    figure, axes = new_figure(7, 6, rows=len(results.pairs))
    for panel, pair in zip(axes, results.pairs, strict=True):
        draw_pair(panel, pair, results)
    axes[-1].set_xlabel("log2 of the odds of one person, bits")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": ROUNDING})

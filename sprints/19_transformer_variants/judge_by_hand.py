"""How sure can a judge be that a word was replaced? One place, every probability on paper.

    uv run sprints/19_transformer_variants/judge_by_hand.py
    uv run sprints/19_transformer_variants/judge_by_hand.py --eligible 0.5

The text is "hot soup with ...", where bread stands with probability 5/7 and rice with 2/7. With probability 0.15 a
generator writes a word in its place. Theory: notes/07_the_judge.md
"""

import math
from dataclasses import dataclass

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.ranges import OpenFraction
from shared.lab.run import run
from variants.judge import chance_of_replacement

TRUE = {"bread": 5 / 7, "rice": 2 / 7}
GENERATORS = {"exact": TRUE, "coin": {"bread": 0.5, "rice": 0.5}, "always rice": {"bread": 0.0, "rice": 1.0}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    eligible: OpenFraction = 0.15  # probability that the place is given to the generator


@dataclass(frozen=True)
class Judged:
    """One generator: probabilities of what the judge sees, of a replacement given it, and the judge's least loss."""

    original: list[float]
    replaced: list[float]
    says: list[float]
    share: float
    loss: float
    loss_without_looking: float


@dataclass(frozen=True)
class Results:
    words: list[str]
    true: list[float]
    generators: dict[str, Judged]
    hardest: list[float]
    same_answer: float


def entropy(share: float) -> float:
    """Return the entropy of a yes with this probability, in nats."""
    return -sum(p * math.log(p) for p in (share, 1 - share) if p > 0)


def judged(written: dict[str, float], r: float) -> Judged:
    """Return what the judge sees of a generator, by hand: each word either original or replaced."""
    original = [(1 - r) * p + r * written[word] * p for word, p in TRUE.items()]
    replaced = [r * written[word] * (1 - p) for word, p in TRUE.items()]
    says = [chance_of_replacement(p, written[word], r) for word, p in TRUE.items()]
    seen = [one + other for one, other in zip(original, replaced, strict=True)]
    loss = sum(chance * entropy(said) for chance, said in zip(seen, says, strict=True))
    return Judged(original, replaced, says, sum(replaced), loss, entropy(sum(replaced)))


def hardest(r: float) -> tuple[list[float], float]:
    """Return the generator before which the judge has the same answer c to every word, and c.

    r q (1 - p) = c ((1 - r) p + r q) gives q; the sum of all q rises with c, from 0, and must be 1.
    """

    def writes(c: float) -> list[float]:
        return [c * (1 - r) * p / (r * (1 - p - c)) for p in TRUE.values()]

    low, high = 0.0, 1 - max(TRUE.values())
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if sum(writes(middle)) < 1 else (low, middle)
    return writes(low), low


def main(config: Config) -> Results:
    generators = {name: judged(written, config.eligible) for name, written in GENERATORS.items()}
    for name, found in generators.items():
        print(f"{name}: replaced {found.share:.3f} of the time")
        for word, said, one, other in zip(TRUE, found.says, found.original, found.replaced, strict=True):
            print(f"  sees {word:6} original {one:.4f}, replaced {other:.4f}: P(replaced) = {said:.3f}")
        print(f"  least loss {found.loss:.3f} nats; without looking {found.loss_without_looking:.3f}")
    blind, same = hardest(config.eligible)
    shown = ", ".join(f"{word} {chance:.3f}" for word, chance in zip(TRUE, blind, strict=True))
    print(f"nothing is to be seen of a generator that writes {shown}: P(replaced) = {same:.3f} for every word")
    return Results(list(TRUE), list(TRUE.values()), generators, blind, same)


def plot(results: Results) -> Figure:
    """Draw for each generator what it writes, what the judge sees, and what it can say."""
    figure, axes = drawings.canvas(8.4, 4.6)
    size = 0.72
    for row, (name, found) in enumerate(results.generators.items()):
        top = 4.2 - 1.42 * row
        drawings.text(axes, f"generator: {name}", 1.9, top - 0.36 * size, align="right", bold=True)
        drawings.text(axes, f"replaced {found.share:.1%}", 1.9, top - 1.0 * size, align="right")
        names = results.words
        words = [[word, round(GENERATORS[name][word], 3)] for word in names]
        drawings.cells(axes, words, 2.1, top, size=0.6, colour=drawings.QUERY, title="writes" if row == 0 else "")
        drawings.arrow(axes, (3.4, top - 0.6), (3.9, top - 0.6))
        pairs = [[f"{a:.3f}", f"{b:.3f}"] for a, b in zip(found.original, found.replaced, strict=True)]
        drawings.cells(
            axes, pairs, 4.0, top, size=0.6, colour=drawings.KEY,
            title="original, replaced" if row == 0 else "",
        )  # fmt: skip
        drawings.arrow(axes, (5.3, top - 0.6), (5.9, top - 0.6))
        drawings.cells(
            axes, [[round(said, 3)] for said in found.says], 6.2, top, size=0.6, colour=drawings.MIXED,
            strengths=[[0.15 + 0.6 * said] for said in found.says], title="P(replaced)" if row == 0 else "",
        )  # fmt: skip
        drawings.text(axes, f"loss {found.loss:.3f}", 7.6, top - 0.6)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

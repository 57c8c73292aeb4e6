"""Why does the first of a random order estimate how similar two sets are? All orders of four shingles.

    uv run sprints/11_finetune_gpt2_classification/minhash_by_hand.py
    uv run sprints/11_finetune_gpt2_classification/minhash_by_hand.py --first abc --second ad

Theory: notes/05_leaks.md
"""

from dataclasses import dataclass
from itertools import permutations

from matplotlib.figure import Figure

from shared.lab import drawings
from shared.lab.config import ScriptConfig
from shared.lab.run import run

MOST = 7


@dataclass(frozen=True)
class Config(ScriptConfig):
    first: str = "abc"  # shingles of one text, a letter each
    second: str = "bcd"  # shingles of the other

    def check(self) -> None:
        if not self.first or not self.second or len(set(self.first + self.second)) > MOST:
            raise ValueError(
                f"both need letters, at most {MOST} different ones together; got {self.first!r}, {self.second!r}"
            )


@dataclass(frozen=True)
class Results:
    first: str
    second: str
    jaccard: float
    orders: int
    agreeing: int
    examples: list[str]


def main(config: Config) -> Results:
    one, other = set(config.first), set(config.second)
    orders = ["".join(order) for order in permutations(sorted(one | other))]
    agreeing = [order for order in orders if min(one, key=order.index) == min(other, key=order.index)]
    results = Results(
        config.first, config.second, len(one & other) / len(one | other), len(orders), len(agreeing),
        examples=orders[:: max(1, len(orders) // 6)][:6],
    )  # fmt: skip
    print(f"Jaccard {results.jaccard:.3f}; {results.agreeing} of {results.orders} orders agree")
    return results


def plot(results: Results) -> Figure:
    """Draw some orders with the first shingle of each set."""
    figure, axes = drawings.canvas(8.6, 0.45 * len(results.examples) + 0.9)
    y = figure.get_figheight() - 0.5
    for x, words in ((1.3, "a random order"), (3.9, "first of one text"), (5.6, "first of the other")):
        drawings.text(axes, words, x, y + 0.2, bold=True)
    for order in results.examples:
        firsts = [min(letters, key=order.index) for letters in (results.first, results.second)]
        same = firsts[0] == firsts[1]
        drawings.cells(axes, [list(order)], 1.3 - 0.2 * len(order), y, size=0.4)
        for x, letter, colour in ((3.7, firsts[0], drawings.QUERY), (5.4, firsts[1], drawings.KEY)):
            drawings.cells(axes, [[letter]], x, y, size=0.4, colour=drawings.VALUE if same else colour)
        drawings.text(axes, "they agree" if same else "they differ", 6.6, y - 0.2, align="left")
        y -= 0.45
    drawings.text(axes, f"of all {results.orders} orders {results.agreeing} agree", 4.3, 0.15)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

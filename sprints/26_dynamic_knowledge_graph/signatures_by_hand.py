"""How does a signature show that two names are alike? Three names, their letter pairs, and four hash functions.

    uv run sprints/26_dynamic_knowledge_graph/signatures_by_hand.py
    uv run sprints/26_dynamic_knowledge_graph/signatures_by_hand.py --names jon john joan

Theory: notes/04_not_comparing_all_pairs.md
"""

from dataclasses import dataclass
from itertools import combinations

from matplotlib.figure import Figure

from knowledge.blocking import jaccard
from shared.lab import drawings
from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS
from shared.lab.run import run

MODULUS = 11
FUNCTIONS = ((3, 1), (4, 2), (5, 2), (1, 8))  # a and b of (a x + b) mod 11
BANDS = 2


@dataclass(frozen=True)
class Config(ScriptConfig):
    names: tuple[str, ...] = ("anna", "ana", "eva")  # two or more

    def check(self) -> None:
        pairs = {pair for name in self.names for pair in pairs_in_order(name)}
        if len(self.names) < 2 or len(pairs) >= MODULUS:
            raise ValueError(
                f"two or more --names with fewer than {MODULUS} different letter pairs; got {', '.join(self.names)}"
            )


@dataclass(frozen=True)
class Results:
    numbers: dict[str, int]  # of the letter pairs
    values: dict[str, list[int]]  # of each letter pair under each function
    signatures: dict[str, list[int]]
    similarity: dict[str, float]  # Jaccard, by pair of names
    equal: dict[str, float]  # share of equal values of the signatures
    candidates: list[str]  # pairs of names that agree in a band


def pairs_in_order(name: str) -> list[str]:
    """Return the letter pairs of a name in the order in which they stand, each once."""
    padded = f"^{name}$"
    return list(dict.fromkeys(padded[place : place + 2] for place in range(len(padded) - 1)))


def main(config: Config) -> Results:
    sets = {name: pairs_in_order(name) for name in config.names}
    known = dict.fromkeys(pair for pairs in sets.values() for pair in pairs)
    numbers = {pair: place for place, pair in enumerate(known, 1)}
    values = {pair: [(a * x + b) % MODULUS for a, b in FUNCTIONS] for pair, x in numbers.items()}
    signatures = {
        name: [min(column) for column in zip(*(values[pair] for pair in pairs), strict=True)]
        for name, pairs in sets.items()
    }
    similarity, equal, candidates = {}, {}, []
    rows = len(FUNCTIONS) // BANDS
    for first, second in combinations(config.names, 2):
        pair, (one, two) = f"{first}/{second}", (signatures[first], signatures[second])
        similarity[pair] = jaccard(set(sets[first]), set(sets[second]))
        equal[pair] = sum(a == b for a, b in zip(one, two, strict=True)) / len(one)
        if any(one[start : start + rows] == two[start : start + rows] for start in range(0, len(one), rows)):
            candidates.append(pair)
        print(f"{pair}: Jaccard {similarity[pair]:.3f}, equal values {equal[pair]:.2f}")
    print(f"signatures {signatures}; candidates {candidates}")
    return Results(numbers, values, signatures, similarity, equal, candidates)


def plot(results: Results) -> Figure:
    """Draw the values of the letter pairs, and the smallest of each name beside them."""
    figure, axes = drawings.canvas(7, 5.1)
    functions = [f"{a}x + {b}" if a > 1 else f"x + {b}" for a, b in FUNCTIONS]
    names = [f"{pair}   x = {number}" for pair, number in results.numbers.items()]
    rows = list(results.values.values())
    drawings.cells(axes, rows, 1.25, 4.35, size=0.5, row_names=names, column_names=functions, title="mod 11")
    for place, (name, row) in enumerate(results.signatures.items()):
        top = 4.1 - place * 1.35
        drawings.cells(axes, [row], 4.6, top, size=0.5, colour=COLOURS[place], row_names=[name], title="")
        drawings.text(axes, "band 1", 5.1, top + 0.14)
        drawings.text(axes, "band 2", 6.1, top + 0.14)
    drawings.text(axes, "the smallest of each name", 5.6, 4.6, bold=True)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": EXACT})

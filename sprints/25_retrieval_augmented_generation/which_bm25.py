"""Which BM25, which words, which k1 and b? Chosen on one half of Debian's families of packages, measured on another.

    SPRINTS_DATA=DIR uv run sprints/25_retrieval_augmented_generation/which_bm25.py
    SPRINTS_DATA=DIR uv run sprints/25_retrieval_augmented_generation/which_bm25.py --documents 2000 --queries 300

DIR/debian/packages.tsv.gz holds the descriptions. Theory: notes/01_counting_words.md
"""

import statistics
from dataclasses import dataclass
from typing import get_args

import numpy as np
from matplotlib.figure import Figure

from retrieval.bm25 import BM25, Variant
from retrieval.debian import KnownItems, known_items
from retrieval.described import DEPTH, Values, estimates_of, values_of
from retrieval.fts5 import Fts5
from retrieval.intervals import Difference, Estimate, compare, mean_over_queries
from retrieval.kinds import Retriever
from retrieval.words import Words
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, Fraction, NonNegativeFloat, PositiveInt
from shared.lab.run import run

CUTS = {
    "plain": Words(),
    "with single letters": Words(shortest=1),
    "with stop words": Words(stop=False),
    "both": Words(shortest=1, stop=False),
    "stemmed": Words(stem=True),
    "stemmed, with single letters": Words(shortest=1, stem=True),
}
PRESETS = {"few": {"documents": 40, "queries": 40, "k1": (1.2,), "b": (0.75,)}}  # exercise C


@dataclass(frozen=True)
class Config(ScriptConfig):
    documents: PositiveInt = 10_000  # descriptions of each split
    queries: AtLeastTwo = 1_000  # summaries that ask for some of them
    k1: tuple[NonNegativeFloat, ...] = (0.1, 0.2, 0.4, 0.8, 1.2, 1.6)  # tried on the validation split
    b: tuple[Fraction, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)  # tried with each k1


@dataclass(frozen=True)
class Choice:
    words: str
    k1: float
    b: float


@dataclass(frozen=True)
class Results:
    words: dict[str, float]  # nDCG@10 on validation by the way of cutting, with Lucene's formula, 1.2 and 0.75
    variants: dict[str, float]  # the same by variant, plain words
    k1: list[float]
    b: list[float]
    grid: list[list[float]]  # the same by k1 and b, with the best words
    chosen: Choice
    test: dict[str, dict[str, Estimate]]  # by retriever and measure
    gain: Difference  # recall@1 of what was chosen minus that of the defaults
    alone: Estimate  # recall@1 of what was chosen, of queries whose summary no other document has
    shared_summaries: float  # share of the test queries whose summary another document has too


def measured(retriever: Retriever, items: KnownItems) -> Values:
    """Return each measure for each query."""
    return values_of([retriever.search(query, DEPTH) for query in items.queries], items)


def score(retriever: Retriever, items: KnownItems) -> float:
    """Return the mean nDCG@10, by which everything is chosen."""
    return statistics.fmean(measured(retriever, items)["ndcg@10"])


def choose(config: Config, items: KnownItems) -> tuple[dict[str, float], dict[str, float], list[list[float]], Choice]:
    """Return what the validation split says of words, variants, and k1 and b."""
    words = {name: score(BM25(items.documents, cut), items) for name, cut in CUTS.items()}
    best_words = max(words, key=lambda name: words[name])
    variants = {name: score(BM25(items.documents, variant=name), items) for name in get_args(Variant)}
    bm25, grid = BM25(items.documents, CUTS[best_words]), []
    for k1 in config.k1:
        row = []
        for b in config.b:
            bm25.weights = bm25.weigh("lucene", k1, b)
            row.append(score(bm25, items))
        grid.append(row)
    k1_place, b_place = np.unravel_index(np.argmax(grid), np.shape(grid))
    return words, variants, grid, Choice(best_words, config.k1[k1_place], config.b[b_place])


def main(config: Config) -> Results:
    validation = known_items("validation", config.documents, config.queries)
    test = known_items("test", config.documents, config.queries)
    words, variants, grid, chosen = choose(config, validation)
    for name, value in (words | variants).items():
        print(f"validation, {name:<32}{value:.3f}")
    print(f"chosen: {chosen}")
    retrievers: dict[str, Retriever] = {
        "lucene, 1.2 and 0.75": BM25(test.documents),
        "SQLite's FTS5": Fts5(test.documents),
        "chosen": BM25(test.documents, CUTS[chosen.words], k1=chosen.k1, b=chosen.b),
    }
    values = {name: measured(retriever, test) for name, retriever in retrievers.items()}
    generator = np.random.default_rng(config.seed)
    estimates = {name: estimates_of(found, generator) for name, found in values.items()}
    for name, found in estimates.items():
        shown = (f"{kind} {e.mean:.3f} ({e.low:.3f} to {e.high:.3f})" for kind, e in found.items())
        print(name.ljust(24) + "   ".join(shown))
    first = values["chosen"]["recall@1"]
    gain = compare(first, values["lucene, 1.2 and 0.75"]["recall@1"], generator)
    alone = [value for value, unique in zip(first, test.unique, strict=True) if unique]
    print(f"chosen minus defaults, recall@1: {gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f}), p = {gain.p:.4f}")
    k1, b, shared = list(config.k1), list(config.b), 1 - len(alone) / len(first)
    return Results(
        words, variants, k1, b, grid, chosen, estimates, gain, mean_over_queries(alone, generator), shared
    )  # fmt: skip


def plot(results: Results) -> Figure:
    """Draw what the validation split says: of words and variants, and of k1 and b."""
    figure, (left, right) = new_figure(7.8, 3.6, columns=2)
    names = [*results.words, *results.variants]
    values = [*results.words.values(), *results.variants.values()]
    colours = [COLOURS[0]] * len(results.words) + [COLOURS[1]] * len(results.variants)
    left.scatter(values, range(len(names)), c=colours)
    left.set_yticks(range(len(names)), names)
    left.invert_yaxis()
    left.set(xlabel="nDCG@10, validation split")
    values = [value for row in results.grid for value in row]
    gap, top = 0.045 * (max(values) - min(values)), max(values) + 1.0
    rows = sorted(enumerate(zip(results.k1, results.grid, strict=True)), key=lambda item: -item[1][1][-1])
    for place, (k1, row) in rows:
        colour = COLOURS[place % 6]
        right.plot(results.b, row, "o-", color=colour, markersize=4)
        top = min(row[-1], top - gap)  # names below each other, near the ends of their lines
        right.text(results.b[-1] + 0.04, top, f"k1 = {k1:g}", fontsize=8, va="center", color=colour)
    right.set(xlabel="b, what a long document pays", ylabel="nDCG@10, validation split")
    right.set_xlim(min(results.b) - 0.04, max(results.b) + 0.3)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS)

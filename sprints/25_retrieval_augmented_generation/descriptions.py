"""Which description does a summary belong to? BM25, MiniLM, and both, on Debian's packages.

    SPRINTS_DATA=DIR uv run sprints/25_retrieval_augmented_generation/descriptions.py
    SPRINTS_DATA=DIR uv run sprints/25_retrieval_augmented_generation/descriptions.py --preset all

DIR/debian/packages.tsv.gz holds the descriptions; needs the group models. Theory: notes/10_real_descriptions.md
"""

import statistics
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from retrieval.debian import known_items, without_doubles
from retrieval.described import (
    WEIGHTS,
    Fusions,
    Values,
    by_vectors,
    by_words,
    choose_fusions,
    estimates_of,
    values_of,
)
from retrieval.encoders import minilm_encoder
from retrieval.intervals import Difference, Estimate, compare
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, PositiveInt
from shared.lab.run import run
from shared.text.debian import read_packages

PRESETS = {"all": {"documents": 10_000, "queries": 1_000}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    documents: PositiveInt = 400  # descriptions of each split
    queries: AtLeastTwo = 100  # summaries that ask for some of them


@dataclass(frozen=True)
class Results:
    collection: dict[str, int]  # packages, different long texts, families
    test: dict[str, dict[str, Estimate]]  # by retriever and measure
    unique: dict[str, float]  # recall@1 of queries whose summary no other document has
    fusions: Fusions
    gains: dict[str, Difference]  # recall@1 of each fusion minus that of the better single one
    better_single: str
    first_by: dict[str, float]  # share of queries whose right document is first by both, words, vectors, neither


def shared_out(words: Values, vectors: Values) -> dict[str, float]:
    """Return the shares of queries that both, one or none of the two answer with the right document."""
    pairs = list(zip(words["recall@1"], vectors["recall@1"], strict=True))
    return {
        "both": statistics.fmean(a * b for a, b in pairs),
        "words alone": statistics.fmean(a * (1 - b) for a, b in pairs),
        "vectors alone": statistics.fmean((1 - a) * b for a, b in pairs),
        "neither": statistics.fmean((1 - a) * (1 - b) for a, b in pairs),
    }


def main(config: Config) -> Results:
    encode = minilm_encoder().encode
    assert encode is not None
    validation, test = (known_items(split, config.documents, config.queries) for split in ("validation", "test"))
    fusions = choose_fusions(by_words(validation), by_vectors(validation, encode), validation)
    words, vectors = by_words(test), by_vectors(test, encode)
    values = {
        "BM25": values_of(words, test),
        "MiniLM": values_of(vectors, test),
        "fused by places": values_of(fusions.by_places(words, vectors), test),
        "fused by scores": values_of(fusions.by_scores(words, vectors), test),
    }
    generator = np.random.default_rng(config.seed)
    estimates = {name: estimates_of(found, generator) for name, found in values.items()}
    for name, found in estimates.items():
        shown = (f"{kind} {e.mean:.3f} ({e.low:.3f} to {e.high:.3f})" for kind, e in found.items())
        print(name.ljust(18) + "   ".join(shown))
    single = max(("BM25", "MiniLM"), key=lambda name: estimates[name]["recall@1"].mean)
    gains = {
        name: compare(values[name]["recall@1"], values[single]["recall@1"], generator)
        for name in values
        if name.startswith("fused")
    }
    for name, gain in gains.items():
        print(f"{name} minus {single}: {gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f}), p = {gain.p:.4f}")
    unique = {
        name: statistics.fmean(np.array(found["recall@1"])[np.array(test.unique)].tolist())
        for name, found in values.items()
    }
    first_by = shared_out(values["BM25"], values["MiniLM"])
    print("right one first by " + ", ".join(f"{name} {share:.1%}" for name, share in first_by.items()))
    packages = read_packages()
    different = without_doubles(packages)
    families = len({package.family for package in different})
    collection = {"packages": len(packages), "different": len(different), "families": families}
    return Results(collection, estimates, unique, fusions, gains, single, first_by)


def plot(results: Results) -> Figure:
    """Draw nDCG@10 on validation by the weight of the vectors, and recall@1 on test with its intervals."""
    figure, (left, right) = new_figure(7.8, 3.4, columns=2)
    left.plot(WEIGHTS, results.fusions.by_weight, "o-", color=COLOURS[2], markersize=4)
    left.axvline(results.fusions.weight, color="black", linestyle="--", linewidth=1)
    left.set(xlabel="weight of the vectors (0: words alone)", ylabel="nDCG@10, validation split")
    names = list(results.test)
    for place, name in enumerate(names):
        found = results.test[name]["recall@1"]
        bars = [[found.mean - found.low], [found.high - found.mean]]
        right.errorbar(found.mean, place, xerr=bars, fmt="o", color=COLOURS[place], capsize=3)
    right.set_yticks(range(len(names)), names)
    right.set(xlabel="recall@1, test split")
    right.set_ylim(len(names) - 0.5, -0.5)
    return figure


if __name__ == "__main__":
    tolerance = {"*": Tolerance(relative=0.02, absolute=0.005)}
    run(main, Config, plot=plot, presets=PRESETS, tolerance=tolerance)

"""Does MiniLM find more of Debian's descriptions once it is tuned on others, and once its best ones are read again?

    SPRINTS_DATA=DIR uv run sprints/25_retrieval_augmented_generation/tuned.py
    SPRINTS_DATA=DIR uv run sprints/25_retrieval_augmented_generation/tuned.py --preset all

DIR/debian/packages.tsv.gz holds the descriptions; needs the group models. No family of packages is in two splits. Rates
and weights are chosen on the validation split. Theory: notes/10_real_descriptions.md
"""

import statistics
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from retrieval.bi_encoder import BiEncoder, encode, minilm
from retrieval.debian import KnownItems, known_items
from retrieval.debian_training import described_batches, reread, training_packages, tune, with_reranker
from retrieval.described import WEIGHTS, Rankings, by_vectors, by_words, choose_fusions, estimates_of, values_of
from retrieval.intervals import Difference, Estimate, compare
from retrieval.late_interaction import LateInteraction
from retrieval.token_rows import PieceTokens
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, PositiveFloat, PositiveInt
from shared.lab.run import run

PRESETS = {
    "all": {
        "documents": 10_000, "queries": 1_000, "validation_documents": 3_000, "validation_queries": 500, "steps": 200,
        "batch": 64, "rates": (2e-5, 1e-4),
    }
}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    documents: PositiveInt = 200  # descriptions of the test
    queries: AtLeastTwo = 60  # summaries that ask for some of them
    validation_documents: PositiveInt = 100
    validation_queries: AtLeastTwo = 50
    steps: PositiveInt = 10  # of training, for each rate
    batch: AtLeastTwo = 16  # packages in a batch
    rates: tuple[PositiveFloat, ...] = (2e-5,)  # that are tried
    context: PositiveInt = 128  # tokens of a text while training; 256 otherwise
    depth: PositiveInt = 20  # documents that are read again


@dataclass(frozen=True)
class Results:
    """Measures by retriever, what was chosen, and recall@1 beside that of the better single one."""

    test: dict[str, dict[str, Estimate]]
    validation: dict[str, float]  # nDCG@10 by rate
    rate: float
    weights: dict[str, float]  # of the vectors in each fusion, and of the reranker
    changed_first: float  # share of queries whose first document is another in bfloat16
    better_single: str
    gains: dict[str, Difference]  # recall@1


def vectors_of(model: BiEncoder, tokens: PieceTokens, items: KnownItems, precision: str) -> Rankings:
    """Return what a bi-encoder finds."""

    return by_vectors(items, lambda texts: encode(model, tokens, texts, precision=precision).numpy())


def tuned(config: Config, validation: KnownItems, generator: torch.Generator) -> tuple[BiEncoder, dict[str, float]]:
    """Return the best of the models of all rates, and what each is worth on the validation split."""
    packages, found, worth = training_packages(), {}, {}
    for rate in config.rates:
        model, tokens = minilm(config.context)
        batches = described_batches(packages, config.batch, generator)
        steps = tune(model, tokens, batches, steps=config.steps, rate=rate)
        for _ in tqdm(steps, total=config.steps, desc=f"rate {rate:g}"):
            pass
        rankings = vectors_of(model, PieceTokens(tokens.tokenizer, 256), validation, "auto")
        found[f"{rate:g}"] = model
        worth[f"{rate:g}"] = statistics.fmean(values_of(rankings, validation)["ndcg@10"])
        print(f"rate {rate:g}: nDCG@10 {worth[f'{rate:g}']:.3f} on validation")
    return found[max(worth, key=lambda name: worth[name])], worth


def main(config: Config) -> Results:
    generator = torch.Generator().manual_seed(config.seed)
    validation = known_items("validation", config.validation_documents, config.validation_queries)
    test = known_items("test", config.documents, config.queries)
    model, tokens = minilm()
    better, worth = tuned(config, validation, generator)
    words = [by_words(items) for items in (validation, test)]
    plain, after = (
        [vectors_of(one, tokens, items, "float32") for items in (validation, test)] for one in (model, better)
    )
    coarse = vectors_of(model, tokens, test, "bfloat16")
    weights: dict[str, float] = {}
    fused: dict[str, list[Rankings]] = {}
    for name, both in {"fused": plain, "tuned, fused": after}.items():
        chosen = choose_fusions(words[0], both[0], validation)
        weights[name] = chosen.weight
        fused[name] = [chosen.by_scores(one, other) for one, other in zip(words, both, strict=True)]
    reranker, base = LateInteraction(better.bert), fused["tuned, fused"]
    read = [reread(reranker, tokens, rankings, items, config.depth)
            for rankings, items in zip(base, (validation, test), strict=True)]  # fmt: skip
    by_weight = [statistics.fmean(values_of(with_reranker(base[0], read[0], weight), validation)["ndcg@10"])
                 for weight in WEIGHTS]  # fmt: skip
    weights["read again"] = WEIGHTS[int(np.argmax(by_weight))]
    rankings = {
        "BM25": words[1], "MiniLM": plain[1], "MiniLM in bfloat16": coarse, "fused": fused["fused"][1],
        "tuned": after[1], "tuned, fused": base[1],
        "tuned, fused, read again": with_reranker(base[1], read[1], weights["read again"]),
    }  # fmt: skip
    values = {name: values_of(found, test) for name, found in rankings.items()}
    random = np.random.default_rng(config.seed)
    estimates = {name: estimates_of(found, random) for name, found in values.items()}
    for name, found in estimates.items():
        shown = (f"{kind} {e.mean:.3f} ({e.low:.3f} to {e.high:.3f})" for kind, e in found.items())
        print(name.ljust(26) + "   ".join(shown))
    single = max(("BM25", "MiniLM"), key=lambda name: estimates[name]["recall@1"].mean)
    gains = {name: compare(values[name]["recall@1"], values[single]["recall@1"], random)
             for name in ("fused", "tuned", "tuned, fused", "tuned, fused, read again")}  # fmt: skip
    for name, gain in gains.items():
        print(f"{name} minus {single}: {gain.mean:+.3f} ({gain.low:+.3f} to {gain.high:+.3f}), p = {gain.p:.4f}")
    changed = statistics.fmean(one[0][0] != other[0][0] for one, other in zip(plain[1], coarse, strict=True))
    rate = max(config.rates, key=lambda rate: worth[f"{rate:g}"])
    return Results(estimates, worth, rate, weights, changed, single, gains)


def plot(results: Results) -> Figure:
    """Draw recall@1 on the test split with its intervals."""
    figure, axes = new_figure(7.0, 3.6)
    for place, found in enumerate(results.test.values()):
        recall = found["recall@1"]
        bars = [[recall.mean - recall.low], [recall.high - recall.mean]]
        axes.errorbar(recall.mean, place, xerr=bars, fmt="o", color=COLOURS[0], capsize=3)
    axes.set_yticks(range(len(results.test)), list(results.test))
    axes.invert_yaxis()
    axes.set(xlabel="recall@1, test split, with 95 % intervals over queries")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED})

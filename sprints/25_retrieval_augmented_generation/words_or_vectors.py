"""Words, vectors or both? How good each ranking of the pantry is while the questions use more and more synonyms.

    uv run sprints/25_retrieval_augmented_generation/words_or_vectors.py
    uv run --group models sprints/25_retrieval_augmented_generation/words_or_vectors.py --preset minilm

The vectors come from a small encoder trained on other pantries, or from MiniLM, which has never seen one.
Theory: notes/04_words_or_vectors.md
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from matplotlib.figure import Figure
from numpy import ndarray
from tqdm import tqdm

from retrieval.bi_encoder import BiEncoder, encode, minilm
from retrieval.bm25 import BM25
from retrieval.fusion import Found, reciprocal_rank_fusion, weighted_fusion
from retrieval.pantry import Pantry
from retrieval.pantry_exam import Exam, exam
from retrieval.pantry_failures import OUTCOMES, count_outcomes
from retrieval.pantry_training import (
    TESTED_ON,
    TRAINED_ON,
    VALIDATED_ON,
    ask_batches,
    pantry_tokens,
    small_bert,
    train_bi_encoder,
)
from retrieval.ranking import best
from retrieval.token_rows import Tokens
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, Fraction, PositiveInt
from shared.lab.run import run

Scores = Float[ndarray, "questions passages"]
Fusion = Callable[[Sequence[Found], int], Found]
WORDS, VECTORS, PLACES, SCORES = "BM25", "vectors", "fused by places", "fused by scores"
NO_PRIOR, BEST = "best without the prior", "best"
WEIGHTS = (0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9)  # of BM25 in the fusion by scores, tried on the validation pantry
PRESETS: dict[str, dict[str, Any]] = {"minilm": {"vectors": "minilm"}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    vectors: Literal["trained", "minilm"] = "trained"  # which encoder makes the vectors
    rates: tuple[Fraction, ...] = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)  # how often a word of a question is a synonym
    facts: AtLeastTwo = 1000  # passages of a pantry
    questions: PositiveInt = 200  # of each pantry at each rate
    depth: PositiveInt = 100  # passages of each ranking that are fused
    steps: PositiveInt = 600  # of training the encoder
    seeds: AtLeastTwo = 3  # test pantries, each with an encoder of its own


@dataclass(frozen=True)
class Results:
    """Over test pantries, by ranking and rate.

    Args:
        ndcg: nDCG@10.
        outcomes: what stands first: shares of questions by outcome.
        weights: of BM25 in the fusion by scores, chosen on the validation pantry, for each encoder.
    """

    ndcg: dict[str, dict[str, MeanInterval]]
    outcomes: dict[str, dict[str, dict[str, float]]]
    weights: list[float]


def encoder(config: Config, seed: int) -> tuple[BiEncoder, Tokens]:
    """Return what makes the vectors."""
    if config.vectors == "minilm":
        return minilm(context=64)
    tokens, generator = pantry_tokens(), torch.Generator().manual_seed(seed)
    model = BiEncoder(small_bert(tokens, generator))
    batches = ask_batches([Pantry(number, config.facts) for number in TRAINED_ON], 64, generator)
    steps = train_bi_encoder(model, tokens, batches, steps=config.steps)
    for _ in tqdm(steps, total=config.steps, desc="bi-encoder", leave=False):
        pass
    return model, tokens


def fused(pair: tuple[Scores, Scores], depth: int, fuse: Fusion) -> Scores:
    """Return the scores of a fusion of the best passages of two rankings; what neither has found gets 0."""
    scores = np.zeros_like(pair[0])
    for row, each in enumerate(zip(*pair, strict=True)):
        found = [[(number, score) for number, score in best(ranking, depth) if score > 0] for ranking in each]
        for number, score in fuse(found, 2 * depth):
            scores[row, number] = score
    return scores


def by_scores(weight: float) -> Fusion:
    """Return the fusion by scores in which BM25 has this weight and the vectors the rest."""
    return lambda found, count: weighted_fusion(found, count, [weight, 1 - weight])


class Searches:
    """A search for words and one with vectors, over the passages of a pantry."""

    def __init__(self, pantry: Pantry, model: BiEncoder, tokens: Tokens) -> None:
        self.pantry, self.model, self.tokens = pantry, model, tokens
        self.index, self.vectors = BM25(pantry.passages), encode(model, tokens, pantry.passages, batch=250)

    def scores(self, asked: Exam) -> tuple[Scores, Scores]:
        """Return the scores of both searches for the questions of an exam."""
        questions = encode(self.model, self.tokens, asked.texts, batch=250)
        return np.stack([self.index.scores(text) for text in asked.texts]), (
            questions @ self.vectors.mT
        ).double().numpy()


def choose_weight(config: Config, model: BiEncoder, tokens: Tokens) -> float:
    """Return the weight of BM25 that is best over all rates on the validation pantry."""
    searches, values = Searches(Pantry(VALIDATED_ON, config.facts), model, tokens), np.zeros(len(WEIGHTS))
    for rate in config.rates:
        asked = exam(searches.pantry, rate, config.questions // 2 + 1, 1)
        pair = searches.scores(asked)
        values += [np.mean(asked.measures(fused(pair, config.depth, by_scores(weight)))) for weight in WEIGHTS]
    return WEIGHTS[int(values.argmax())]


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    ndcg: dict[str, dict[str, list[float]]] = {}
    first: dict[str, dict[str, Counter[str]]] = {}
    weights = []
    for seed in range(config.seed, config.seed + config.seeds):
        model, tokens = encoder(config, seed)
        weights.append(choose_weight(config, model, tokens))
        pantry = Pantry(TESTED_ON + seed, config.facts)
        searches = Searches(pantry, model, tokens)
        for rate in config.rates:
            asked = exam(pantry, rate, config.questions, seed)
            pair = searches.scores(asked)
            rankings = {
                WORDS: pair[0],
                VECTORS: pair[1],
                PLACES: fused(pair, config.depth, reciprocal_rank_fusion),
                SCORES: fused(pair, config.depth, by_scores(weights[-1])),
                NO_PRIOR: asked.posteriors / pantry.prior,
                BEST: asked.posteriors,
            }
            for name, scores in rankings.items():
                value = float(np.mean(asked.measures(scores)))
                ndcg.setdefault(name, {}).setdefault(f"{rate:g}", []).append(value)
                counts = first.setdefault(name, {}).setdefault(f"{rate:g}", Counter())
                counts.update(count_outcomes(pantry, asked.questions, scores))
    means = {name: {rate: mean_interval(values) for rate, values in row.items()} for name, row in ndcg.items()}
    for name, row in means.items():
        print(f"{name:<24}" + " ".join(f"{show_interval(*value, '.1%'):>16}" for value in row.values()))
    shares = {
        name: {rate: {of: counts[of] / counts.total() for of in OUTCOMES} for rate, counts in row.items()}
        for name, row in first.items()
    }
    return Results(means, shares, weights)


def plot(results: Results) -> Figure:
    """Draw nDCG@10 by the synonym rate, and what stands first at three of the rates."""
    figure, (left, right) = new_figure(9.4, 4.2, 1, 2)
    styles = {WORDS: "C1o-", VECTORS: "C0s-", PLACES: "C2^--", SCORES: "C3D", NO_PRIOR: "k.:", BEST: "k.-"}
    for name, style in styles.items():
        row = results.ndcg[name]
        halves = [100 * half for half in error_bars([half for _, half in row.values()])]
        rates = [100 * float(rate) for rate in row]
        hollow = {"fillstyle": "none", "markersize": 10} if name == SCORES else {}  # it hides no other line
        means = [100 * mean for mean, _ in row.values()]
        left.errorbar(rates, means, halves, fmt=style, label=name, capsize=2, **hollow)
    left.set(xlabel="words of a question that are synonyms, %", ylabel="nDCG@10, %", ylim=(0, 100))
    left.legend(fontsize=8)
    rates = list(results.ndcg[WORDS])
    three = (rates[0], rates[len(rates) // 2], rates[-1])
    bars = [(name, rate) for name in (WORDS, VECTORS) for rate in three] + [(BEST, three[1])]
    start, colours = np.zeros(len(bars)), [COLOURS[number] for number in (2, 5, 6, 1, 3, 4)] + ["#999999"]
    for of, colour in zip(OUTCOMES, colours, strict=True):
        shares = np.array([100 * results.outcomes[name][rate][of] for name, rate in bars])
        right.barh(range(len(bars)), shares, left=start, color=colour, label=of)
        start += shares
    right.set_yticks(range(len(bars)), [f"{name}, {float(rate):.0%}" for name, rate in bars])
    right.invert_yaxis()
    right.set(xlabel="questions, by what stands first, %", xlim=(0, 100))
    right.legend(fontsize=8, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED})

"""How near does a reranker come to the Bayes ranking, at every synonym rate?

    uv run sprints/25_retrieval_augmented_generation/second_look.py
    uv run sprints/25_retrieval_augmented_generation/second_look.py --seeds 0 --steps 300 --read-steps 300

BM25, a bi-encoder, both, and two rerankers of what both found: a cross-encoder, and late interaction. Trained on eight
pantries, weights chosen on a ninth, tested on a tenth. Theory: notes/07_a_second_look.md
"""

import copy
import time
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from retrieval.bi_encoder import BiEncoder
from retrieval.cross_encoder import CrossEncoder, Reranker
from retrieval.late_interaction import LateInteraction
from retrieval.pantry import Pantry
from retrieval.pantry_exam import exam
from retrieval.pantry_training import (
    FACTS,
    TESTED_ON,
    TRAINED_ON,
    VALIDATED_ON,
    ask_batches,
    by_own_scores,
    pantry_tokens,
    small_bert,
    train_bi_encoder,
    train_reranker,
)
from retrieval.token_rows import WordTokens
from retrieval.two_stages import Stages, best_weight, stages_of
from shared.checks.intervals import MeanInterval, mean_interval, show_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run

RATES = (0.0, 0.25, 0.5, 0.75, 1.0)
# Weights that are tried: of the prior beside BM25, of BM25 in the hybrid, and of the hybrid beside a reranker.
OF_PRIOR, OF_WORDS, OF_HYBRID = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0), (0.0, 0.1, 0.2, 0.5, 1.0), (0.0, 0.1, 0.3, 1.0)
RERANKERS = ("cross-encoder", "late interaction")
WAYS = ("BM25", "bi-encoder", "hybrid", *RERANKERS)


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: PositiveInt = 2400  # of the bi-encoder
    read_steps: PositiveInt = 1200  # of each reranker
    batch: PositiveInt = 64  # questions in a batch of the bi-encoder
    lists: PositiveInt = 8  # questions in a batch of a reranker
    candidates: PositiveInt = 12  # passages of each of them
    depth: PositiveInt = 20  # passages that are read again in the test
    scale: PositiveFloat = 20.0  # inverse temperature
    questions: PositiveInt = 200  # at each synonym rate
    seeds: Seeds = (0, 1, 2)  # models; pantries stay the same


@dataclass(frozen=True)
class Results:
    """nDCG@10 by way and synonym rate, all with the prior, and how far the last way is from the best ranking."""

    best: dict[str, float]
    ndcg: dict[str, dict[str, MeanInterval]]
    below: dict[str, MeanInterval]  # points below the Bayes ranking
    reachable: dict[str, MeanInterval]  # probability that the right passage was found at all
    weights: dict[str, list[float]]  # chosen on validation, by seed: of the prior, the words, and beside each reranker
    milliseconds_per_question: dict[str, float]


def trained(config: Config, tokens: WordTokens, seed: int) -> tuple[BiEncoder, dict[str, Reranker]]:
    """Return a bi-encoder, and both rerankers, which begin with its weights."""
    generator = torch.Generator().manual_seed(seed)
    pantries = [Pantry(number, FACTS) for number in TRAINED_ON]
    model = BiEncoder(small_bert(tokens, generator))
    batches = ask_batches(pantries, config.batch, generator)
    steps = train_bi_encoder(model, tokens, batches, steps=config.steps, scale=config.scale)
    for _ in tqdm(steps, total=config.steps, desc="bi-encoder", leave=False):
        pass
    cross, late = CrossEncoder(copy.deepcopy(model.bert), generator), LateInteraction(copy.deepcopy(model.bert))
    rerankers: dict[str, Reranker] = {"cross-encoder": cross, "late interaction": late}
    mine = by_own_scores(model, tokens, config.candidates, with_right=True)
    for name, reranker in rerankers.items():
        batches = ask_batches(pantries, config.lists, generator, mine)
        steps = train_reranker(reranker, tokens, batches, candidates=config.candidates, steps=config.read_steps)
        for _ in tqdm(steps, total=config.read_steps, desc=name, leave=False):
            pass
    return model, rerankers


def choose_weights(
    stages: list[Stages], rerankers: dict[str, Reranker], tokens: WordTokens, depth: int
) -> dict[str, float]:
    """Return the weights that are best on average over the exams of these stages.

    BM25's scores are no logarithms of probabilities, as those of the models are: beside them the prior needs a weight.
    """
    exams = [one.exam for one in stages]
    words = best_weight(OF_WORDS, exams, lambda weight: [one.hybrid(weight) + one.prior for one in stages])
    chosen = {
        "prior": best_weight(OF_PRIOR, exams, lambda weight: [one.words + weight * one.prior for one in stages]),
        "words": words,
    }
    for name, reranker in rerankers.items():
        read = [one.reread(reranker, tokens, words, depth) for one in stages]
        chosen[name] = best_weight(OF_HYBRID, exams, lambda weight, read=read: [one.final(weight) for one in read])
    return chosen


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    tokens = pantry_tokens()
    validation, test = (Pantry(seed, FACTS) for seed in (VALIDATED_ON, TESTED_ON))
    to_choose = [exam(validation, rate, config.questions // 2, 1) for rate in RATES]
    exams = {f"{rate:g}": exam(test, rate, config.questions, 2) for rate in RATES}
    best = {rate: float(np.mean(asked.best())) for rate, asked in exams.items()}
    ndcg: dict[str, dict[str, list[float]]] = {way: {rate: [] for rate in exams} for way in WAYS}
    reachable: dict[str, list[float]] = {rate: [] for rate in exams}
    weights: dict[str, list[float]] = {name: [] for name in ("prior", "words", *RERANKERS)}
    seconds = dict.fromkeys(("hybrid", *RERANKERS), 0.0)
    for seed in config.seeds:
        model, rerankers = trained(config, tokens, seed)
        seen = [stages_of(asked, model, tokens, config.scale) for asked in to_choose]
        chosen = choose_weights(seen, rerankers, tokens, config.depth)
        for name, weight in chosen.items():
            weights[name].append(weight)
        for rate, asked in exams.items():
            begun = time.perf_counter()
            stages = stages_of(asked, model, tokens, config.scale)
            seconds["hybrid"] += time.perf_counter() - begun
            ranked = {
                "BM25": stages.words + chosen["prior"] * stages.prior,
                "bi-encoder": stages.vectors + stages.prior,
                "hybrid": stages.hybrid(chosen["words"]) + stages.prior,
            }
            for name, reranker in rerankers.items():
                begun = time.perf_counter()
                read = stages.reread(reranker, tokens, chosen["words"], config.depth)
                seconds[name] += time.perf_counter() - begun
                ranked[name] = read.final(chosen[name])
            for way, scores in ranked.items():
                ndcg[way][rate].append(float(np.mean(asked.measures(scores))))
            reachable[rate].append(read.reachable)
            shown = ", ".join(f"{way} {ndcg[way][rate][-1]:.3f}" for way in WAYS)
            print(f"seed {seed}, synonym rate {rate}: best {best[rate]:.3f}; {shown}")
    asked_in_all = len(config.seeds) * len(exams) * config.questions
    below = {rate: mean_interval([100 * (best[rate] - value) for value in ndcg[WAYS[-1]][rate]]) for rate in exams}
    print("points below: " + ", ".join(f"{rate}: {show_interval(*value, '.1f')}" for rate, value in below.items()))
    return Results(
        best,
        {way: {rate: mean_interval(values) for rate, values in row.items()} for way, row in ndcg.items()},
        below,
        {rate: mean_interval(values) for rate, values in reachable.items()},
        weights,
        {name: 1000 * value / asked_in_all for name, value in seconds.items()},
    )


def plot(results: Results) -> Figure:
    """Draw nDCG@10 over the synonym rate, below the Bayes ranking."""
    figure, axes = new_figure(7.0, 4.2)
    rates = [float(rate) for rate in results.best]
    axes.plot(rates, list(results.best.values()), color="black", linestyle="--")
    axes.annotate("the Bayes ranking", (0.02, max(results.best.values())), xytext=(0, 6), textcoords="offset points")
    for (way, row), colour in zip(results.ndcg.items(), COLOURS, strict=False):
        axes.errorbar(
            rates, [mean for mean, _ in row.values()], [half or 0.0 for _, half in row.values()], color=colour,
            marker="o", capsize=3, label=way,
        )  # fmt: skip
    axes.set(xlabel="synonym rate", ylabel="nDCG@10, all with the prior", ylim=(0, 1))
    axes.legend(loc="lower left")
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TRAINED, "below.*": TRAINED, "weights.*": TRAINED})

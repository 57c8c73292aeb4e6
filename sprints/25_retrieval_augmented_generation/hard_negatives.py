"""What do hard negatives teach, and whose: none, BM25's, or those that the model itself takes for right?

    uv run sprints/25_retrieval_augmented_generation/hard_negatives.py
    uv run sprints/25_retrieval_augmented_generation/hard_negatives.py --seeds 0 --steps 200

All models see as many passages: without hard negatives, twice as many questions take their places. Tested on a pantry
that no training saw, with the prior added.
Theory: notes/05_training_a_retriever.md
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor
from tqdm import tqdm

from retrieval.bi_encoder import BiEncoder
from retrieval.bm25 import BM25
from retrieval.contrast import hard_negatives
from retrieval.pantry import Pantry, Question
from retrieval.pantry_exam import cosines, exam
from retrieval.pantry_training import (
    FACTS,
    TESTED_ON,
    TRAINED_ON,
    Mining,
    ask_batches,
    by_own_scores,
    log_prior,
    pantry_tokens,
    small_bert,
    train_bi_encoder,
)
from shared.checks.intervals import MeanInterval, mean_interval, show_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run

WAYS = ("none, twice the questions", "random", "BM25's", "its own")


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: PositiveInt = 800  # half of them without hard negatives, half with
    batch: PositiveInt = 32  # questions in a batch; each of the second half has a hard negative
    scale: PositiveFloat = 20.0  # inverse temperature
    questions: PositiveInt = 200  # of the test, at each synonym rate
    seeds: Seeds = (0, 1, 2)


@dataclass(frozen=True)
class Results:
    """nDCG@10 by way and synonym rate, and how often a mined passage fits its question as well."""

    best: dict[str, float]
    ndcg: dict[str, dict[str, MeanInterval]]
    fits: dict[str, MeanInterval]  # share of mined passages that the question may be about


def random_ones(generator: torch.Generator) -> Mining:
    """Return what draws a random passage for each question."""
    return lambda pantry, questions: torch.randint(len(pantry.facts), (len(questions), 1), generator=generator)


def by_words() -> Mining:
    """Return what mines the passage that BM25 takes for the best wrong one."""
    indexes: dict[int, BM25] = {}

    def mine(pantry: Pantry, questions: Sequence[Question]) -> Int[Tensor, "questions 1"]:
        if id(pantry) not in indexes:
            indexes[id(pantry)] = BM25(pantry.passages)
        scores = torch.from_numpy(np.stack([indexes[id(pantry)].scores(question.text) for question in questions]))
        return hard_negatives(scores, torch.tensor([question.fact for question in questions]), 1)

    return mine


def counted(mine: Mining, fits: list[float]) -> Mining:
    """Return what mines as `mine` does, and notes which of its passages a question may be about."""

    def mine_and_count(pantry: Pantry, questions: Sequence[Question]) -> Int[Tensor, "questions 1"]:
        found = mine(pantry, questions)
        for question, (number,) in zip(questions, found.tolist(), strict=True):
            likelihood: Float[np.ndarray, " passages"] = pantry.log_likelihood(question.text, 0.5)
            fits.append(float(np.isfinite(likelihood[number])))
        return found

    return mine_and_count


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    tokens, pantries, test = pantry_tokens(), [Pantry(seed, FACTS) for seed in TRAINED_ON], Pantry(TESTED_ON, FACTS)
    exams = {f"{rate:g}": exam(test, rate, config.questions, 7) for rate in (0.0, 0.5, 1.0)}
    ndcg: dict[str, dict[str, list[float]]] = {way: {rate: [] for rate in exams} for way in WAYS}
    fits: dict[str, list[list[float]]] = {way: [] for way in WAYS[1:]}
    for seed in config.seeds:
        for way in WAYS:
            generator = torch.Generator().manual_seed(seed)
            model = BiEncoder(small_bert(tokens, generator))
            batches = ask_batches(pantries, config.batch if way in WAYS[1:] else 2 * config.batch, generator)
            half = config.steps // 2
            for _ in tqdm(
                train_bi_encoder(model, tokens, batches, steps=half, scale=config.scale), total=half, leave=False
            ):
                pass
            if way in fits:
                mines = {
                    "random": random_ones(generator),
                    "BM25's": by_words(),
                    "its own": by_own_scores(model, tokens, 1),
                }
                seen: list[float] = []
                batches = ask_batches(pantries, config.batch, generator, counted(mines[way], seen))
                fits[way].append(seen)
            rest = config.steps - half
            for _ in tqdm(
                train_bi_encoder(model, tokens, batches, steps=rest, scale=config.scale), total=rest, leave=False
            ):
                pass
            for rate, asked in exams.items():
                scores = config.scale * cosines(model, tokens, asked) + log_prior(test).numpy()
                ndcg[way][rate].append(float(np.mean(asked.measures(scores))))
            print(
                f"seed {seed}, {way}: " + ", ".join(f"{rate}: {values[-1]:.3f}" for rate, values in ndcg[way].items())
            )
    results = Results(
        {rate: float(np.mean(asked.best())) for rate, asked in exams.items()},
        {way: {rate: mean_interval(values) for rate, values in row.items()} for way, row in ndcg.items()},
        {way: mean_interval([float(np.mean(seen)) for seen in rows]) for way, rows in fits.items()},
    )
    for way, interval in results.fits.items():
        print(f"{way}: {show_interval(*interval, '.1%')} of the mined passages fit their question")
    return results


if __name__ == "__main__":
    run(main, Config, tolerance={"*": TRAINED})

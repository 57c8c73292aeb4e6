"""What does a retriever that was trained in batches make of passages that are asked about often?

    uv run sprints/25_retrieval_augmented_generation/popular.py
    uv run sprints/25_retrieval_augmented_generation/popular.py --seeds 0 --steps 200

InfoNCE learns log p(d | q) / p(d). A prior that is added when searching repairs the order,
or one that is taken off while training. Each model learns on the pantry that tests it: it could know what is popular.
Theory: notes/05_training_a_retriever.md
"""

from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from retrieval.bi_encoder import BiEncoder
from retrieval.pantry import Pantry
from retrieval.pantry_exam import Exam, cosines, exam
from retrieval.pantry_training import ask_batches, pantry_tokens, small_bert, train_bi_encoder
from shared.checks.intervals import MeanInterval, mean_interval, show_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import Fraction, PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run

WAYS = {
    "copies count as wrong": {"masked": False},
    "copies left out": {"masked": True},
    "shares taken off": {"masked": False, "shares": True},
}
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)


@dataclass(frozen=True)
class Config(ScriptConfig):
    facts: PositiveInt = 300  # passages of a pantry
    synonyms: Fraction = 0.5  # the synonym rate
    steps: PositiveInt = 600  # of training
    batch: PositiveInt = 64  # questions in a batch
    scale: PositiveFloat = 20.0  # inverse temperature
    questions: PositiveInt = 300  # of a test
    seeds: Seeds = (0, 1, 2)  # a pantry and a model for each


@dataclass(frozen=True)
class Results:
    """nDCG@10 by way of training and by the weight of the prior; recall@1 of popular and of other passages."""

    best: MeanInterval
    ndcg: dict[str, dict[str, MeanInterval]]
    thirds: dict[str, list[MeanInterval]]  # recall@1 of the most popular third of the questions, of the next, the last
    slope_of_prior: dict[str, MeanInterval]  # slope of what is learnt over log p(d), where 1 is a posterior


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    tokens, best = pantry_tokens(), []
    ndcg = {way: {f"{weight:g}": [] for weight in WEIGHTS} for way in WAYS}
    thirds = {way: [[], [], []] for way in ["the Bayes ranking", *WAYS]}
    slopes = {way: [] for way in WAYS}
    for seed in config.seeds:
        pantry = Pantry(seed, config.facts)
        test = exam(pantry, config.synonyms, config.questions, seed + 1)
        best.append(float(np.mean(test.best())))
        log_prior = np.log(pantry.prior)
        order = np.argsort([-pantry.prior[question.fact] for question in test.questions], kind="stable")
        parts = np.array_split(order, 3)
        for part, found in zip(parts, thirds["the Bayes ranking"], strict=True):
            found.append(_right_first(test.posteriors, test, part))
        for way, options in WAYS.items():
            generator = torch.Generator().manual_seed(seed)
            model = BiEncoder(small_bert(tokens, generator))
            batches = ask_batches([pantry], config.batch, generator, synonyms=config.synonyms)
            training = train_bi_encoder(model, tokens, batches, steps=config.steps, scale=config.scale, **options)
            for _ in tqdm(training, total=config.steps, desc=way, leave=False):
                pass
            scores = config.scale * cosines(model, tokens, test)
            for weight in WEIGHTS:
                ndcg[way][f"{weight:g}"].append(float(np.mean(test.measures(scores + weight * log_prior))))
            for part, found in zip(parts, thirds[way], strict=True):
                found.append(_right_first(scores, test, part))
            slopes[way].append(_slope(scores, test.posteriors, log_prior))
    results = Results(
        mean_interval(best),
        {way: {weight: mean_interval(values) for weight, values in row.items()} for way, row in ndcg.items()},
        {way: [mean_interval(values) for values in row] for way, row in thirds.items()},
        {way: mean_interval(values) for way, values in slopes.items()},
    )
    print(f"the Bayes ranking: nDCG@10 {show_interval(*results.best, '.3f')}")
    for way, row in results.ndcg.items():
        print(f"{way}: {show_interval(*row['0'], '.3f')}, with the prior {show_interval(*row['1'], '.3f')}", end="")
        print(f"; slope over log p(d) {show_interval(*results.slope_of_prior[way], '.2f')}")
    return results


def _right_first(scores: np.ndarray, test: Exam, part: np.ndarray) -> float:
    """Return the share of some questions whose own passage is first."""
    return float(np.mean([scores[number].argmax() == test.questions[number].fact for number in part]))


def _slope(scores: np.ndarray, posteriors: np.ndarray, log_prior: np.ndarray) -> float:
    """Return how much of the prior is in the scores: of passages that share a question, once its likelihood is known.

    A posterior's logarithm is log p(q | d) + log p(d). What is left of a score without log p(q | d) is compared, within
    each question, with log p(d): by least squares over all passages that the question fits.
    """
    left, right = [], []
    for row, posterior in zip(scores, posteriors, strict=True):
        fits = posterior > 0
        if fits.sum() > 1:
            rest = row[fits] - (np.log(posterior[fits]) - log_prior[fits])
            left.append(rest - rest.mean())
            right.append(log_prior[fits] - log_prior[fits].mean())
    rest, prior = np.concatenate(left), np.concatenate(right)
    return float(rest @ prior / (prior @ prior))


def plot(results: Results) -> Figure:
    """Draw nDCG@10 over the weight of the prior for each way of training, below the Bayes ranking."""
    figure, axes = new_figure(7.0, 4.0)
    for (way, row), colour in zip(results.ndcg.items(), COLOURS, strict=False):
        weights = [float(weight) for weight in row]
        means = [mean for mean, _ in row.values()]
        halves = [half or 0.0 for _, half in row.values()]
        axes.errorbar(weights, means, halves, color=colour, marker="o", capsize=3, label=way)
    axes.axhline(results.best[0], color="black", linestyle="--")
    axes.annotate("the Bayes ranking", (0.02, results.best[0]), xytext=(0, 4), textcoords="offset points")
    axes.set(xlabel="weight of log p(d) added when searching", ylabel="nDCG@10")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, 1.14), ncol=3)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": TRAINED})

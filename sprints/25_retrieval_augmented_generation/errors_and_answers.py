"""Whoever answers only what is sure errs less. How much less, for how many answers, and sure by what?

    uv run sprints/25_retrieval_augmented_generation/errors_and_answers.py
    uv run sprints/25_retrieval_augmented_generation/errors_and_answers.py --synonyms 0 --passages 2

A reader answers from what BM25 has found. Three ways to be sure of these answers, beside the best. Theory:
notes/11_a_reader.md
"""

from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure

from retrieval.bm25 import BM25
from retrieval.coverage import COVERAGES, errors_by_coverage
from retrieval.pantry import Pantry
from retrieval.ranking import best
from retrieval.readers import least_belief, probability_of, weigh
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, Fraction, PositiveFloat, PositiveInt
from shared.lab.run import run

BEST, SHARE, SCORE, NOTHING = "exact belief", "share among those shown", "score of BM25", "a coin"


@dataclass(frozen=True)
class Config(ScriptConfig):
    synonyms: Fraction = 0.25  # the synonym rate
    passages: PositiveInt = 5  # that BM25 finds and the reader reads
    prices: tuple[PositiveFloat, ...] = (1.0, 4.0)  # points that an error costs; a right answer earns 1
    facts: AtLeastTwo = 1000  # passages of a pantry
    questions: PositiveInt = 150  # of each pantry
    seeds: AtLeastTwo = 5  # pantries


@dataclass(frozen=True)
class Results:
    """Means with intervals over pantries.

    Args:
        errors: by way of being sure and by the share of questions that are answered: errors among the answers.
        points: by price and way: of a question on average, if the reader answers above Chow's threshold.
        answered: by price and way: share of questions that are answered then.
        believed: how sure each way is on average, beside the share that is right and what the exact belief expects.
        right: share of all answers that are right.
    """

    errors: dict[str, dict[str, MeanInterval]]
    points: dict[str, dict[str, MeanInterval]]
    answered: dict[str, dict[str, MeanInterval]]
    believed: dict[str, MeanInterval]
    right: MeanInterval


def ask_pantry(seed: int, config: Config) -> dict[str, list[float]]:
    """Return for each question of a pantry how sure each way is, and whether the answer was right."""
    pantry, generator = Pantry(seed, config.facts), torch.Generator().manual_seed(seed + 1000)
    index = BM25(pantry.passages)
    found: dict[str, list[float]] = {BEST: [], SHARE: [], SCORE: [], NOTHING: [], "right": []}
    for _ in range(config.questions):
        question = pantry.ask(generator, config.synonyms)
        ranking = best(index.scores(question.text), config.passages)
        said = weigh(question, [pantry.passages[number] for number, _ in ranking], config.synonyms)
        posterior = pantry.posterior(question.text, config.synonyms)
        found[BEST].append(probability_of(said.answer, question, pantry, posterior))
        found[SHARE].append(said.belief)
        found[SCORE].append(ranking[0][1])
        found[NOTHING].append(0.0)
        found["right"].append(said.answer == question.answer)
    return found


def main(config: Config) -> Results:
    asked = [ask_pantry(seed, config) for seed in range(config.seed, config.seed + config.seeds)]
    errors = {}
    for way in (BEST, SHARE, SCORE, NOTHING):
        curves = [errors_by_coverage(found[way], [1 - right for right in found["right"]]) for found in asked]
        errors[way] = {
            f"{coverage:g}": mean_interval([float(curve[place]) for curve in curves])
            for place, coverage in enumerate(COVERAGES)
        }
        print(f"{way:<24}" + " ".join(f"{show_interval(*value, '.1%'):>15}" for value in errors[way].values()))
    points: dict[str, dict[str, MeanInterval]] = {}
    answered: dict[str, dict[str, MeanInterval]] = {}
    for price in config.prices:
        least = least_belief(price)
        above = {way: [np.array(found[way]) > least for found in asked] for way in (BEST, SHARE)}
        above["all answered"] = [np.ones(config.questions, dtype=bool) for _ in asked]
        for way, chosen in above.items():
            worth = [
                float(np.mean(answers * (np.array(found["right"]) * (1 + price) - price)))
                for answers, found in zip(chosen, asked, strict=True)
            ]
            points.setdefault(f"{price:g}", {})[way] = mean_interval(worth)
            answered.setdefault(f"{price:g}", {})[way] = mean_interval([float(np.mean(answers)) for answers in chosen])
    believed = {way: mean_interval([float(np.mean(found[way])) for found in asked]) for way in (BEST, SHARE)}
    right = mean_interval([float(np.mean(found["right"])) for found in asked])
    shown = ", ".join(f"{way} {show_interval(*belief, '.1%')}" for way, belief in believed.items())
    print(f"right {show_interval(*right, '.1%')}; on average {shown}")
    return Results(errors, points, answered, believed, right)


def plot(results: Results) -> Figure:
    """Draw errors among the answers over the share of questions that are answered."""
    figure, axes = new_figure(7.0, 4.2)
    styles = {NOTHING: ("k:", None), SCORE: ("s-", COLOURS[1]), SHARE: ("^-", COLOURS[4]), BEST: ("o-", COLOURS[0])}
    for way, (style, colour) in styles.items():
        row = results.errors[way]
        shares = [100 * float(coverage) for coverage in row]
        means = [100 * value for value, _ in row.values()]
        halves = [100 * half for half in error_bars([half for _, half in row.values()])]
        axes.errorbar(shares, means, halves, fmt=style, color=colour, capsize=2, label=f"sure by {way}")
    axes.set(xlabel="questions that are answered, %", ylabel="errors among the answers, %", xlim=(0, 102))
    axes.set_ylim(bottom=0)
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=9)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

"""When does a search help a reader, and when would it have answered better with a closed book?

    uv run sprints/25_retrieval_augmented_generation/helps_or_hurts.py
    uv run sprints/25_retrieval_augmented_generation/helps_or_hurts.py --preset forgetful

BM25 finds less and less as questions use more synonyms. The reader trusts what was found; its memory holds the popular
facts. Is the rate at which searching stops helping known beforehand? Theory: notes/11_a_reader.md
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure

from retrieval.bm25 import BM25
from retrieval.hit_rates import crossing, needed_hits
from retrieval.pantry import Pantry
from retrieval.ranking import best
from retrieval.readers import know
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, Fraction, PositiveFraction, PositiveInt
from shared.lab.run import run

CURVES = ("hit", "search", "closed", "both", "good", "misled", "predicted")
PRESETS: dict[str, dict[str, Any]] = {"forgetful": {"remembered": 0.02}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    rates: tuple[Fraction, ...] = (0.0, 0.15, 0.3, 0.45, 0.6, 0.8, 1.0)  # synonym rates, rising
    passages: PositiveInt = 5  # that BM25 finds and the reader reads
    remembered: PositiveFraction = 0.2  # share of the facts, the most popular ones, that the reader knows by heart
    facts: AtLeastTwo = 1000  # passages of a pantry
    questions: PositiveInt = 80  # of each pantry at each rate
    seeds: AtLeastTwo = 5  # pantries

    def check(self) -> None:
        if list(self.rates) != sorted(set(self.rates)) or len(self.rates) < 2:
            raise ValueError(f"--rates must be two or more, and rise; got {self.rates}")
        if self.passages >= self.facts:
            raise ValueError(f"fewer than all {self.facts} passages must be read; got --passages {self.passages}")


@dataclass(frozen=True)
class Results:
    """Means with intervals over pantries.

    Args:
        curves: by name and rate. hit: the right passage is among those found; search, closed, both: answers that are
            right by what was found, by memory, by both; good, misled: by what was found if the right passage is put in
            or taken out; predicted: from these two and the hit rate.
        crossing: the rate at which searching stops helping: measured; predicted from the first rate's good and misled;
            predicted from its answers where the search hit and where it missed.
        of_means: the same, of the means over pantries: noise in a single pantry makes its lines cross early.
        needed: the hit rate that the first rate predicts to be needed.
        never: pantries in which one of the lines does not cross.
    """

    curves: dict[str, dict[str, MeanInterval]]
    crossing: dict[str, MeanInterval]
    of_means: dict[str, float | None]
    needed: MeanInterval
    never: int


@dataclass(frozen=True)
class Answered:
    """A question: whether each reader was right."""

    hit: bool
    good: bool
    misled: bool
    closed: bool
    both: bool

    @property
    def search(self) -> bool:
        return self.good if self.hit else self.misled


def answer_all(pantry: Pantry, index: BM25, config: Config, rate: float, seed: int) -> list[Answered]:
    """Ask a pantry, and let each reader answer."""
    generator, found = torch.Generator().manual_seed(seed), []
    memory = np.argsort(-pantry.prior, kind="stable")[: max(1, round(config.remembered * config.facts))].tolist()
    for _ in range(config.questions):
        question = pantry.ask(generator, rate)
        posterior = pantry.posterior(question.text, rate)
        ranking = [number for number, _ in best(index.scores(question.text), config.passages + 1)]
        shown = ranking[: config.passages]
        without = [number for number in ranking if number != question.fact][: config.passages]
        hit = question.fact in shown
        with_it = shown if hit else [*shown[:-1], question.fact]

        def right(numbers: Sequence[int], question=question, posterior=posterior) -> bool:
            fitting = [number for number in numbers if posterior[number] > 0] or numbers  # the same answer, sooner
            return know(question, pantry, fitting, posterior).answer == question.answer

        both = [*shown, *(number for number in memory if number not in shown)]
        found.append(Answered(hit, right(with_it), right(without), right(memory), right(both)))
    return found


def main(config: Config) -> Results:
    curves = {name: {f"{rate:g}": [] for rate in config.rates} for name in CURVES}
    crossings = {"measured": [], "predicted": [], "predicted from hits and misses": []}
    needed, never = [], 0
    for seed in range(config.seed, config.seed + config.seeds):
        pantry = Pantry(seed, config.facts)
        index, rows = BM25(pantry.passages), []
        for rate in config.rates:
            answered = answer_all(pantry, index, config, rate, seed + 1000)
            row = {name: mean(getattr(one, name) for one in answered) for name in CURVES[:-1]}
            row["predicted"] = row["hit"] * row["good"] + (1 - row["hit"]) * row["misled"]
            rows.append(row | {
                "if hit": mean([one.good for one in answered if one.hit] or [row["good"]]),
                "if missed": mean([one.misled for one in answered if not one.hit] or [row["misled"]]),
            })  # fmt: skip
            for name in CURVES:
                curves[name][f"{rate:g}"].append(row[name])
        first = rows[0]
        needed.append(needed_hits(first["good"], first["misled"], first["closed"]))
        naive = needed_hits(first["if hit"], first["if missed"], first["closed"])
        lines = {
            "measured": [row["search"] - row["closed"] for row in rows],
            "predicted": [row["hit"] - needed[-1] for row in rows],
            "predicted from hits and misses": [row["hit"] - naive for row in rows],
        }
        places = {name: crossing(config.rates, line) for name, line in lines.items()}
        never += None in places.values()
        for name, place in places.items():
            if place is not None:
                crossings[name].append(place)
    means = {name: {rate: mean_interval(values) for rate, values in row.items()} for name, row in curves.items()}
    for name, row in means.items():
        print(f"{name:<10}" + " ".join(f"{show_interval(*value, '.1%'):>16}" for value in row.values()))
    over = {name: mean_interval(values) for name, values in crossings.items() if values}
    for name, value in over.items():
        print(f"searching no longer helps from a synonym rate of, {name}: {show_interval(*value, '.3f')}")
    at = {name: [value for value, _ in row.values()] for name, row in means.items()}
    of_means = {
        "measured": crossing(config.rates, [a - b for a, b in zip(at["search"], at["closed"], strict=True)]),
        "predicted": crossing(config.rates, [hits - mean(needed) for hits in at["hit"]]),
    }
    print(f"of the means over pantries: {of_means}")
    return Results(means, over, of_means, mean_interval(needed), never)


def plot(results: Results) -> Figure:
    """Draw what each reader gets right by the synonym rate, and where searching was predicted to stop to help."""
    figure, axes = new_figure(7.4, 4.4)
    names = {
        "both": ("passages and memory", "^-", COLOURS[2]),
        "search": ("passages alone", "o-", COLOURS[1]),
        "closed": ("closed book", "s-", COLOURS[0]),
        "hit": ("right passage found", "x:", "#777777"),
    }
    for name, (label, style, colour) in names.items():
        row = results.curves[name]
        rates = [100 * float(rate) for rate in row]
        means = [100 * value for value, _ in row.values()]
        halves = [100 * half for half in error_bars([half for _, half in row.values()])]
        axes.errorbar(rates, means, halves, fmt=style, color=colour, capsize=2, label=label)
    for name, style in (("measured", "-"), ("predicted", "--")):
        place = results.of_means[name]
        if place is not None:
            before = name == min(results.of_means, key=lambda one: results.of_means[one] or 0.0)
            axes.axvline(100 * place, color="black", linestyle=style, linewidth=1)
            shift, side = (-6, "right") if before else (6, "left")
            text = f"{name}: {100 * place:.0f} %"
            axes.annotate(
                text, (100 * place, 6), (shift, 0), textcoords="offset points", fontsize=9, ha=side, va="center"
            )
    axes.set(xlabel="words of a question that are synonyms, %", ylabel="of questions, %", ylim=(0, 100))
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, fontsize=9)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS)

"""How good can a ranking of the pantry be? What the posterior promises, what is counted, and what the prior is worth.

    uv run sprints/25_retrieval_augmented_generation/best_ranking.py
    uv run sprints/25_retrieval_augmented_generation/best_ranking.py --sizes 50 --rates 0 1

Theory: notes/03_a_pantry_of_facts.md
"""

from dataclasses import dataclass
from typing import Annotated

from matplotlib.figure import Figure
from pydantic import Field

from retrieval.pantry import MOST_FACTS, Pantry
from retrieval.pantry_optimum import BEST, COUNTED, GAINS, NO_PRIOR, best_measures
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, Fraction, PositiveInt
from shared.lab.run import run

Size = Annotated[int, Field(ge=10, le=MOST_FACTS)]
Rankings = dict[str, dict[str, MeanInterval]]  # by ranking and measure


@dataclass(frozen=True)
class Config(ScriptConfig):
    rates: tuple[Fraction, ...] = (0.0, 0.25, 0.5, 0.75, 1.0)  # how often a word of a question is a synonym
    passages: Size = 1000  # of the pantries in which the rates are compared
    sizes: tuple[Size, ...] = (50, 100, 200, 500, 1000, 2000)  # passages of the pantries that are compared
    size_rate: Fraction = 0.5  # synonyms where sizes are compared
    questions: PositiveInt = 300  # of each pantry at each rate
    seeds: AtLeastTwo = 5  # pantries


@dataclass(frozen=True)
class Results:
    """Measures with intervals over pantries, by the rate of synonyms and by the number of passages."""

    by_rate: dict[str, Rankings]
    by_size: dict[str, Rankings]


def over_pantries(config: Config, passages: int, rate: float) -> Rankings:
    """Return what the rankings are worth in several pantries of a size."""
    found = [
        best_measures(Pantry(seed, passages), rate, config.questions, seed + 1000)
        for seed in range(config.seed, config.seed + config.seeds)
    ]
    return {
        ranking: {name: mean_interval([measures[ranking][name] for measures in found]) for name in GAINS}
        for ranking in (BEST, COUNTED, NO_PRIOR)
    }


def main(config: Config) -> Results:
    by_rate: dict[str, Rankings] = {}
    by_size: dict[str, Rankings] = {}
    for rate in config.rates:
        by_rate[f"{rate:g}"] = over_pantries(config, config.passages, rate)
        show(f"{config.passages:,} passages, {rate:.0%} synonyms", by_rate[f"{rate:g}"])
    for size in config.sizes:
        by_size[str(size)] = over_pantries(config, size, config.size_rate)
        show(f"{size:,} passages, {config.size_rate:.0%} synonyms", by_size[str(size)])
    return Results(by_rate, by_size)


def show(name: str, rankings: Rankings) -> None:
    """Print recall@1 and nDCG@10 of each ranking."""
    print(name)
    for ranking, measures in rankings.items():
        shown = (f"{measure} {show_interval(*measures[measure], '.1%')}" for measure in ("recall@1", "ndcg@10"))
        print(f"  {ranking:<9} " + ", ".join(shown))


def plot(results: Results) -> Figure:
    """Draw nDCG@10 of the best ranking, and of the one without the prior, by rate and by size."""
    figure, (left, right) = new_figure(8.6, 3.4, 1, 2)
    styles = {BEST: ("posterior", COLOURS[0], "o-"), NO_PRIOR: ("likelihood alone", COLOURS[1], "s--")}
    for axes, found in ((left, results.by_rate), (right, results.by_size)):
        for ranking, (name, colour, style) in styles.items():
            means = [100 * rankings[ranking]["ndcg@10"][0] for rankings in found.values()]
            halves = [100 * half for half in error_bars([row[ranking]["ndcg@10"][1] for row in found.values()])]
            x = [100 * float(key) for key in found] if axes is left else range(len(found))
            axes.errorbar(x, means, halves, fmt=style, color=colour, capsize=3, label=name)
        axes.set(ylim=(65, 100), ylabel="nDCG@10, %")
    left.set(xlabel="words of a question that are synonyms, %")
    right.set(xlabel="passages")
    right.set_xticks(range(len(results.by_size)), list(results.by_size))
    left.legend()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot)

"""Does a search help a reader that has learnt a pantry by heart? Right with the passage, without it, and without any.

    uv run sprints/25_retrieval_augmented_generation/remember_or_read.py
    uv run sprints/25_retrieval_augmented_generation/remember_or_read.py --preset long

One model learns two things: to read about some pantries, and to answer about another one with a closed book. Asked
about that one, it gets BM25's first passages or none. The defaults stop early.

Theory: notes/15_a_reader_that_was_trained.md
"""

from dataclasses import dataclass
from statistics import mean

import torch
from matplotlib.figure import Figure
from tqdm import tqdm

from retrieval.hit_rates import crossing, needed_hits
from retrieval.pantry_training import FACTS, TESTED_ON, TRAINED_ON
from retrieval.reader_files import new_reader
from retrieval.reader_sheets import sheets
from retrieval.reader_tasks import Kitchen
from retrieval.reader_tokens import ReaderTokens
from retrieval.reading import Example
from retrieval.trained_reader import TrainedReader, train_reader
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, Fraction, NonNegativeInt, PositiveFloat, PositiveInt, Seeds, check_heads
from shared.lab.run import run

PRESETS = {"long": {"seeds": (0, 1, 2), "steps": 4000}}
CURVES = ("hit", "search", "closed", "good", "misled", "predicted")


@dataclass(frozen=True)
class Config(ScriptConfig):
    passages: AtLeastTwo = 3  # that BM25 finds
    steps: PositiveInt = 600  # optimizer steps
    easy: NonNegativeInt = 750  # the first steps have neither near passages nor synonyms
    words: Fraction = 0.3  # share of sheets whose questions are one word
    sheets: PositiveInt = 16  # sets of passages in a step; every fourth is a closed book
    questions: PositiveInt = 5  # about each set
    learning_rate: PositiveFloat = 1e-3  # the largest, of AdamW
    layers: PositiveInt = 3  # blocks
    d_model: PositiveInt = 128  # features of a token
    heads: PositiveInt = 4  # attention heads
    rates: tuple[Fraction, ...] = (0.0, 0.15, 0.3, 0.45, 0.6, 0.8, 1.0)  # synonym rates
    asked: PositiveInt = 300  # questions at each rate
    seeds: Seeds = (0,)  # models; pantries stay the same

    def check(self) -> None:
        check_heads(self.d_model, self.heads)
        if list(self.rates) != sorted(set(self.rates)):
            raise ValueError(f"--rates must rise, for lines are drawn through them; got {self.rates}")


@dataclass(frozen=True)
class Results:
    """Means over models, with intervals.

    Args:
        curves: by name and rate: the right passage is found; right answers from passages, with a closed book, from
            passages with the right one put in, and with it taken out; what hit rate, good and misled predict.
        needed: the hit rate that the first rate predicts to be needed; None where no model gains by the right passage.
        crossing: the rate from which on searching no longer helps, of the means: measured, and predicted by `needed`.
    """

    curves: dict[str, dict[str, MeanInterval]]
    needed: MeanInterval | None
    crossing: dict[str, float | None]


def trained(config: Config, kitchens: list[Kitchen], home: Kitchen, seed: int) -> TrainedReader:
    """Return a model that has read about some kitchens, and learnt one by heart."""
    generator, tokens = torch.Generator().manual_seed(seed), ReaderTokens()
    model = new_reader(tokens, generator, config.layers, config.d_model, config.heads)
    drawn = sheets(
        kitchens, config.sheets, config.questions, config.passages, generator, home=home,
        easy=config.easy, words=config.words,
    )  # fmt: skip
    steps = train_reader(model, tokens, drawn, steps=config.steps, learning_rate=config.learning_rate)
    for _ in tqdm(steps, total=config.steps, desc=f"reader {seed}", leave=False):
        pass
    return TrainedReader(model, tokens)


def ask(reader: TrainedReader, home: Kitchen, config: Config, rate: float) -> dict[str, float]:
    """Return the shares at one synonym rate; the reader has to answer."""
    generator, rows, hits = torch.Generator().manual_seed(7), {"search": [], "good": [], "misled": [], "closed": []}, []
    for _ in range(config.asked):
        question = home.pantry.ask(generator, rate)
        ranking = home.near(question.text)
        shown, without = ranking[: config.passages], [number for number in ranking if number != question.fact]
        hit = question.fact in shown
        with_it = shown if hit else [*shown[:-1], question.fact]
        hits.append(hit)
        for name, numbers in (
            ("search", shown),
            ("good", with_it),
            ("misled", without[: config.passages]),
            ("closed", []),
        ):
            facts = tuple(home.pantry.facts[number] for number in numbers)
            kind = "right" if question.fact in numbers else ("missing" if numbers else "closed")
            rows[name].append(Example(question, kind, tuple(numbers), facts))
    shares = {
        name: mean(said.answer == one.question.answer for said, one in zip(reader.read(ones, False), ones, strict=True))
        for name, ones in rows.items()
    }
    found = shares | {"hit": mean(hits)}
    return found | {"predicted": found["hit"] * found["good"] + (1 - found["hit"]) * found["misled"]}


def main(config: Config) -> Results:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)  # numbers close to zero are slow on a CPU
    kitchens, home = [Kitchen.of(seed, FACTS) for seed in TRAINED_ON], Kitchen.of(TESTED_ON, FACTS)
    found = []
    for seed in config.seeds:
        reader = trained(config, kitchens, home, seed)
        found.append([ask(reader, home, config, rate) for rate in config.rates])
    curves = {
        name: {
            f"{rate:g}": mean_interval([rows[place][name] for rows in found]) for place, rate in enumerate(config.rates)
        }
        for name in CURVES
    }
    first = [rows[0] for rows in found if rows[0]["good"] > rows[0]["misled"]]
    hits = [needed_hits(row["good"], row["misled"], row["closed"]) for row in first]
    needed = mean_interval(hits) if hits else None
    at = {name: [value for value, _ in row.values()] for name, row in curves.items()}
    where = {
        "measured": crossing(config.rates, [a - b for a, b in zip(at["search"], at["closed"], strict=True)]),
        "predicted": needed and crossing(config.rates, [hit - needed[0] for hit in at["hit"]]),
    }
    for name, row in curves.items():
        print(f"{name:<10}" + " ".join(f"{show_interval(*value, '.1%'):>16}" for value in row.values()))
    print(f"needed hit rate {needed and show_interval(*needed, '.1%')}; searching stops to help at a rate of {where}")
    return Results(curves, needed, where)


def plot(results: Results) -> Figure:
    """Draw right answers from passages and with a closed book by the synonym rate."""
    figure, axes = new_figure(7.2, 4.2)
    styles = {
        "search": ("passages", "o-", COLOURS[1]),
        "closed": ("closed book", "s-", COLOURS[0]),
        "hit": ("right passage found", "x:", "#777777"),
    }
    for name, (label, style, colour) in styles.items():
        means, halves = zip(*results.curves[name].values(), strict=True)
        rates = [100 * float(rate) for rate in results.curves[name]]
        bars = [100 * half for half in error_bars(halves)]
        axes.errorbar(rates, [100 * value for value in means], bars, fmt=style, color=colour, capsize=2, label=label)
    for name, style in (("measured", "-"), ("predicted", "--")):
        if (place := results.crossing[name]) is not None:
            axes.axvline(100 * place, color="black", linestyle=style, linewidth=1)
            axes.annotate(f"{name}: {100 * place:.0f} %", (100 * place, 97 if name == "measured" else 91), fontsize=9)
    axes.set(xlabel="words of a question that are synonyms, %", ylabel="of questions, %", ylim=(0, 100))
    axes.legend(loc="upper right", fontsize=9)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": TRAINED})

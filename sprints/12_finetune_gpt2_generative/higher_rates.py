"""Do higher learning rates help if the weights on the way are averaged?

    uv run sprints/12_finetune_gpt2_generative/higher_rates.py
    uv run sprints/12_finetune_gpt2_generative/higher_rates.py --factors 1 2 4 8 --epochs 24

Factors of the default rates, with the usual schedule, which falls to zero, and with one that stays at a half: then the
last weights jitter, and their mean may be better. Scored is the validation chapter. Theory: notes/10_getting_closer.md
"""

from dataclasses import dataclass
from statistics import fmean

from matplotlib.figure import Figure

from book_finetuning.attempts import Attempt, tune_on_book
from book_finetuning.training_on_blocks import loss_on
from shared.lab.compare import TRAINED
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import ExistingFile, Fraction, PositiveFloat, PositiveInt
from shared.lab.run import run
from shared.lab.runtime import keep_freed_memory, pick_device
from shared.nn.pretrained import load_tokenizer
from shared.text.books import SHIPPED_BOOK, open_book


@dataclass(frozen=True)
class Config(ScriptConfig):
    book: ExistingFile = SHIPPED_BOOK  # a text in chapters
    factors: tuple[PositiveFloat, ...] = (1.0, 2.0, 4.0)  # of the default rates
    floors: tuple[Fraction, ...] = (0.0, 0.5)  # what the schedule falls to, as a part of the peak
    average_from: Fraction = 0.5  # part of the steps from which on weights are averaged
    epochs: PositiveInt = 12  # times through the training chapters
    batch_size: PositiveInt = 4  # scenes of a batch
    seeds: PositiveInt = 1  # runs of each


@dataclass(frozen=True)
class RateOutcome:
    """Losses on the validation chapter, of the last weights and of averaged ones."""

    factor: float
    floor: float
    last: list[float]
    averaged: list[float]


@dataclass(frozen=True)
class Results:
    rows: list[RateOutcome]
    optimum: float | None


def main(config: Config) -> Results:
    keep_freed_memory()
    book, device, rows = open_book(config.book, load_tokenizer()), pick_device(config.device), []
    for factor in config.factors:
        for floor in config.floors:
            row = RateOutcome(factor, floor, [], [])
            attempt = Attempt(config.epochs, config.batch_size, factor, floor, min(config.average_from, 0.99))
            for seed in range(config.seed, config.seed + config.seeds):
                tuned = tune_on_book(book, attempt, seed, device)
                row.last.append(loss_on(book.validation, tuned.last))
                if tuned.averaged is not None:
                    row.averaged.append(loss_on(book.validation, tuned.averaged))
            rows.append(row)
            print(f"factor {factor:g}, floor {floor:g}: {fmean(row.last):.4f}, averaged {fmean(row.averaged):.4f}")
    return Results(rows, book.validation.optimum)


def plot(results: Results) -> Figure:
    """Draw the loss by the factor of the rates, for each schedule, of last and of averaged weights."""
    figure, axes = new_figure()
    for floor in sorted({row.floor for row in results.rows}):
        rows = [row for row in results.rows if row.floor == floor]
        factors = [row.factor for row in rows]
        name = "falls to 0" if floor == 0 else f"stays at {floor:g} of the peak"
        (line,) = axes.plot(factors, [fmean(row.last) for row in rows], "o-", label=f"{name}, last weights")
        averaged = [fmean(row.averaged) for row in rows]
        axes.plot(factors, averaged, "s--", color=line.get_color(), label=f"{name}, averaged")
    axes.set(xlabel="factor of the default learning rates", ylabel="validation chapter, nats per token", xscale="log")
    axes.set_xticks(factors, [f"{factor:g}" for factor in factors])
    axes.minorticks_off()
    axes.legend(fontsize=8)
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"rows.*": TRAINED})

"""Does a wider beam reverse better? Exact match by width, and whose fault each wrong answer is: search or model.

    uv run sprints/15_encoder_decoder/beam_width.py

A reversal that was stopped early is decoded with beams of several widths. A wrong answer is an error of the search if
the model finds the true one more probable, and one of the model otherwise. Theory: notes/04_beam_search.md
"""

from dataclasses import dataclass
from typing import Annotated

import torch
from matplotlib.figure import Figure
from pydantic import Field
from torch.nn.functional import pad

from seq2seq_study.likelihood import log_probability, small_model, train_model
from seq2seq_study.sequences import FIRST, SequencePair, Sequences, make_pair
from shared.checks.intervals import MeanInterval, error_bars, mean_interval
from shared.generation.beam_search import beam_search
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import AtLeastTwo, PositiveFloat, PositiveInt, Seeds
from shared.lab.run import run
from shared.lab.runtime import pick_device, seed_everything
from shared.nn.seq2seq import EncoderDecoder


@dataclass(frozen=True)
class Config(ScriptConfig):
    symbols: AtLeastTwo = 10  # distinct symbols
    longest: Annotated[int, Field(ge=3, le=31)] = 8  # symbols of the longest sequence; the shortest has 3
    steps: PositiveInt = 250  # optimizer steps
    batch_size: PositiveInt = 64  # sequences of a batch
    learning_rate: PositiveFloat = 2e-3  # peak learning rate
    held_out: PositiveInt = 400  # sequences of the test
    widths: tuple[PositiveInt, ...] = (1, 2, 4, 8)  # beams
    seeds: Seeds = (0, 1, 2, 3, 4)  # a training for each; --seed is added


@dataclass(frozen=True)
class BeamScores:
    """Shares of the test rows: right, wrong by the search, wrong by the model; and the mean log-probability found."""

    right: float
    search_errors: float
    model_errors: float
    log_probability: float


@dataclass(frozen=True)
class Results:
    runs: dict[str, list[BeamScores]]
    right: dict[str, MeanInterval]
    gain: dict[str, MeanInterval]
    search_errors: dict[str, MeanInterval]


@torch.no_grad()
def score(model: EncoderDecoder, test: SequencePair, width: int) -> BeamScores:
    """Return whose fault the wrong answers of a beam are."""
    room = test.target.tokens.shape[1] - 1
    found, log_probs = beam_search(model, *test.source, width=width, max_new_tokens=room)
    tokens = pad(found.tokens, (0, room + 1 - found.tokens.shape[1]))
    right = (tokens == test.target.tokens).all(dim=1)
    truth = log_probability(model, test)
    # Two ways to compute one probability differ by rounding.
    by_search = ~right & (truth > log_probs + 1e-4)
    by_model = ~right & ~by_search
    shares = [part.float().mean().item() for part in (right, by_search, by_model)]
    return BeamScores(*shares, log_probs.mean().item())


def main(config: Config) -> Results:
    device = pick_device(config.device)
    runs: dict[str, list[BeamScores]] = {str(width): [] for width in config.widths}
    for seed in config.seeds:
        generator = seed_everything(config.seed + seed)
        data = Sequences(config.symbols, 3, config.longest, config.held_out, generator)
        model = small_model(FIRST + config.symbols, generator, d_model=32, layers=1).to(device)
        batches = data.batches(config.batch_size, "reversal", device)
        train_model(model, batches, config.steps, config.learning_rate, f"seed {seed}")
        test = make_pair(*data.test).to(device)
        for width in config.widths:
            runs[str(width)].append(scores := score(model, test, width))
            print(
                f"seed {seed}, width {width}: {scores.right:.1%} right, {scores.search_errors:.1%} wrong by the ",
                end="",
            )
            print(f"search, {scores.model_errors:.1%} by the model, log-probability {scores.log_probability:.3f}")
    narrow = runs[str(config.widths[0])]
    return Results(
        runs=runs,
        right={width: mean_interval([one.right for one in seeds]) for width, seeds in runs.items()},
        gain={
            width: mean_interval([one.right - other.right for one, other in zip(seeds, narrow, strict=True)])
            for width, seeds in runs.items()
        },
        search_errors={width: mean_interval([one.search_errors for one in seeds]) for width, seeds in runs.items()},
    )


def plot(results: Results) -> Figure:
    """Draw the share of right rows by width, and of rows that the search got wrong, with intervals."""
    figure, axes = new_figure(6.6, 3.6)
    widths = [int(width) for width in results.right]
    for name, values, place in (("right", results.right, -18), ("wrong by the search", results.search_errors, 8)):
        means, halves = zip(*values.values(), strict=True)
        line = axes.errorbar(widths, means, yerr=error_bars(halves), fmt="o-", capsize=3)
        axes.annotate(
            name, (widths[-1], means[-1]), (-4, place), textcoords="offset points", ha="right",
            color=line[0].get_color(),
        )  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set_xticks(widths, [str(width) for width in widths])
    axes.set(xlabel="width of the beam", ylabel="share of test sequences", ylim=(-0.03, 1.03))
    return figure


if __name__ == "__main__":
    # Early in a training the share of rows that are right moves fast.
    run(main, Config, plot=plot, tolerance={"*": Tolerance(relative=0.05, absolute=0.1)})

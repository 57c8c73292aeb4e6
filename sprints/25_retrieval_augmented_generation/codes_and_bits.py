"""How few bits does a vector need? Codes for parts of Gaussian vectors, and the least error that Shannon allows.

    uv run sprints/25_retrieval_augmented_generation/codes_and_bits.py

Each number is rounded by itself, or parts of several numbers to one of 256 values, at the same bits. Errors are those
of vectors that the values were not fitted to. Theory: notes/08_not_looking_at_all.md
"""

from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from retrieval.codes import Codebook, distortion, shannon_bound
from shared.checks.intervals import error_bars, mean_interval, show_interval
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveInt
from shared.lab.run import run

ALONE, TOGETHER = "each number by itself", "parts of several numbers"


@dataclass(frozen=True)
class Config(ScriptConfig):
    features: PositiveInt = 16  # numbers of a vector; 8 must divide them
    vectors: PositiveInt = 20_000  # vectors that the values are fitted to
    held_out: PositiveInt = 5_000  # other ones, whose error counts
    rounds: PositiveInt = 25  # rounds of k-means
    seeds: PositiveInt = 3  # draws of vectors and first values

    def check(self) -> None:
        if self.features % 8:
            raise ValueError(f"--features must be a multiple of 8, the numbers of a part; got {self.features}")


@dataclass(frozen=True)
class Results:
    features: int
    bits: list[int]  # of a number
    bound: list[float]  # least mean squared error of a number
    errors: dict[str, list[list[float]]]  # by the way: for each rate, of each seed


def error_of(parts: int, values: int, config: Config, seed: int) -> float:
    """Return the error of codes with so many values for each of so many parts."""
    generator = np.random.default_rng(seed)
    drawn = generator.normal(size=(config.vectors + config.held_out, config.features)).astype(np.float32)
    train, test = drawn[: config.vectors], drawn[config.vectors :]
    book = Codebook.train(train, parts, config.rounds, generator, values)
    return distortion(test, book.decode(book.encode(test)))


def main(config: Config) -> Results:
    rates = [1, 2, 4]
    bound = [shannon_bound(np.ones(config.features), float(bits * config.features)) for bits in rates]
    errors: dict[str, list[list[float]]] = {ALONE: [], TOGETHER: []}
    for bits, least in zip(rates, bound, strict=True):
        for way in errors:
            numbers = 1 if way == ALONE else 8 // bits  # of a part
            parts, values = config.features // numbers, 2 ** (bits * numbers)
            found = [error_of(parts, values, config, config.seed + seed) for seed in range(config.seeds)]
            errors[way].append(found)
            ratios = mean_interval([error / least for error in found])
            print(f"{bits} bits a number, {way}: {parts} parts of {values} values, ", end="")
            print(f"{show_interval(*ratios, '.2f')} times the least error {least:.3g}")
    return Results(config.features, rates, bound, errors)


def plot(results: Results) -> Figure:
    """Draw how many times the least error each way has."""
    figure, axes = new_figure(6.6, 3.6)
    for (way, found), colour in zip(results.errors.items(), (COLOURS[1], COLOURS[0]), strict=True):
        ratios = [
            mean_interval([error / least for error in errors])
            for errors, least in zip(found, results.bound, strict=True)
        ]
        means = [mean for mean, _ in ratios]
        axes.errorbar(results.bits, means, error_bars([half for _, half in ratios]), fmt="o-", color=colour, capsize=3)
        axes.text(3.7, means[-1] + (0.1 if way == ALONE else -0.85), way, color=colour, ha="right")
    axes.axhline(1, color="black", linewidth=1, linestyle=":")
    axes.text(results.bits[-1], 1.05, "no code can be better", ha="right")
    axes.set(xscale="log", xlabel="bits of a number", ylabel="error / least error", ylim=(0.8, None))
    axes.set_xticks(results.bits, [str(bits) for bits in results.bits])
    axes.minorticks_off()
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance={"*": Tolerance(relative=0.02)})

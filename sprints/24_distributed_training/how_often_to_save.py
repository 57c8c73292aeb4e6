"""How often should a training save? Too often costs time, and too rarely costs work: a formula beside a simulation.

    uv run sprints/24_distributed_training/how_often_to_save.py
    uv run sprints/24_distributed_training/how_often_to_save.py --preset unreliable

A save takes seconds, a machine fails once in so many hours, and whatever was done since the last save is done again.
Theory: notes/10_a_worker_dies.md
"""

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from shared.lab.compare import ROUNDING
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run

PRESETS = {"unreliable": {"save": 60.0, "hours": 1.0, "restart": 300.0}}  # exercise K
FACTORS = (0.125, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 4.0, 8.0)  # intervals, in units of the best one


@dataclass(frozen=True)
class Config(ScriptConfig):
    save: PositiveFloat = 5.0  # seconds that a save takes
    hours: PositiveFloat = 4.0  # from one failure of the job to the next, on average
    restart: PositiveFloat = 60.0  # seconds from a failure to the next step
    days: PositiveFloat = 100.0  # of work, without saves and failures
    seeds: PositiveInt = 5  # simulations of each interval


@dataclass(frozen=True)
class Results:
    best: float  # seconds between two saves, by the formula
    cost_at_best: float  # seconds lost to saves and failures there for each second of useful work, by the formula
    intervals: list[float]
    predicted: list[float]  # seconds lost for each second of useful work
    simulated: list[list[float]]  # by interval and seed


def cost(interval: float, save: float, between: float, restart: float) -> float:
    """Return the seconds lost for each second of work: in saves, and at each failure half an interval and a restart."""
    return save / interval + (interval / 2 + restart) / between


def simulate(config: Config, interval: float, seed: int) -> float:
    """Return the same, found by letting time pass; failures come at random, also during a save."""
    random = np.random.default_rng(seed)
    work, done, time = config.days * 86_400, 0.0, 0.0
    failure = random.exponential(config.hours * 3600)
    while done < work:
        end = time + interval + config.save
        if failure < end:  # what was done since the last save is lost
            time = failure + config.restart
            failure = time + random.exponential(config.hours * 3600)
        else:
            time, done = end, done + interval
    return time / done - 1


def main(config: Config) -> Results:
    between = config.hours * 3600
    best = math.sqrt(2 * config.save * between)
    intervals = [factor * best for factor in FACTORS]
    predicted = [cost(interval, config.save, between, config.restart) for interval in intervals]
    seeds = range(config.seed, config.seed + config.seeds)
    simulated = [[simulate(config, interval, seed) for seed in seeds] for interval in intervals]
    for interval, share, found in zip(intervals, predicted, simulated, strict=True):
        print(f"every {interval:7.0f} s: {share:.1%} lost by the formula, {np.mean(found):.1%} simulated")
    print(f"best: every {best:.0f} s")
    return Results(best, cost(best, config.save, between, config.restart), intervals, predicted, simulated)


def plot(results: Results) -> Figure:
    """Draw what is lost for each second of useful work over the interval: formula as a line, simulations as points."""
    figure, axes = new_figure(6.5, 3.6)
    first, last, best = results.intervals[0], results.intervals[-1], results.best
    # At the best interval saves and failures cost the same. Away from it one part grows as the other shrinks.
    part = (results.predicted[0] - results.cost_at_best) / (first / best + best / first - 2)
    line = np.geomspace(first, last, 100)
    axes.plot(line, results.cost_at_best + part * (line / best + best / line - 2), color=COLOURS[0], label="formula")
    places = [interval for interval, found in zip(results.intervals, results.simulated, strict=True) for _ in found]
    shares = [share for found in results.simulated for share in found]
    axes.plot(places, shares, ".", color=COLOURS[3], label="simulated")
    axes.axvline(best, color="black", linewidth=0.8, linestyle="--")
    axes.text(best * 1.05, max(results.predicted) * 0.9, "best by the formula", fontsize=9)
    axes.set(xscale="log", ylim=(0, None), xlabel="seconds of work between two saves")
    axes.set(ylabel="seconds lost for each\nsecond of useful work")
    axes.set_xticks(results.intervals, [f"{interval:.0f}" for interval in results.intervals])
    axes.minorticks_off()
    axes.legend(loc="upper center", bbox_to_anchor=(0.3, 1.0))
    return figure


if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": ROUNDING})

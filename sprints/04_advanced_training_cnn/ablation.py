"""What does each ingredient of the recipe give? Leave out one at a time, and search the learning rate anew each time.

    uv run sprints/04_advanced_training_cnn/ablation.py
    uv run sprints/04_advanced_training_cnn/ablation.py --preset fresh-averages

A recipe without batch norm may want another learning rate. So each case tries the same rates on the same blocks of the
first half, with one seed for each block, and the rate with the best mean accuracy is measured on the other blocks,
which had no part in the choice. Cases are compared block by block; the test half is left alone.
Theory: notes/06_regularisation.md
"""

import statistics
from dataclasses import dataclass, replace
from itertools import islice
from typing import Annotated, Any

from matplotlib.figure import Figure

from digit_study.recipe import Recipe
from digit_study.trials import Trial, run_trials
from shared.checks.intervals import MeanInterval, error_bars, mean_interval, show_interval
from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.ranges import Different, PositiveFloat, PositiveInt, Processes
from shared.lab.run import run

NO_AUGMENTATION: dict[str, Any] = {"rotation": 0.0, "scaling": 0.0, "shear": 0.0, "shift": 0.0}
ONLY_NORM: dict[str, Any] = {**NO_AUGMENTATION, "label_smoothing": 0.0, "weight_decay": 0.0, "schedule": "constant"}
CASES: dict[str, dict[str, Any]] = {
    "whole recipe": {},
    "no augmentation": NO_AUGMENTATION,
    "with dropout 0.2": {"dropout": 0.2},
    "no label smoothing": {"label_smoothing": 0.0},
    "no weight decay": {"weight_decay": 0.0},
    "constant rate": {"schedule": "constant"},
    "no batch norm": {"norm": False},
    "only batch norm": ONLY_NORM,
    "nothing of these": {**ONLY_NORM, "norm": False},
}
# Without batch norm, does the rest of the recipe give anything? The first of the two, less the second.
PAIR = ("no batch norm", "nothing of these")
PRESETS = {
    # Is a constant rate worse because batch norm's running averages lag behind the weights?
    "fresh-averages": {"fresh_averages": True, "cases": ("whole recipe", "constant rate", "only batch norm")},
}


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: PositiveInt = 300  # optimizer steps of a run
    rates: Annotated[tuple[PositiveFloat, ...], Different] = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)  # to choose from
    search: PositiveInt = 2  # blocks on which each rate is tried
    seeds: PositiveInt = 5  # other blocks, on which the chosen rate is measured; each has a seed of its own
    cases: Annotated[tuple[str, ...], Different] = tuple(CASES)  # cases to run; others are compared with the first
    fresh_averages: bool = False  # compute batch norm's averages anew, by the last weights, before each score
    processes: Processes = 2  # runs at the same time, with one thread each

    def check(self) -> None:
        if unknown := [name for name in self.cases if name not in CASES]:
            raise ValueError(f"--cases must be out of {', '.join(CASES)}; got {unknown[0]!r}")


@dataclass(frozen=True)
class Case:
    """Mean accuracies of the search by rate, the rate taken, and what it scored on the blocks kept for measuring.

    Means have half of their 95 % interval; `change` is that against the first case, block by block.
    """

    searched: dict[str, float]
    learning_rate: float
    at_the_edge: bool
    accuracies: list[float]
    accuracy: MeanInterval
    change: MeanInterval


@dataclass(frozen=True)
class Results:
    steps: int
    cases: dict[str, Case]
    pair: MeanInterval | None


def split_blocks(search: int, measured: int) -> tuple[list[int], list[int]]:
    """Return which blocks the search uses, spread over all, and the others, which measure."""
    count = search + measured
    searching = [block * count // search for block in range(search)]
    return searching, [block for block in range(count) if block not in searching]


def difference(accuracies: list[float], others: list[float]) -> MeanInterval:
    """Return the mean of paired differences with half of its 95 % interval."""
    return mean_interval([mine - other for mine, other in zip(accuracies, others, strict=True)])


def main(config: Config) -> Results:
    searching, measuring = split_blocks(config.search, config.seeds)

    def make_trials(case: str, rate: float, blocks: list[int]) -> list[Trial]:
        recipe = Recipe(steps=config.steps, warmup=config.steps // 10, learning_rate=rate)
        recipe = replace(recipe, **CASES[case])
        count = config.search + config.seeds
        return [Trial(recipe, block, count, config.seed + block, config.fresh_averages) for block in blocks]

    tried = {(case, rate): make_trials(case, rate, searching) for case in config.cases for rate in sorted(config.rates)}
    scores = iter(run_trials([trial for trials in tried.values() for trial in trials], config.processes, "search"))
    searched: dict[str, dict[float, float]] = {case: {} for case in config.cases}
    for case, rate in tried:
        searched[case][rate] = statistics.mean(islice(scores, config.search))
    # Of rates that are equally good, the lowest.
    best = {case: max(means, key=means.__getitem__) for case, means in searched.items()}
    chosen = [trial for case in config.cases for trial in make_trials(case, best[case], measuring)]
    scores = iter(run_trials(chosen, config.processes, "measure"))
    measured = {case: list(islice(scores, config.seeds)) for case in config.cases}
    cases = {
        case: Case(
            searched={str(rate): mean for rate, mean in searched[case].items()},
            learning_rate=best[case],
            at_the_edge=best[case] in (min(config.rates), max(config.rates)),
            accuracies=measured[case],
            accuracy=mean_interval(measured[case]),
            change=difference(measured[case], measured[config.cases[0]]),
        )
        for case in config.cases
    }
    for name, case in cases.items():
        edge = " (at the edge of the search)" if case.at_the_edge else ""
        print(f"{name:<20}at {case.learning_rate:<7g}{show_interval(*case.accuracy, '.2%')}, ", end="")
        print(f"change {show_interval(*case.change, '+.2%')}{edge}")
    pair = None
    if all(case in measured for case in PAIR):
        pair = difference(*(measured[case] for case in PAIR))
        print(f"{PAIR[0]} less {PAIR[1]}: {show_interval(*pair, '+.2%')}")
    return Results(config.steps, cases, pair)


def plot(results: Results) -> Figure:
    """Draw the accuracies of the search as a table in colour, and the change that each case makes."""
    figure, (upper, lower) = new_figure(7.0, 7.2, rows=2)
    names, rates = list(results.cases), list(next(iter(results.cases.values())).searched)
    table = [[100 * mean for mean in case.searched.values()] for case in results.cases.values()]
    upper.imshow(table, cmap="Blues", vmin=80, vmax=115, aspect="auto")
    for row, case in enumerate(results.cases.values()):
        for column, (rate, mean) in enumerate(case.searched.items()):
            weight = "bold" if float(rate) == case.learning_rate else "normal"
            upper.text(column, row, f"{100 * mean:.1f}", ha="center", va="center", fontweight=weight)
    upper.set_xticks(range(len(rates)), [f"{float(rate):g}" for rate in rates])
    upper.set_yticks(range(len(names)), names)
    upper.set(xlabel="learning rate", title="search: validation accuracy in %, bold the rate that is taken")
    upper.grid(visible=False)
    first, *others = results.cases.values()
    for row, case in enumerate(others):
        changes = [100 * (mine - other) for mine, other in zip(case.accuracies, first.accuracies, strict=True)]
        lower.plot(changes, [row] * len(changes), "o", color="silver")
        bars = [100 * half for half in error_bars([case.change[1]])]
        lower.errorbar(100 * case.change[0], row, xerr=bars, fmt="D", color="C0", capsize=3)
    lower.axvline(0, color="black", linewidth=1)
    lower.set_yticks(range(len(others)), names[1:])
    lower.invert_yaxis()
    lower.set(
        xlabel="change of the validation accuracy in points (grey: each block; bar: 95 % interval)",
        title=f"measured on other blocks, against the {names[0]}",
    )
    return figure


# A block has 128 images: a few of them change sides between machines, and with them the rate that is taken.
TOLERANCE = {
    "cases.*": Tolerance(absolute=0.03),
    "cases.*.searched.*": Tolerance(compared=False),
    "cases.*.learning_rate": Tolerance(compared=False),
    "cases.*.at_the_edge": Tolerance(compared=False),
    "pair*": Tolerance(absolute=0.03),
    "steps": EXACT,
}

if __name__ == "__main__":
    run(main, Config, plot=plot, presets=PRESETS, tolerance=TOLERANCE)

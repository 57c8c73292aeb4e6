"""What does each ingredient of the recipe give? Leave out one at a time, and all at once.

    uv run sprints/04_advanced_training_cnn/ablation.py

Runs train.py with other options, one process for each case. Every fold of the first half validates once with a seed of
its own, and cases are compared fold by fold; the test half is left alone. Theory: notes/06_regularisation.md
"""

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure
from tqdm import tqdm

from shared.lab.config import ScriptConfig
from shared.lab.figures import new_figure
from shared.lab.run import run as run_script

TRAIN = Path(__file__).with_name("train.py")
Options = dict[str, float | str | None]
NO_AUGMENTATION: Options = {"rotation": 0, "scaling": 0, "shear": 0, "shift": 0}
# None stands for an option without a value.
CASES: dict[str, Options] = {
    "whole recipe": {},
    "no shifts": {"shift": 0},
    "no rotations": {"rotation": 0},
    "no scaling, no shear": {"scaling": 0, "shear": 0},
    "no augmentation": NO_AUGMENTATION,
    "with dropout 0.2": {"dropout": 0.2},
    "no label smoothing": {"label-smoothing": 0},
    "no weight decay": {"weight-decay": 0},
    "no batch norm": {"no-norm": None},
    "no annealing": {"schedule": "constant"},
    "nothing of these": {
        **NO_AUGMENTATION, "label-smoothing": 0, "weight-decay": 0, "no-norm": None,
        "schedule": "constant",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: int = 240  # optimizer steps of a run
    seeds: int = 5  # runs of a case; each validates on the next fold
    cases: tuple[str, ...] = tuple(CASES)  # cases to run; the first is what the others are compared with
    processes: int = 2  # cases that run at the same time, with one thread each


@dataclass(frozen=True)
class Case:
    """Scores of the last weights on the folds held out, and the change against the first case, fold by fold."""

    accuracies: list[float]
    accuracy: float
    deviation: float
    change: float
    change_error: float


@dataclass(frozen=True)
class Results:
    steps: int
    cases: dict[str, Case]


def run(name: str, config: Config) -> list[dict]:
    """Return the runs that train.py reports for a case.

    Raises:
        ValueError: a case that is not in the list.
        RuntimeError: training failed.
    """
    if name not in CASES:
        raise ValueError(f"--cases must be out of {', '.join(CASES)}; got {name!r}")
    with tempfile.TemporaryDirectory() as folder:
        fixed: Options = {
            "out": folder, "device": "cpu", "seed": config.seed, "seeds": config.seeds, "steps": config.steps,
            "warmup": config.steps // 10, "eval-every": config.steps, "no-test": None, "no-tensorboard": None,
        }  # fmt: skip
        words = [f"--{key}" if value is None else f"--{key}={value}" for key, value in (fixed | CASES[name]).items()]
        # One thread: maps as small as these gain nothing from a second.
        one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
        command = [sys.executable, str(TRAIN), *words]
        done = subprocess.run(command, env=one_thread, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"training failed for {name!r} with {' '.join(words)}: {done.stderr[-2000:]}")
        return json.loads((Path(folder) / "results" / "train.json").read_text(encoding="utf-8"))["results"]["runs"]


def summarise(runs: list[dict], baseline: list[dict]) -> Case:
    """Return the scores of a case beside those of the baseline."""
    ours, theirs = ([run["validation_accuracies"][-1] for run in each] for each in (runs, baseline))
    changes = [after - before for after, before in zip(ours, theirs, strict=True)]
    several = len(changes) > 1
    return Case(
        accuracies=ours,
        accuracy=statistics.mean(ours),
        deviation=statistics.stdev(ours) if several else 0.0,
        change=statistics.mean(changes),
        change_error=statistics.stdev(changes) / math.sqrt(len(changes)) if several else 0.0,
    )


def main(config: Config) -> Results:
    with ThreadPoolExecutor(config.processes) as pool:
        found = pool.map(lambda name: run(name, config), config.cases)
        runs = dict(zip(config.cases, tqdm(found, total=len(config.cases), unit="case"), strict=True))
    cases = {name: summarise(each, runs[config.cases[0]]) for name, each in runs.items()}
    for name, case in cases.items():
        print(f"{name:<22}{case.accuracy:.2%} +- {case.deviation:.2%}, ", end="")
        print(f"change {case.change:+.2%} +- {case.change_error:.2%}")
    return Results(config.steps, cases)


def plot(results: Results) -> Figure:
    """Draw the change of the accuracy of each case, with its standard error and every fold's loss or gain."""
    figure, axes = new_figure()
    first, *others = results.cases
    for place, name in enumerate(others):
        case = results.cases[name]
        folds = [after - before for after, before in zip(case.accuracies, results.cases[first].accuracies, strict=True)]
        axes.plot([100 * change for change in folds], [place] * len(folds), "o", color="lightgrey")
        axes.errorbar(100 * case.change, place, xerr=100 * case.change_error, fmt="D", color="C0", capsize=3)
    axes.axvline(0, color="black", linewidth=1)
    axes.set_yticks(range(len(others)), others)
    axes.invert_yaxis()
    axes.set(xlabel="change of the validation accuracy in points (grey: each fold)")
    return figure


if __name__ == "__main__":
    run_script(main, Config, plot=plot)

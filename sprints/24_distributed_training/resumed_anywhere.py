"""One checkpoint, any number of processes: a training that two begin, four go on with, and one ends.

    uv run sprints/24_distributed_training/resumed_anywhere.py
    uv run sprints/24_distributed_training/resumed_anywhere.py --steps 4

Each leg starts new processes, which read the checkpoint of the leg before. The losses are compared with those of one
process that did all steps, in float64 and without dropout. Theory: notes/09_the_main_job_on_two.md
"""

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from parallel_study.elastic import BATCH, CHECKPOINT, train
from parallel_study.processes import on_processes
from shared.lab.compare import EXACT, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.training.checkpoints import load_checkpoint
from shared.training.parallel import Parallel

LEGS: tuple[tuple[int, Parallel], ...] = ((2, "ddp"), (4, "fsdp"), (1, "ddp"), (2, "fsdp"), (4, "ddp"))


@dataclass(frozen=True)
class Config(ScriptConfig):
    steps: PositiveInt = 10  # optimizer steps of a leg
    rows: PositiveInt = 400  # rows of an epoch, which all legs read together

    def check(self) -> None:
        if self.rows % BATCH:
            raise ValueError(f"--rows must be a multiple of the batch, {BATCH}; got {self.rows}")


@dataclass(frozen=True)
class Leg:
    processes: int
    parallel: str
    first_step: int
    last_step: int
    difference: float  # the largest of its losses, beside one process


@dataclass(frozen=True)
class Results:
    legs: list[Leg]
    largest: float
    used_twice: int  # rows in the weights more often than in those of one process
    left_out: int


def main(config: Config) -> Results:
    with tempfile.TemporaryDirectory() as name:
        alone, shared = Path(name) / "alone", Path(name) / "shared"
        for folder in (alone, shared):
            folder.mkdir()
        on_processes(1, train, alone, "ddp", config.rows, len(LEGS) * config.steps, 0.0, config.seed, True)
        for number, (processes, parallel) in enumerate(LEGS, 1):
            on_processes(processes, train, shared, parallel, config.rows, number * config.steps, 0.0, config.seed, True)
        one, other = (load_checkpoint(folder / CHECKPOINT)["extra"] for folder in (alone, shared))
    apart = [abs(ours - theirs) for ours, theirs in zip(one["losses"], other["losses"], strict=True)]
    legs = []
    for number, (processes, parallel) in enumerate(LEGS):
        start, end = number * config.steps, (number + 1) * config.steps
        legs.append(Leg(processes, parallel, start + 1, end, max(apart[start:end])))
        print(
            f"steps {start + 1} to {end}, {processes} processes, {parallel}: losses differ by {legs[-1].difference:.1e}"
        )
    expected, found = Counter(one["used"]), Counter(other["used"])
    results = Results(legs, max(apart), len(found - expected), len(expected - found))
    print(f"rows used twice: {results.used_twice}, left out: {results.left_out}")
    return results


if __name__ == "__main__":
    tolerance = {"*": EXACT, "largest": Tolerance(absolute=1e-12), "legs.*.difference": Tolerance(absolute=1e-12)}
    run(main, Config, tolerance=tolerance)

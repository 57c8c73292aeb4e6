"""A worker is killed in mid-epoch, ten times: does the training end where an undisturbed one ends, byte for byte?

    uv run sprints/24_distributed_training/killed_worker.py
    uv run sprints/24_distributed_training/killed_worker.py --kills 2 --steps 30 --parallel fsdp

`torchrun --max-restarts` notices the dead process, stops the other, and starts both again; they go on from the last
checkpoint. Which rows made the weights is counted, too. Theory: notes/10_a_worker_dies.md
"""

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from parallel_study.elastic import BATCH, CHECKPOINT, train
from parallel_study.killing import Job, attempts_of, digest, log_of, train_with_kills
from parallel_study.processes import on_processes
from shared.lab.compare import EXACT, TIMING
from shared.lab.config import ScriptConfig
from shared.lab.figures import COLOURS, new_figure
from shared.lab.ranges import AtLeastTwo, NonNegativeFloat, PositiveInt
from shared.lab.run import run
from shared.training.checkpoints import load_checkpoint
from shared.training.parallel import Parallel


@dataclass(frozen=True)
class Config(ScriptConfig):
    kills: PositiveInt = 10  # times that a worker is killed
    processes: AtLeastTwo = 2  # workers
    parallel: Parallel = "ddp"  # ddp or fsdp
    rows: PositiveInt = 400  # rows of an epoch
    steps: PositiveInt = 150  # optimizer steps of all runs together
    pause: NonNegativeFloat = 0.02  # seconds that a step takes at least

    def check(self) -> None:
        if self.rows % BATCH or BATCH % self.processes:
            raise ValueError(
                f"a batch has {BATCH} rows: --rows must be a multiple of it, and --processes a divisor; "
                f"got {self.rows} and {self.processes}"
            )


@dataclass(frozen=True)
class Results:
    kills: int
    epochs: float
    identical: bool  # weights, averages and losses, beside a run that nothing disturbed
    used_too_often: int  # rows in the weights more often than their epochs say
    used_too_rarely: int
    killed_ranks: list[int]
    attempts: list[list[int]]  # of each start: the first step that it did, the last, and the last that was saved
    steps_repeated: int
    seconds_lost: float  # from a kill to the next step, on average
    processes_left: int


def main(config: Config) -> Results:
    job = Job(config.processes, config.parallel, config.rows, config.steps, config.pause, config.seed)
    with tempfile.TemporaryDirectory() as name:
        calm, killed = Path(name) / "calm", Path(name) / "killed"
        for folder in (calm, killed):
            folder.mkdir()
        on_processes(config.processes, train, calm, config.parallel, config.rows, config.steps, 0.0, config.seed)
        kills = train_with_kills(job, killed, config.kills)
        ends, log = [load_checkpoint(folder / CHECKPOINT) for folder in (calm, killed)], log_of(killed)
    digests = [digest([end["model"], end["optimizers"], end["extra"]["losses"]]) for end in ends]
    counts, expected = (Counter(end["extra"]["used"]) for end in ends[::-1])
    attempts = attempts_of(log)
    results = Results(
        kills=len(kills.ranks), epochs=config.steps * BATCH / config.rows, identical=digests[0] == digests[1],
        used_too_often=len(counts - expected), used_too_rarely=len(expected - counts), killed_ranks=kills.ranks,
        attempts=attempts, steps_repeated=sum(last - saved for _, last, saved in attempts),
        seconds_lost=sum(kills.seconds) / len(kills.seconds), processes_left=kills.left,
    )  # fmt: skip
    print(f"killed {results.kills} times: identical {results.identical}; {results.steps_repeated} steps were repeated;")
    print(f"rows used too often {results.used_too_often}, too rarely {results.used_too_rarely}; left over {kills.left}")
    return results


def plot(results: Results) -> Figure:
    """Draw the steps of each start as a bar, what was lost of it in another colour, and who was killed."""
    figure, axes = new_figure(7.5, 3.8)
    for number, (first, last, saved) in enumerate(results.attempts):
        axes.barh(number, saved - first + 1, left=first - 1, color=COLOURS[0], height=0.6)
        axes.barh(number, last - saved, left=saved, color=COLOURS[1], height=0.6)
        if number < results.kills:
            axes.text(last + 1, number, f"process {results.killed_ranks[number]} killed", va="center", fontsize=8)
    axes.set(xlabel="step", ylabel="start", yticks=range(len(results.attempts)), xlim=(0, results.attempts[-1][1] + 3))
    axes.invert_yaxis()
    axes.set_title("blue: in the weights; orange: done, lost, and done again", fontsize=10)
    return figure


# How far the workers are when the signal comes, a clock says.
TOLERANCE = {"*": TIMING, "kills": EXACT, "identical": EXACT, "used_*": EXACT, "processes_left": EXACT}

if __name__ == "__main__":
    run(main, Config, plot=plot, tolerance=TOLERANCE)

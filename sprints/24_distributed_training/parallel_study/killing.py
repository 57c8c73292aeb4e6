"""Workers of `torchrun` that are killed while they train, and what they leave."""

import hashlib
import os
import subprocess
import time
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import torch
from tqdm import tqdm

from parallel_study.checks import fingerprint
from parallel_study.elastic import EVERY, LOG
from parallel_study.loopback import TORCHRUN
from shared.training.parallel import Parallel

HERE = Path(__file__).parents[1]
PATIENCE = 300.0  # seconds without a new step
MOST_STEPS = 14  # of a start before its worker is killed


class Job(NamedTuple):
    """What the workers do; see `parallel_study/elastic.py::train`."""

    processes: int
    parallel: Parallel
    rows: int
    steps: int
    pause: float
    seed: int


class Kills(NamedTuple):
    """Which worker was killed in each start, the seconds until the next step, and how many workers are left."""

    ranks: list[int]
    seconds: list[float]
    left: int


def command(job: Job, folder: Path, kills: int) -> list[str]:
    """Return the command that starts the workers, and starts them again."""
    options = ["--standalone", "--nproc-per-node", str(job.processes), "--max-restarts", str(kills)]
    return [*TORCHRUN, *options, "-m", "parallel_study.elastic", str(folder), *map(str, job[1:])]


def log_of(folder: Path) -> list[tuple[int, int, int]]:
    """Return attempt, rank and step of every step that a worker has done."""
    path = folder / LOG
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [(attempt, rank, step) for attempt, rank, step in (map(int, line.split()) for line in lines)]


def wait_for_steps(folder: Path, attempt: int, rank: int, count: int, process: subprocess.Popen) -> None:
    """Wait until a worker has done so many steps in an attempt.

    Raises:
        RuntimeError: it ended, or did no step for a long time.
    """
    until = time.monotonic() + PATIENCE
    while sum(line[:2] == (attempt, rank) for line in log_of(folder)) < count:
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"attempt {attempt} did not come to its step {count}: is --steps too small?")
        time.sleep(0.005)


def workers_of(process: subprocess.Popen) -> list[psutil.Process]:
    """Return the workers of `torchrun` that are alive, by rank."""
    workers = [child for child in psutil.Process(process.pid).children() if "RANK" in child.environ()]
    return sorted(workers, key=lambda child: int(child.environ()["RANK"]))


def train_with_kills(job: Job, folder: Path, kills: int) -> Kills:
    """Train to the end, while a random worker is killed in each of the first starts, at a random moment.

    Raises:
        RuntimeError: a worker did not come to its step, or torchrun failed.
    """
    generator = torch.Generator().manual_seed(job.seed)
    paths = os.pathsep.join([str(HERE), str(HERE.parent.parent), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": paths}
    ranks, lost, seen = [], [], []
    with open(folder / "said.txt", "w", encoding="utf-8") as said:
        process = subprocess.Popen(command(job, folder, kills), env=environment, stdout=said, stderr=said)
        try:
            for attempt in tqdm(range(kills), unit="kill"):
                rank, count = (
                    int(torch.randint(most, (), generator=generator)) for most in (job.processes, MOST_STEPS)
                )
                wait_for_steps(folder, attempt, rank, count + 1, process)
                workers = workers_of(process)
                seen += workers
                time.sleep(float(torch.rand((), generator=generator)) * job.pause * EVERY)
                workers[rank].kill()
                killed = time.monotonic()
                ranks.append(rank)
                wait_for_steps(folder, attempt + 1, 0, 1, process)
                lost.append(time.monotonic() - killed)
            if process.wait(timeout=PATIENCE):
                raise RuntimeError(f"torchrun failed: {(folder / 'said.txt').read_text(encoding='utf-8')[-2000:]}")
        finally:
            process.terminate()  # its workers end with it
            process.wait(timeout=60)
    return Kills(ranks, lost, sum(worker.is_running() for worker in seen))


def digest(value: Any) -> str:
    """Return a hash of all tensors and numbers in a nested state, in order."""
    if isinstance(value, torch.Tensor):
        return fingerprint(value)
    parts = value.items() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    text = "".join(map(digest, parts)) if parts else repr(value)
    return hashlib.sha256(text.encode()).hexdigest()


def attempts_of(log: list[tuple[int, int, int]]) -> list[list[int]]:
    """Return first, last and last saved step of each start, by what the first process noted."""
    attempts = []
    for attempt in sorted({line[0] for line in log}):
        steps = [step for number, rank, step in log if (number, rank) == (attempt, 0)]
        attempts.append([steps[0], steps[-1]])
    following = [first - 1 for first, _ in attempts[1:]]
    saved = [*following, attempts[-1][1]]
    return [[first, last, kept] for (first, last), kept in zip(attempts, saved, strict=True)]

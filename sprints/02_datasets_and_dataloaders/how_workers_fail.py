"""How do worker processes fail, and what do the errors say?

    uv run sprints/02_datasets_and_dataloaders/how_workers_fail.py

Small programs, each with one fault, run in processes of their own, and what they print is kept. On macOS and Windows
workers are spawned by default, so the first three faults happen there to everybody. Theory: notes/10_workers.md
"""

import re
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from tqdm import tqdm

from shared.lab.compare import EXACT
from shared.lab.config import ScriptConfig
from shared.lab.run import run

UNGUARDED = """
from torch.utils.data import DataLoader

for batch in DataLoader(range(8), batch_size=4, num_workers=1, multiprocessing_context="spawn"):
    print(batch.tolist())
"""
GUARDED = """
import os
import signal
from torch.utils.data import DataLoader, Dataset

class Items(Dataset):
    def __init__(self, file=None):
        self.file = file

    def __len__(self):
        return 8

    def __getitem__(self, index):
        return {item}

def main():
    for batch in DataLoader({data}, batch_size=4, num_workers=1{settings}):
        print(batch.tolist())

if __name__ == "__main__":
    main()
"""
SPAWN = ', multiprocessing_context="spawn"'


def program(item: str = "index", data: str = "Items()", settings: str = "") -> str:
    """Return a program that prints the batches of a small data set, with something put into it."""
    return GUARDED.format(item=item, data=data, settings=settings)


Fault = Literal[
    "no __main__ guard",
    "a lambda as collate_fn",
    "an open file in the data set",
    "an exception in an item",
    "a worker that is killed",
    "no fault",
]
PROGRAMS: dict[Fault, str] = {
    "no __main__ guard": UNGUARDED,
    "a lambda as collate_fn": program(settings=f"{SPAWN}, collate_fn=lambda items: items"),
    "an open file in the data set": program(data="Items(open(__file__))", settings=SPAWN),
    "an exception in an item": program(item="60 // (5 - index)"),
    "a worker that is killed": program(item="os.kill(os.getpid(), signal.SIGKILL)"),
    "no fault": program(settings=SPAWN),
}
Seconds = Annotated[float, Field(gt=0, le=3600)]


@dataclass(frozen=True)
class Config(ScriptConfig):
    faults: tuple[Fault, ...] = tuple(PROGRAMS)  # which programs to run
    timeout: Seconds = 180.0  # seconds after which a program is ended


@dataclass(frozen=True)
class Outcome:
    """A program: its code, its exit code, what it printed, and every error that it raised, in order."""

    program: str
    exit_code: int
    printed: str
    errors: list[str]


@dataclass(frozen=True)
class Results:
    outcomes: dict[str, Outcome]


def errors_in(text: str) -> list[str]:
    """Return the errors that stand in what a program wrote, without tracebacks and numbers of processes.

    An error is a line "SomeError: message"; the message goes on until the next traceback.
    """
    errors = re.findall(
        r"^((?:\w+\.)*\w*Error\b:?.*?)(?=^(?:Original )?Traceback|^(?:\w+\.)*\w*Error\b|^\S[^\n]*\bexception\b|\Z)",
        text,
        re.M | re.S,
    )
    return [re.sub(r"(pid(?:\(s\))?) [\d, ]+\d", r"\1 ...", " ".join(error.split())) for error in errors]


def possible(faults: tuple[Fault, ...]) -> list[Fault]:
    """Return the faults that this system can have, and say which it cannot."""
    # Windows ends a process in another way.
    lacking = {} if hasattr(signal, "SIGKILL") else {"a worker that is killed": "this system has no signal SIGKILL"}
    for fault in faults:
        if fault in lacking:
            print(f"left out: {fault}, because {lacking[fault]}")
    return [fault for fault in faults if fault not in lacking]


def run_program(fault: Fault, timeout: float) -> Outcome:
    """Run a program in a folder of its own.

    Raises:
        ValueError: it takes longer than `timeout` seconds.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.py"
        path.write_text(PROGRAMS[fault], encoding="utf-8")
        command = [sys.executable, path.name]
        try:
            process = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=timeout, check=False)
        except subprocess.TimeoutExpired:
            raise ValueError(
                f"the program with {fault!r} has not ended after {timeout:g} s: give a longer --timeout"
            ) from None
    return Outcome(PROGRAMS[fault].strip(), process.returncode, process.stdout.strip(), errors_in(process.stderr))


def main(config: Config) -> Results:
    faults = possible(config.faults)
    with ThreadPoolExecutor(max_workers=2) as pool:
        running = pool.map(lambda fault: run_program(fault, config.timeout), faults)
        outcomes: dict[str, Outcome] = dict(zip(faults, tqdm(running, total=len(faults)), strict=True))
    for name, outcome in outcomes.items():
        print(f"\n{name}: exit code {outcome.exit_code}, printed {outcome.printed!r}")
        for error in outcome.errors:
            print(f"  {error}")
    return Results(outcomes)


if __name__ == "__main__":
    # The words of an error are those of a version of Python and PyTorch.
    run(
        main,
        Config,
        tolerance={"outcomes.*.program": EXACT, "outcomes.*.exit_code": EXACT, "outcomes.*.printed": EXACT},
    )

"""Killed at any moment, ten times: is an item used twice or lost? A run with workers, checkpoints and no mercy.

    uv run sprints/23_loader_memory/killed_stream.py
    uv run sprints/23_loader_memory/killed_stream.py --kills 3 --items 1200

The run is a process with two workers. Every few batches it writes one file, at once or not at all: the state of its
stream and, in place of weights, the items that it has used. Theory: notes/08_a_stream_that_goes_on.md
"""

import json
import multiprocessing
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import torch
from tqdm import tqdm

from memory_study.streams import StreamLoader
from shared.lab.compare import EXACT, TIMING
from shared.lab.config import ScriptConfig
from shared.lab.files import replacing
from shared.lab.ranges import PositiveFloat, PositiveInt
from shared.lab.run import run


@dataclass(frozen=True)
class Config(ScriptConfig):
    items: PositiveInt = 3200  # lines in all files together
    kills: PositiveInt = 10  # times that the run is killed
    batch_size: PositiveInt = 8  # lines of a batch
    buffer: PositiveInt = 40  # lines in the shuffle buffer of each lane
    every: PositiveInt = 5  # batches from one checkpoint to the next
    step: PositiveFloat = 0.01  # seconds of a training step


@dataclass(frozen=True)
class Results:
    kills: int
    used_twice: int
    never_used: int
    same_order: bool  # as in a run that was never stopped
    steps_repeated: int  # that were done after the last checkpoint and had to be done again
    processes_left: int


def new_loader(folder: Path, config: Config, workers: int) -> StreamLoader:
    return StreamLoader(sorted(folder.glob("*.txt")), config.batch_size, config.buffer, 4, workers, config.seed)


def train(folder: Path, config: Config, steps: Any) -> None:
    """Use the items of an epoch, from the checkpoint on if there is one; the process that is killed."""
    torch.set_num_threads(1)
    loader, checkpoint = new_loader(folder, config, workers=2), folder / "checkpoint.json"
    used: list[str] = []
    if checkpoint.exists():
        saved = json.loads(checkpoint.read_text(encoding="utf-8"))
        loader.load_state_dict(saved["stream"])
        used = saved["used"]
    if loader.epoch:
        return  # the epoch was done before the kills were

    def save() -> None:
        with replacing(checkpoint) as temporary:
            temporary.write_text(json.dumps({"stream": loader.state_dict(), "used": used}), encoding="utf-8")

    for number, batch in enumerate(loader, 1):
        time.sleep(config.step)  # forward, backward, step
        used += batch
        steps.value += 1
        if number % config.every == 0:
            save()
    save()


def kill(process: multiprocessing.Process) -> int:
    """Kill a process and then its workers; return how many of them are left after that."""
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.join()
    for worker in workers:
        if worker.is_running():
            worker.kill()
    return len(psutil.wait_procs(workers, timeout=10)[1])


def main(config: Config) -> Results:
    moments = torch.rand(config.kills, generator=torch.Generator().manual_seed(config.seed)).tolist()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = [f"item {number}\n" for number in range(config.items)]
        for number in range(8):
            (folder / f"{number}.txt").write_text("".join(lines[number::8]), encoding="utf-8")
        expected = [item for batch in new_loader(folder, config, workers=0) for item in batch]
        steps = multiprocessing.Value("q", 0, lock=False)  # a lock could be held by whoever is killed
        left = killed = 0
        for run_number in tqdm(range(config.kills + 1), unit="run"):
            process = multiprocessing.Process(target=train, args=(folder, config, steps))
            process.start()
            if run_number == config.kills:
                process.join()
                break
            begun = steps.value
            while steps.value == begun and process.is_alive():  # until its first step is done
                time.sleep(0.005)
            time.sleep(moments[run_number] * 0.9 * config.step * config.items / config.batch_size / config.kills)
            if process.is_alive():
                killed += 1
                left += kill(process)
        used = json.loads((folder / "checkpoint.json").read_text(encoding="utf-8"))["used"]
    counts = Counter(used)
    twice = sum(count > 1 for count in counts.values())
    repeated = steps.value - len(expected) // config.batch_size
    print(f"killed {killed} times: {twice} items used twice, {config.items - len(counts)} never", end="")
    print(f", order as if never stopped: {used == expected}; {repeated} steps were repeated, {left} workers left over")
    return Results(killed, twice, config.items - len(counts), used == expected, repeated, left)


if __name__ == "__main__":
    run(main, Config, tolerance={"*": EXACT, "steps_repeated": TIMING})

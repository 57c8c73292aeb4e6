"""Does a run that is killed again and again end where an undisturbed one ends? Byte for byte.

    uv run sprints/09_train_gpt2/resume_exactly.py
    uv run sprints/09_train_gpt2/resume_exactly.py --preset thorough

A process trains a small GPT with dropout; it is killed at random moments (SIGKILL, on Windows TerminateProcess: no
chance to tidy up) and resumed from its last checkpoint. At the end weights, optimizer states and loss log are compared.
Theory: notes/11_resuming.md
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from shared.lab.compare import EXACT, TRAINED, Tolerance
from shared.lab.config import ScriptConfig
from shared.lab.ranges import PositiveInt
from shared.lab.run import run
from shared.lab.runtime import seed_everything
from shared.training.checkpoints import load_checkpoint

TRAIN = Path(__file__).with_name("train.py")
PRESETS = {"thorough": {"kills": 20, "steps": 400}}


@dataclass(frozen=True)
class Config(ScriptConfig):
    kills: PositiveInt = 4  # how often the process is killed
    steps: PositiveInt = 150  # optimizer steps of the whole run
    save_every: PositiveInt = 7  # steps between checkpoints


@dataclass(frozen=True)
class Results:
    killed_at: list[int]
    steps: int
    weights_sha256: dict[str, str]
    losses_sha256: dict[str, str]
    optimizers_sha256: dict[str, str]
    identical: bool
    last_loss: float


def checkpoint_in(folder: Path) -> Path:
    """Return the file that train.py saves to in a folder."""
    return folder / "checkpoints" / "cookbook.pt"


def command(config: Config, folder: Path) -> list[str]:
    """Return the command that trains in a folder, from its checkpoint if there is one."""
    options = {
        "steps": config.steps, "save-every": config.save_every, "eval-every": config.steps, "layers": 2, "d-model": 32,
        "vocab-size": 1024, "batch-size": 4, "context": 256, "dropout": 0.1, "validation-recipes": 8, "recipes": 1,
        "ngram-tokens": 1000, "seed": config.seed, "device": "cpu", "out": folder,
    }  # fmt: skip
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    resume = ["--resume"] if checkpoint_in(folder).exists() else []
    return [sys.executable, str(TRAIN), *words, *resume]


def start(words: list[str]) -> subprocess.Popen:
    """Start a command, silently and with one thread: shapes as small as these spend their time waking a second one."""
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(words, env=one_thread, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def finish(words: list[str]) -> None:
    """Run a command to its end.

    Raises:
        RuntimeError: it failed.
    """
    if code := start(words).wait():
        raise RuntimeError(f"training ended with exit code {code}; run it by hand to see why: {' '.join(words)}")


def steps_done(folder: Path) -> int:
    """Return the step of the checkpoint in a folder, 0 if there is none."""
    path = checkpoint_in(folder)
    return load_checkpoint(path)["step"] if path.exists() else 0


def train_with_kills(config: Config, folder: Path, generator: torch.Generator) -> list[int]:
    """Train to the end although the process is killed; return the steps that were safe at each kill."""
    killed_at: list[int] = []
    for _ in tqdm(range(config.kills), unit="kill"):
        before = steps_done(folder)
        process = start(command(config, folder))
        # Let it get past at least one more checkpoint, then kill it at a random moment, in the midst of a save perhaps.
        while process.poll() is None and steps_done(folder) == before:
            time.sleep(0.05)
        time.sleep(float(torch.rand((), generator=generator)) * 0.3)
        process.kill()
        process.wait()
        killed_at.append(steps_done(folder))
    finish(command(config, folder))
    return killed_at


def digest(value: Any) -> str:
    """Return the SHA-256 of all tensors and numbers in a nested state, in order."""
    sha = hashlib.sha256()

    def add(part: Any) -> None:
        if isinstance(part, torch.Tensor):
            sha.update(part.contiguous().numpy().tobytes())
        elif isinstance(part, dict):
            for key in part:
                sha.update(str(key).encode())
                add(part[key])
        elif isinstance(part, list | tuple):
            for item in part:
                add(item)
        else:
            sha.update(repr(part).encode())

    add(value)
    return sha.hexdigest()


def main(config: Config) -> Results:
    generator = seed_everything(config.seed)
    with tempfile.TemporaryDirectory() as name:
        calm, killed = Path(name) / "calm", Path(name) / "killed"
        finish(command(config, calm))
        killed_at = train_with_kills(config, killed, generator)
        ends = {folder.name: load_checkpoint(checkpoint_in(folder)) for folder in (calm, killed)}
    parts = {
        "model": lambda end: end["model"],
        "losses": lambda end: end["extra"]["losses"],
        "optimizers": lambda end: end["optimizers"],
    }
    hashes = {part: {name: digest(pick(end)) for name, end in ends.items()} for part, pick in parts.items()}
    identical = all(by_run["calm"] == by_run["killed"] for by_run in hashes.values())
    print(f"killed with {killed_at} of {config.steps} steps safe")
    for part, by_run in hashes.items():
        print(f"{part:<12}{by_run['calm'][:16]} undisturbed, {by_run['killed'][:16]} killed {config.kills} times")
    print("byte-identical" if identical else "DIFFERENT")
    return Results(
        killed_at=killed_at,
        steps=config.steps,
        weights_sha256=hashes["model"],
        losses_sha256=hashes["losses"],
        optimizers_sha256=hashes["optimizers"],
        identical=identical,
        last_loss=ends["calm"]["extra"]["losses"][-1],
    )


# When a process is killed is chance, and another processor rounds otherwise: only the comparison has to come out alike.
CHANCE = Tolerance(compared=False)
TOLERANCE = {"killed_at*": CHANCE, "*sha256*": CHANCE, "last_loss": TRAINED, "identical": EXACT}

if __name__ == "__main__":
    run(main, Config, presets=PRESETS, tolerance=TOLERANCE)

"""Run a script on hostile input in a process and a folder of its own, and judge how it ends."""

import contextlib
import multiprocessing
import os
import runpy
import shutil
import signal
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.lab.paths import CACHE, ROOT

SECONDS = 30  # whoever is not done then is at work
MEMORY = 12 * 2**30  # bytes of addresses, of which PyTorch alone takes three
LIBRARIES = (
    "matplotlib.figure", "networkx", "pandas", "peft", "safetensors.torch", "scipy.stats", "shared.lab.run", "sklearn",
    "torch", "torch.utils.tensorboard", "transformers.models.gpt2.modeling_gpt2",
    "transformers.models.llama.modeling_llama",
)  # fmt: skip
GOOD = ("refused", "worked", "at work")
MARKER = "payload-ran"


@dataclass(frozen=True)
class Verdict:
    """How a run ended, whether that is as it must be, and what it said."""

    outcome: str
    good: bool
    said: str = ""


def start_server() -> None:
    """Have a process ready that has imported the libraries: each run is a copy of it."""
    multiprocessing.set_start_method("forkserver")
    multiprocessing.set_forkserver_preload(list(LIBRARIES))


def judge(
    script: Path, words: tuple[str, ...], *, must_be_refused: bool, folder: Path, environment: Mapping[str, str] = {}
) -> Verdict:
    """Run a script and judge it.

    Args:
        script: the script.
        words: its command line; {file} stands for a file, {folder} for a folder, {data} for `folder`.
        must_be_refused: whether work is a fault.
        folder: data that the run reads, and must leave as it is.
        environment: variables of its environment.
    """
    place = Path(tempfile.mkdtemp())
    try:
        for name in ("here", "tmp", "folder"):
            (place / name).mkdir()
        (place / "file").write_text("a file", encoding="utf-8")
        names = {"{file}": str(place / "file"), "{folder}": str(place / "folder"), "{data}": str(folder)}
        filled = [_filled(word, names) for word in words]
        before = tree(place) | tree(folder)
        filled += [] if "--out" in words else ["--out", str(place / "out")]
        process = multiprocessing.Process(target=_run, args=(script, filled, place, dict(environment)))
        process.start()
        process.join(SECONDS)
        ended = not process.is_alive()
        _end(process)
        said = _read(place / "stderr")
        left = {path for path in tree(place) | tree(folder) if path[0] not in ("stderr", "stdout")} ^ before
        wrote = _read(place / "wrote")
        if (folder / MARKER).exists() or (place / "here" / MARKER).exists():
            return Verdict("a payload ran", False, said)
        outcome = _outcome(process.exitcode if ended else None, said)
        if wrote:
            return Verdict("wrote into the repository", False, wrote)
        if outcome == "refused" and left:
            return Verdict("left files", False, ", ".join(sorted(name for name, _ in left)))
        if must_be_refused and outcome in ("worked", "at work"):
            return Verdict("accepted", False, said)
        return Verdict(outcome, outcome in GOOD, said)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _filled(word: str, names: Mapping[str, str]) -> str:
    for name, path in names.items():
        word = word.replace(name, path)
    return word


def _outcome(code: int | None, said: str) -> str:
    if code is None:
        return "at work"
    if "Traceback (most recent call last)" in said:
        return "traceback"
    if code == 0:
        return "worked"
    if code != 2:
        return f"exit code {code}"
    return "refused" if is_sentence(said) else "no sentence"


def is_sentence(said: str) -> bool:
    """Return whether what a refused run said ends in one sentence, of ours or of tyro, and not in a traceback."""
    lines = [line for line in said.splitlines() if line.strip()] or [""]
    ours = lines[-1].startswith("error: ") and len(lines[-1]) > len("error: a word")
    return "Traceback (most recent call last)" not in said and (ours or "For full helptext" in said)


def tree(folder: Path) -> set[tuple[str, str]]:
    """Return the files and folders below a folder, with what a change of one changes."""
    found = set()
    for path in folder.rglob("*"):
        state = f"{path.stat().st_size} {path.stat().st_mtime_ns}" if path.is_file() else ""
        found.add((path.relative_to(folder).as_posix(), state))
    return found


def _read(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""


def _end(process: multiprocessing.Process) -> None:
    """End a process and all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid or 0, signal.SIGKILL)
    process.join()


def _run(script: Path, words: list[str], place: Path, environment: dict[str, str]) -> None:
    """Run a script as `python script words` does; the process is not used for anything else."""
    import resource

    os.setsid()
    for name, target in (("stdout", 1), ("stderr", 2)):
        os.dup2(os.open(place / name, os.O_WRONLY | os.O_CREAT), target)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ |= {"TMPDIR": str(place / "tmp"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"} | environment
    tempfile.tempdir = None
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    os.chdir(place / "here")
    sys.argv = [str(script), *words]
    sys.path.insert(0, str(script.parent))
    sys.dont_write_bytecode = True
    sys.addaudithook(_watcher(place / "wrote"))
    import torch

    torch.set_num_threads(1)
    runpy.run_path(str(script), run_name="__main__")


def _watcher(log: Path):
    """Return what notes each file of the repository that is written."""
    ours, cache = f"{ROOT}{os.sep}", f"{CACHE}{os.sep}"

    def watch(event: str, arguments: tuple) -> None:
        if event == "open":
            target, mode, flags = arguments
            writes = any(letter in mode for letter in "wax+") if mode else flags & (os.O_WRONLY | os.O_RDWR)
        elif event in ("os.rename", "os.mkdir", "os.remove"):
            target, writes = arguments[1 if event == "os.rename" else 0], True
        else:
            return
        if writes and isinstance(target, str | os.PathLike):
            path = os.path.abspath(target)
            if path.startswith(ours) and not path.startswith(cache) and "__pycache__" not in path:
                with open(log, "a", encoding="utf-8") as file:
                    file.write(f"{event} {path}\n")

    return watch

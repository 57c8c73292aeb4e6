"""Do wrong words and broken files end in one sentence? Try thousands, made of the scripts' own options and formats.

    uv run python tests/hostile/run.py                          # all scripts and formats, for half an hour or two
    uv run python tests/hostile/run.py --scripts "06_*/*" --most 50

What must be refused has to end with exit code 2 and one sentence, and leave nothing behind. What is allowed, at the
edge, may work or be refused. No code in a file may run. Exit code 1 if fewer than 98 of 100 end as they must. The same
seed tries the same. Needs `os.fork`, which Windows does not have.
"""

import argparse
import itertools
import os
import random
import shlex
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from shared.lab.modules import load_module
from shared.lab.paths import ROOT
from tests.hostile.command_lines import CommandLine, bad_command_lines, refusal, scripts, smallest
from tests.hostile.corruption import KINDS, copy_spoiled
from tests.hostile.formats import FORMATS, Format
from tests.hostile.judging import Verdict, is_sentence, judge, start_server

ENOUGH = 0.98


@dataclass(frozen=True)
class Trial:
    """What was tried, its kind, and how it ended."""

    what: str
    kind: str
    verdict: Verdict


def try_command_lines(chosen: list[Path], most: int, seed: int, workers: ThreadPoolExecutor) -> Iterator[Trial]:
    """Try at most so many bad command lines of each script; those that no option refuses are run."""
    waiting = []
    for script in tqdm(chosen, desc="command lines", unit="script"):
        try:
            lines = list(bad_command_lines(script))
        except Exception as error:
            yield Trial(str(script), "import", Verdict("cannot be imported", False, f"{type(error).__name__}: {error}"))
            continue
        module = load_module(script)
        presets = vars(module).get("PRESETS", {})
        for line in random.Random(f"{seed} {script.name}").sample(lines, min(most, len(lines))):
            said = refusal(module.Config, line.words, presets)
            if said is None:
                waiting.append((line, smallest(script)))
            else:
                good = is_sentence(said)
                yield Trial(str(line), line.kind, Verdict("refused" if good else "no sentence", good, said))
    yield from tqdm(workers.map(lambda pair: _run_accepted(*pair), waiting), total=len(waiting), unit="run")


def _run_accepted(line: CommandLine, small: dict[str, tuple[str, ...]]) -> Trial:
    """Run a command line that was not refused, beside the smallest other options."""
    other = [words for words in small.values() if words[0] not in line.words]
    recording = "--record" in line.words
    words = line.words if recording else (*(word for group in other for word in group), *line.words)
    with tempfile.TemporaryDirectory() as folder:
        verdict = judge(line.script, words, must_be_refused=line.must_be_refused, folder=Path(folder))
    return Trial(str(line), line.kind, verdict)


def try_files(chosen: list[Format], most: int, seed: int, workers: ThreadPoolExecutor) -> Iterator[Trial]:
    """Spoil every file of every format in every way, and have every command of the format read it."""
    with tempfile.TemporaryDirectory() as parent:
        cases = []
        for format_ in tqdm(chosen, desc="good files", unit="format"):
            problem = _make(format_, Path(parent) / format_.name)
            if problem is not None:
                yield Trial(format_.name, "good file", problem)
            else:
                every = [(read, file, kind) for read in format_.reads for file in format_.files for kind in KINDS]
                chance = random.Random(f"{seed} {format_.name}")
                cases += [(format_, *case) for case in chance.sample(every, min(most, len(every)))]

        def run_case(case: tuple[Format, str, str, str]) -> Trial:
            return _read_spoiled(*case, master=Path(parent) / case[0].name, seed=seed)

        yield from tqdm(workers.map(run_case, cases), total=len(cases), desc="spoiled files", unit="run")


def _make(format_: Format, folder: Path) -> Verdict | None:
    """Make the good files of a format and read them; return what went wrong."""
    folder.mkdir()
    try:
        if format_.make is not None:
            format_.make(folder)
    except FileNotFoundError as error:
        return Verdict("public data is not here", True, str(error))
    for command in (*format_.made_by, format_.reads[0]):
        verdict = _run(command, format_, folder, must_be_refused=False)
        if verdict.outcome != "worked":
            return Verdict(f"good file {verdict.outcome}", False, f"{command}\n{verdict.said}")
    missing = [file for file in format_.files if not (folder / file).is_file()]
    return Verdict("good file not made", False, f"{missing}") if missing else None


def _read_spoiled(format_: Format, read: str, file: str, kind: str, *, master: Path, seed: int) -> Trial:
    with tempfile.TemporaryDirectory() as folder:
        copy_spoiled(master, Path(folder), file, kind, seed)
        verdict = _run(read, format_, Path(folder), must_be_refused=kind not in format_.may_be_read)
    return Trial(f"{file}: {kind}; {read.splitlines()[-1].strip()}", f"{format_.name}", verdict)


def _run(command: str, format_: Format, folder: Path, *, must_be_refused: bool) -> Verdict:
    environment = {"SPRINTS_DATA": str(folder)} if format_.public else {}
    if "\n" not in command:
        script, *words = shlex.split(command)
        return judge(
            ROOT / "sprints" / script, tuple(words), must_be_refused=must_be_refused, folder=folder,
            environment=environment,
        )  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        script = Path(place) / "read.py"
        script.write_text(command, encoding="utf-8")
        return judge(script, ("{data}",), must_be_refused=must_be_refused, folder=folder, environment=environment)


def report(trials: list[Trial], console: Console) -> float:
    """Print how trials ended, by kind, and return the share that ended as it must."""
    outcomes = Counter((t.kind, t.verdict.outcome if t.verdict.good else "failed") for t in trials)
    names = ("refused", "worked", "at work", "failed")
    table = Table("kind", *names, box=None, header_style="bold")
    for kind in sorted({trial.kind for trial in trials}):
        table.add_row(kind, *(str(outcomes[kind, name] or "") for name in names))
    console.print(table)
    good = sum(trial.verdict.good for trial in trials)
    print(f"{good} of {len(trials)} end as they must: {good / max(1, len(trials)):.1%}")
    return good / max(1, len(trials))


def main(pattern: str, most: int, jobs: int, seed: int, parts: list[str]) -> None:
    """Try command lines and files, print how they end, and exit with 1 if too few end as they must."""
    if not hasattr(os, "fork"):
        raise SystemExit("the hostile run copies a process for each try, which this system cannot: run it on Linux")
    start_server()
    trials: list[Trial] = []
    formats = [format_ for format_ in FORMATS if any(_fits(read, pattern) for read in format_.reads)]
    with ThreadPoolExecutor(jobs) as workers:
        lines = try_command_lines(scripts(pattern), most, seed, workers) if "lines" in parts else ()
        files = try_files(formats, most, seed, workers) if "files" in parts else ()
        for trial in itertools.chain(lines, files):
            trials.append(trial)
            if not trial.verdict.good:
                last = [line.strip() for line in trial.verdict.said.splitlines() if line.strip()][-1:]
                tqdm.write(f"{trial.verdict.outcome}: {trial.what}\n    {' '.join(last)[:200]}")
    if report(trials, Console()) < ENOUGH:
        sys.exit(1)


def _fits(read: str, pattern: str) -> bool:
    return pattern == "*" or any(path.relative_to(ROOT / "sprints").as_posix() in read for path in scripts(pattern))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Try bad command lines and spoiled files on every script.")
    parser.add_argument("--scripts", default="*", metavar="PATTERN", help='which, such as "06_*/*" (default: all)')
    parser.add_argument("--most", type=int, default=20, help="tries for a script or a format (default: 20)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="runs at once (default: one per core)")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of tries")
    parser.add_argument("--only", choices=("lines", "files"), help="command lines or files (default: both)")
    arguments = parser.parse_args()
    only = [arguments.only] if arguments.only else ["lines", "files"]
    main(arguments.scripts, arguments.most, arguments.jobs, arguments.seed, only)

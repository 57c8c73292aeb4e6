"""Run recorded configurations again and compare: every number in the repository can be made anew by one command."""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.lab import provenance
from shared.lab.compare import Difference, Tolerance, differences, flatten
from shared.lab.files import replacing
from shared.lab.paths import ROOT, shown
from shared.lab.recorded import Recorded, recorded_results
from shared.lab.results import load_results, save_results
from shared.lab.run import Place


@dataclass(frozen=True)
class Outcome:
    """What running a recorded configuration again has shown; `error` says why it could not be run."""

    recorded: Recorded
    seconds: float
    figures: int
    different: list[Difference]
    error: str | None = None

    @property
    def agrees(self) -> bool:
        return self.error is None and not self.different


def run_again(recorded: Recorded, *, reuse: bool = True) -> Outcome:
    """Run a recorded configuration as its command does, but into `runs/`, and compare.

    Args:
        recorded: the result.
        reuse: take the results of a finished run in `runs/` if it rests on the same code, data and libraries as a run
            of now would, so that an interrupted `reproduce` goes on where it was.
    """
    target = recorded.rerun
    started = time.perf_counter()
    if not (reuse and _is_current(recorded)):
        preset = [] if recorded.preset is None else ["--preset", recorded.preset]
        # Anything that a script asks or shows goes to a log beside its results.
        target.parent.mkdir(parents=True, exist_ok=True)
        before = target.stat().st_mtime_ns if target.is_file() else None
        with open(target.parent / "log.txt", "w", encoding="utf-8") as log:
            process = subprocess.run(
                [sys.executable, str(recorded.script), *preset, "--out", str(target.parent)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
        written = target.is_file() and target.stat().st_mtime_ns != before
        if process.returncode or not written:
            return Outcome(recorded, time.perf_counter() - started, 0, [], _last_line(target.parent / "log.txt"))
    return compare(recorded, load_results(target))


def compare(recorded: Recorded, new: dict[str, Any]) -> Outcome:
    """Compare a new run with the recorded one: its options, and every figure within the script's tolerance."""
    tolerances = {pattern: Tolerance(**value) for pattern, value in new["tolerance"].items()}
    # Which device "auto" stands for is the machine's.
    different = differences(recorded.content["config"], new["config"], {"*": Tolerance()})
    different += differences(recorded.content["results"], new["results"], tolerances)
    return Outcome(recorded, new["seconds"], len(flatten(recorded.content["results"])), different)


def restamp(outcome: Outcome) -> None:
    """Renew what an agreeing result rests on; its figures, machine and time stay as they were recorded."""
    new = load_results(outcome.recorded.rerun)
    save_results(
        outcome.recorded.content | {key: new[key] for key in ("provenance", "tolerance")}, outcome.recorded.path
    )


def record(outcome: Outcome) -> None:
    """Put what was computed anew, with its figure and time, in the place of what was recorded."""
    recorded, place = outcome.recorded, Place(outcome.recorded.script)
    new = load_results(recorded.rerun)
    save_results(new | {"command": recorded.content["command"]}, recorded.path)
    drawn = recorded.rerun.with_name("figure.png")
    if drawn.is_file() and place.figure(recorded.preset).is_file():
        with replacing(place.figure(recorded.preset)) as temporary:
            shutil.copyfile(drawn, temporary)


def _is_current(recorded: Recorded) -> bool:
    """Return whether `runs/` holds a finished run of the same options that rests on what a run of now would."""
    try:
        new = load_results(recorded.rerun)
        same = json.dumps(new["config"]) == json.dumps(recorded.content["config"])
        return same and not provenance.changes(new["provenance"], recorded.script)
    except (ValueError, KeyError):
        return False


def _last_line(log: Path) -> str:
    """Return the end of a log, which says what went wrong."""
    lines = [line.strip() for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return f"{lines[-1] if lines else 'it wrote no results'} ({shown(log)})"


def reproduce(
    selection: str | None = None,
    *,
    at_most: float | None = None,
    after: Callable[[Outcome], None] | None = None,
    reuse: bool = True,
) -> list[Outcome]:
    """Run recorded configurations again, cheapest first, print how each compares, and return the outcomes.

    What cannot be run is tried once more at the end: a script that looks into a trained network needs the run of
    another one that trains it.

    Args:
        selection: as in `recorded_results`.
        at_most: leave out what took more seconds when it was recorded.
        after: called with each outcome that agrees, `restamp` or `record` for example.
        reuse: as in `run_again`.
    """
    results = [result for result in recorded_results(selection) if at_most is None or result.seconds <= at_most]
    outcomes: dict[str, Outcome] = {}
    for _ in range(2):
        for result in [result for result in results if _failed(outcomes.get(result.title))]:
            outcome = outcomes[result.title] = run_again(result, reuse=reuse)
            print(_line(outcome), flush=True)
            if outcome.agrees and after is not None:
                after(outcome)
    return [outcomes[result.title] for result in results]


def _failed(outcome: Outcome | None) -> bool:
    return outcome is None or outcome.error is not None


def _line(outcome: Outcome, most: int = 6) -> str:
    """Return what a learner reads of one result."""
    title = f"{outcome.recorded.title:<40} {outcome.seconds:>7.1f} s (recorded {outcome.recorded.seconds:.1f} s)"
    if outcome.error is not None:
        return f"{title}  cannot be run: {outcome.error}"
    if outcome.agrees:
        return f"{title}  agrees in {outcome.figures} figures"
    lines = [f"{title}  differs in {len(outcome.different)} of {outcome.figures} figures"]
    for line in outcome.different[:most]:
        lines.append(f"    {line.name}: {line.new} here, {line.recorded} recorded (tolerance: {line.tolerance})")
    lines += [f"    and {len(outcome.different) - most} more"] * (len(outcome.different) > most)
    return "\n".join(lines)

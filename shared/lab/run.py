"""How a script is run: read the command line, compute, write to `runs/`, and show the figures beside the recorded ones.

    if __name__ == "__main__":
        run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": Tolerance(relative=0.02)})

Nothing that git tracks changes unless --record says so, and --record takes named configurations only.
"""

import datetime
import functools
import inspect
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TextIO, TypeVar

from shared.lab import compare, provenance
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig, check_recordable, parse_config
from shared.lab.faults import one_sentence
from shared.lab.holding import holding
from shared.lab.paths import ROOT, RUNS, shown
from shared.lab.results import load_results, plain, save_results

C = TypeVar("C", bound=ScriptConfig)


@dataclass(frozen=True)
class Place:
    """Where a script's files belong."""

    script: Path

    def runs(self, preset: str | None) -> Path:
        """Return the git-ignored folder that a run writes to."""
        return RUNS / self.script.parent.name / self.name(preset)

    def results(self, preset: str | None) -> Path:
        """Return the recorded results file of a configuration."""
        return self.script.parent / "results" / f"{self.name(preset)}.json"

    def figure(self, preset: str | None) -> Path:
        """Return the recorded figure of a configuration."""
        return self.script.parent / "figures" / f"{self.name(preset)}.png"

    def name(self, preset: str | None) -> str:
        """Return the name of a configuration's files."""
        return self.script.stem + (f"_{preset.replace('-', '_')}" if preset else "")


def run_folder(config: ScriptConfig, script: str) -> Path:
    """Return the folder that a run writes to: --out, or its own one below `runs/`.

    Args:
        config: the script's options.
        script: the script's `__file__`.
    """
    return config.out or Place(Path(script).resolve()).runs(config.preset)


def run(
    main: Callable[[C], Any],
    config: type[C],
    *,
    plot: Callable[[Any], Any] | None = None,
    presets: Mapping[str, Mapping[str, Any]] | None = None,
    tolerance: Mapping[str, Tolerance] | None = None,
    report: TextIO | None = None,
) -> Any:
    """Run a script as its command line says, write down what it found, and return it.

    An error that can be expected ends the program in one sentence and with exit code 2.

    Args:
        main: computes the results, a dataclass of plain values.
        config: the script's options.
        plot: draws the results.
        presets: values by name; each is a configuration that can be recorded, as are the defaults.
        tolerance: how far a figure may differ when the same configuration is run again (`shared/lab/compare.py`).
        report: where the comparison with the recorded run is printed (default: the output).
    """
    presets = presets or {}
    chosen = parse_config(config, presets=presets)
    if chosen.record is not None:
        check_recordable(chosen, presets)
    script = Path(inspect.getfile(config)).resolve()
    folder = run_folder(chosen, str(script))
    chosen = replace(chosen, out=folder)
    kept = functools.partial(_kept, chosen, folder, time.time())
    with one_sentence(traceback=chosen.traceback, kept=kept), holding(folder):
        provenance.forget_reads()
        # Before the work: a file that is edited meanwhile is not the one that runs.
        code, started = provenance.source_hash(script), time.perf_counter()
        results = main(chosen)
        seconds = time.perf_counter() - started
        content = _content(script, code, chosen, results, seconds, tolerance or {})
        _write_down(content, results, plot, Place(script), chosen, report)
    return results


def _write_down(
    content: dict[str, Any],
    results: Any,
    plot: Callable | None,
    place: Place,
    config: ScriptConfig,
    report: TextIO | None,
) -> None:
    """Write results and figure to the folder of the run, or where they are recorded, and show them."""
    recorded = place.results(config.preset)
    before = _recorded_before(recorded, report)
    assert config.out is not None
    results_file, figure_file = config.out / "results.json", config.out / "figure.png"
    if config.record is not None:
        results_file, figure_file = recorded, place.figure(config.preset)
    # What took the time first: a figure can be drawn again.
    save_results(content, results_file)
    if plot is not None:
        # Imported late: --help should not wait for matplotlib.
        from shared.lab.figures import save_figure

        save_figure(plot(results), figure_file)
    if before is not None:
        _show_beside(content, before, report)
    print(f"wrote {shown(results_file)}{f' and {shown(figure_file)}' if plot else ''}", file=report)


def _recorded_before(file: Path, report: TextIO | None) -> dict[str, Any] | None:
    """Return the recorded run, or None: a damaged one must not cost what was computed."""
    try:
        return load_results(file) if file.is_file() else None
    except ValueError as error:
        print(f"not compared: {error}", file=report)
        return None


def _kept(config: ScriptConfig, folder: Path, started: float) -> str:
    """Return what an interrupted run has written, and how to go on."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.name.startswith(".")]
    if not (written := [shown(path) for path in files if path.stat().st_mtime >= started]):
        return "Nothing was written."
    resume = " The same command with --resume goes on from there." if hasattr(config, "resume") else ""
    return f"Kept: {', '.join(written[:3])}{' and more' if len(written) > 3 else ''}.{resume}"


def _content(
    script: Path, code: str, config: ScriptConfig, results: Any, seconds: float, tolerance: Mapping[str, Tolerance]
) -> dict[str, Any]:
    """Return what a results file holds; `code` is the hash of the code that ran."""
    from shared.lab.runtime import environment

    return {
        "script": script.name,
        "command": plain(_command(script, config), "command"),
        "made": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "config": plain(config.options(), "config"),
        "results": plain(results, "results"),
        "environment": environment(),
        "seconds": round(seconds, 1),
        "provenance": provenance.provenance(script, code),
        "tolerance": {pattern: vars(value) for pattern, value in tolerance.items()},
    }


def _command(script: Path, config: ScriptConfig) -> str:
    """Return the exact command of this run."""
    words = ["--record", config.record] if config.record is not None else sys.argv[1:]
    path = script.relative_to(ROOT).as_posix() if script.is_relative_to(ROOT) else script.name
    return f"uv run {path} {shlex.join(words)}".strip()


def _show_beside(content: dict[str, Any], recorded: dict[str, Any], report: TextIO | None) -> None:
    """Print the main figures of a run beside the recorded ones: why do mine differ?"""
    from rich.console import Console
    from rich.table import Table

    lines = compare.main_figures(content["results"], recorded["results"])
    options = recorded["config"]
    changed = {name: value for name, value in content["config"].items() if options.get(name) != value}
    flags = ", ".join(f"--{name.replace('_', '-')} {value}" for name, value in changed.items() if name != "device")
    if lines:
        table = Table("figure", "this run", "recorded", title_justify="left", header_style="bold")
        table.title = "beside the recorded run" + (f" (which has other options than {flags})" if flags else "")
        for line in lines:
            spread = f" ({_number(line.spread[0])} to {_number(line.spread[1])})" if line.spread else ""
            before = "-" if line.recorded is None else f"{_number(line.recorded)}{spread}"
            table.add_row(line.name, _number(line.new), before)
        Console(file=report, highlight=False).print(table)
    now, then = content["environment"], recorded["environment"]
    here = f"{content['seconds']:.0f} s here, threads: {now['threads']}; recorded: {recorded['seconds']:.0f} s"
    print(f"{here}, threads: {then['threads']}, {then['processor']}", file=report)


def _number(value: float | int) -> str:
    """Return a number as people read it."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"

"""How a script is run: read the command line, compute, write to `runs/`, and show the figures beside the recorded ones.

    if __name__ == "__main__":
        run(main, Config, plot=plot, presets=PRESETS, tolerance={"*": Tolerance(relative=0.02)})

Nothing that git tracks changes unless --record says so, and --record takes named configurations only.
"""

import datetime
import inspect
import shlex
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from shared.lab import compare, provenance
from shared.lab.compare import Tolerance
from shared.lab.config import ScriptConfig, check_recordable, parse_config
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
) -> Any:
    """Run a script as its command line says, write down what it found, and return it.

    Args:
        main: computes the results, a dataclass of plain values.
        config: the script's options.
        plot: draws the results.
        presets: values by name; each is a configuration that can be recorded, as are the defaults.
        tolerance: how far a figure may differ when the same configuration is run again (`shared/lab/compare.py`).
    """
    presets = presets or {}
    chosen = parse_config(config, presets=presets)
    if chosen.record is not None:
        check_recordable(chosen, presets)
    script = Path(inspect.getfile(config)).resolve()
    place = Place(script)
    chosen = replace(chosen, out=run_folder(chosen, str(script)))
    provenance.forget_reads()
    started = time.perf_counter()
    results = main(chosen)
    seconds = time.perf_counter() - started

    # Imported late: --help needs neither torch nor matplotlib.
    from shared.lab.figures import save_figure
    from shared.lab.runtime import environment

    found = plain(results, "results")
    content = {
        "script": script.name,
        "command": plain(_command(script, chosen), "command"),
        "made": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "config": plain(chosen.options(), "config"),
        "results": found,
        "environment": environment(),
        "seconds": round(seconds, 1),
        "provenance": provenance.provenance(script),
        "tolerance": {pattern: vars(value) for pattern, value in (tolerance or {}).items()},
    }
    recorded = place.results(chosen.preset)
    beside = load_results(recorded) if recorded.is_file() else None
    figure = None if plot is None else plot(results)
    targets = [(chosen.out / "results.json", chosen.out / "figure.png")]
    if chosen.record is not None:
        targets = [(recorded, place.figure(chosen.preset))]
    for results_file, figure_file in targets:
        if figure is not None:
            save_figure(figure, figure_file)
        save_results(content, results_file)
    _report(content, beside, targets[0][0], figure is not None, chosen)
    return results


def _command(script: Path, config: ScriptConfig) -> str:
    """Return the exact command of this run."""
    words = ["--record", config.record] if config.record is not None else sys.argv[1:]
    path = script.relative_to(ROOT).as_posix() if script.is_relative_to(ROOT) else script.name
    return f"uv run {path} {shlex.join(words)}".strip()


def _report(
    content: dict[str, Any], recorded: dict[str, Any] | None, written: Path, figure: bool, config: ScriptConfig
) -> None:
    """Print the main figures beside the recorded ones, and where everything was written."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    lines = compare.main_figures(content["results"], recorded["results"] if recorded else {})
    if lines and recorded is not None:
        other = {k: v for k, v in content["config"].items() if recorded["config"].get(k) != v and k != "device"}
        said = ", ".join(f"--{name.replace('_', '-')} {value}" for name, value in other.items())
        table = Table("figure", "this run", "recorded", title_justify="left", header_style="bold")
        table.title = "beside the recorded run" + (f" (which has other options than {said})" if said else "")
        for line in lines:
            spread = f" ({_number(line.spread[0])} to {_number(line.spread[1])})" if line.spread else ""
            shown_before = "-" if line.recorded is None else f"{_number(line.recorded)}{spread}"
            table.add_row(line.name, _number(line.new), shown_before)
        console.print(table)
        now, then = content["environment"], recorded["environment"]
        console.print(
            f"{content['seconds']:.0f} s here on {now['threads']} threads; {recorded['seconds']:.0f} s when it was "
            f"recorded on {then['threads']} threads ({then['processor']}).",
            markup=False,
        )
    place = shown(written if config.record is not None else written.parent)
    console.print(f"wrote {place}{'/ (results.json, figure.png)' * (figure and config.record is None)}", markup=False)


def _number(value: float | int) -> str:
    """Return a number as people read it."""
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}"

"""Draw the recorded figures again from their results files, for example after a change of their style."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.lab.figures import save_figure
from shared.lab.modules import load_module
from shared.lab.recorded import Recorded, recorded_results
from shared.lab.results import restore
from shared.lab.run import Place


@dataclass(frozen=True)
class Redrawn:
    """A figure that was drawn again, whether it changed, or why it could not be drawn."""

    path: Path
    changed: bool = False
    problem: str | None = None


def redraw(selection: str | None = None) -> Iterator[Redrawn]:
    """Draw every committed figure again.

    Args:
        selection: a sprint such as "06", one script or result of it such as "06/why_heads", or None for all.

    Raises:
        ValueError: nothing of that name is recorded.
    """
    for recorded in sorted(recorded_results(selection), key=lambda recorded: recorded.path):
        figure = Place(recorded.script).figure(recorded.preset)
        if figure.is_file():
            yield _redraw(recorded, figure)


def _redraw(recorded: Recorded, figure: Path) -> Redrawn:
    before = figure.read_bytes()
    try:
        module = load_module(recorded.script)
        save_figure(module.plot(restore(module.Results, recorded.content["results"])), figure)
    except Exception as error:
        return Redrawn(figure, problem=f"{type(error).__name__}: {error}")
    return Redrawn(figure, figure.read_bytes() != before)

"""Templates of passages, in the language of Jinja, which name values of results files.

    {% block loss %}
    | model | nats per token |
    |---|---|
    {% for model in train.results.models %}
    | {{ model.name }} | {{ model.loss | number(".3f") }} |
    {% endfor %}
    {% endblock %}

The results files of the sprint stand there under their names, those of another one in `sprint(9).train`. Keys that are
no words stand in brackets, `fits["ours, Muon"]`; those that are numbers need no quotes, though JSON makes text of
them. `number` formats as Python does, `duration` as one says a time; `mean`, `median`, `min`, `max`, `sum` and `length`
condense a list; `items` gives the pairs of a dictionary; None becomes a dash. `timetable()` lists what was recorded and
how long it took, `holdings_table()` and `files_table()` list the real data. Names that are set outside of blocks, and
macros, serve all blocks.
"""

import functools
import statistics
import traceback
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template, TemplateSyntaxError, UndefinedError
from jinja2.utils import missing

from shared.lab import paths
from shared.lab.holdings_page import files_table, holdings_table
from shared.lab.paths import shown
from shared.lab.results import load_results
from shared.lab.timetable import duration, timetable

DASH = "–"


class Blocks:
    """The blocks of a file of templates."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.template = _compile(path, path.read_text(encoding="utf-8") if path.is_file() else "")
        self.names = list(self.template.blocks)

    def render(self, name: str) -> str:
        """Return the text that a block makes.

        Raises:
            ValueError: there is no such block, or a value of it is not there; says where.
        """
        if name not in self.names:
            raise ValueError(f"{shown(self.path)} has no block {name!r}; it has {', '.join(self.names) or 'none'}")
        results = _results(self.path.parent / "results")
        tables = {"holdings_table": holdings_table, "files_table": files_table}
        functions = {"sprint": _sprint, "timetable": lambda: timetable(results)} | tables
        context = self.template.new_context(results | functions)
        block = self.template.blocks[name]
        try:
            # What stands outside of blocks is run first, without the blocks: names that it sets and macros are for all.
            context.blocks = {other: [lambda _: iter(())] for other in self.names}
            list(self.template.root_render_func(context))
            return "".join(block(context))
        except (ValueError, TypeError, LookupError, ArithmeticError, UndefinedError) as error:
            frames = traceback.extract_tb(error.__traceback__)
            lines = [frame.lineno for frame in frames if frame.filename == self.template.filename and frame.lineno]
            line = self.template.get_corresponding_lineno(lines[-1])
            raise ValueError(f"{shown(self.path)}:{line}: {error}") from None


class _NoResults(StrictUndefined):
    """A name that nothing gives a value to."""

    @property
    def _undefined_message(self) -> str:
        if self._undefined_obj is not missing:
            return super()._undefined_message
        return f"there is no results/{self._undefined_name}.json, and the template sets no {self._undefined_name!r}"


class _Environment(Environment):
    """Jinja, in which a dot or brackets after a dictionary name one of its keys, and nothing else."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute) if isinstance(obj, dict | list) else super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, dict):
            if str(argument) in obj:
                return obj[str(argument)]
            raise UndefinedError(f"there is no {str(argument)!r}; there is {', '.join(obj) or 'nothing'}")
        if isinstance(obj, list):
            if isinstance(argument, int) and -len(obj) <= argument < len(obj):
                return obj[argument]
            raise UndefinedError(f"there is no {argument!r} in a list of {len(obj)}")
        return super().getitem(obj, argument)


def _number(value: Any, spec: str = "") -> str:
    """Return a number in a format of Python's."""
    return DASH if value is None else format(value, spec)


def _sprint(number: int) -> dict[str, Any]:
    """Return the results files of a sprint by name."""
    folders = list((paths.ROOT / "sprints").glob(f"{number:02}_*"))
    if not folders:
        raise ValueError(f"there is no sprint {number}")
    return _results(folders[0] / "results")


def _results(folder: Path) -> dict[str, Any]:
    """Return the results files of a folder by name."""
    return {path.stem: _load(path, path.stat().st_mtime_ns) for path in sorted(folder.glob("*.json"))}


@functools.cache
def _load(path: Path, _changed: int) -> dict[str, Any]:
    return load_results(path)


@functools.cache
def _compile(path: Path, source: str) -> Template:
    """Return a file of templates, compiled.

    Raises:
        ValueError: its syntax is wrong; says where.
    """
    environment = _Environment(
        undefined=_NoResults,
        finalize=lambda value: DASH if value is None else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": _number,
        "duration": duration,
        "mean": statistics.mean,
        "median": statistics.median,
        "min": min,
        "max": max,
        "items": lambda mapping: mapping.items(),
    }
    try:
        code = environment.compile(source, filename=str(path))
    except TemplateSyntaxError as error:
        raise ValueError(f"{shown(path)}:{error.lineno}: {error.message}") from None
    return Template.from_code(environment, code, environment.globals)

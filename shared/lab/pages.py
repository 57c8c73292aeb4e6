"""Passages of pages that are made from results files.

A page (a README, a note) shows a table, a list or a sentence between two short marks that name it:

    <!-- results: loss -->
    | model | nats per token |
    |---|---|
    | ours | 0.387 |
    <!-- end -->

Its template is the block of that name in `pages.md.j2` beside the sprint's README (in `sprints/pages.md.j2` for pages
of no sprint), in the language of Jinja:

    {% block loss %}
    | model | nats per token |
    |---|---|
    {% for model in train.results.models %}
    | {{ model.name }} | {{ model.loss | number(".3f") }} |
    {% endfor %}
    {% endblock %}

The results files of the sprint stand there under their names, those of another one in `sprint(9).train`. Keys that are
no words stand in brackets, `fits["ours, Muon"]`; those that are numbers need no quotes, though JSON makes text of
them. `number` formats as Python does; `mean`, `median`, `min`, `max`, `sum` and `length` condense a list; `items` gives
the pairs of a dictionary; None becomes a dash. Marks inside ``` fences are examples and stay as they are.
"""

import functools
import re
import statistics
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template, TemplateSyntaxError, UndefinedError
from jinja2.utils import missing

from shared.lab import paths
from shared.lab.files import write_text
from shared.lab.paths import shown
from shared.lab.results import load_results

OPEN, CLOSE = "<!-- results:", "<!-- end -->"
PASSAGE = re.compile(rf"^{OPEN} (?P<name>\w+) -->\n(?P<text>.*?)^{CLOSE}$|^```.*?^```$", re.DOTALL | re.MULTILINE)
TEMPLATES = "pages.md.j2"
DASH = "–"


@dataclass(frozen=True)
class Passage:
    """A passage of a page: its line, the name of its block, its text, and what the block makes now."""

    line: int
    name: str
    text: str
    fresh: str


def pages() -> list[Path]:
    """Return all pages of the repository."""
    folders = (paths.ROOT / name for name in ("data", "shared", "sprints", "tests"))
    below = (page for folder in folders for page in folder.rglob("*.md"))
    cache = paths.ROOT / "data" / "cache"
    return sorted([*paths.ROOT.glob("*.md"), *(page for page in below if not page.is_relative_to(cache))])


def refresh(page: Path) -> tuple[str, list[Passage]]:
    """Return a page with its passages made anew, and the passages.

    Raises:
        ValueError: a passage that does not end, a block or a value that is not there; says where.
    """
    content, passages = page.read_text(encoding="utf-8"), []

    def renew(match: re.Match[str]) -> str:
        if match["name"] is None:  # a fence
            return match[0]
        line = content.count("\n", 0, match.start()) + 1
        if OPEN in match["text"]:
            raise ValueError(f"{shown(page)}:{line}: the passage does not end: close it with {CLOSE}")
        try:
            fresh = Blocks(templates_of(page)).render(match["name"])
        except ValueError as error:
            raise ValueError(f"{shown(page)}:{line}: {error}") from None
        passages.append(Passage(line, match["name"], match["text"], fresh))
        return f"{OPEN} {match['name']} -->\n{fresh}{CLOSE}"

    made = PASSAGE.sub(renew, content)
    if re.search(rf"^({OPEN}|{CLOSE})", PASSAGE.sub("", content), re.MULTILINE):
        raise ValueError(f"{shown(page)}: a passage is a line {OPEN} name -->, its text, and a line {CLOSE}")
    return made, passages


@dataclass(frozen=True)
class Report:
    """What was found about pages: passages that are not what their blocks make, and what cannot be made."""

    stale: list[str]
    errors: list[str]


def bring_up_to_date(chosen: list[Path] | None = None, *, write: bool) -> Report:
    """Compare pages with their results files.

    Args:
        chosen: pages (default: all of the repository; then a block that no page shows is an error, too).
        write: whether to write the pages anew.
    """
    stale, errors, used = [], [], set()
    for page in pages() if chosen is None else chosen:
        try:
            made, passages = refresh(page.resolve())
        except ValueError as error:
            errors.append(str(error))
            continue
        used |= {(templates_of(page), passage.name) for passage in passages}
        old = [f"{shown(page)}:{passage.line}: {passage.name}" for passage in passages if passage.text != passage.fresh]
        if old and write:
            write_text(page, made)
        stale += old
    if chosen is None and not errors:
        for path in sorted(paths.ROOT.glob(f"sprints/**/{TEMPLATES}")):
            unused = [name for name in Blocks(path).names if (path, name) not in used]
            errors += [f"{shown(path)}: no page shows the block {name!r}" for name in unused]
    return Report(stale, errors)


def templates_of(page: Path) -> Path:
    """Return the file in which the blocks of a page stand."""
    sprints = paths.ROOT / "sprints"
    parts = page.relative_to(sprints).parts if page.is_relative_to(sprints) else ()
    return (sprints / parts[0] if len(parts) > 1 else sprints) / TEMPLATES


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
        context = self.template.new_context(_results(self.path.parent / "results") | {"sprint": _sprint})
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
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "number": _number,
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

"""Results files, and the passages of READMEs and notes that are generated from them.

A script writes `results/<script>.json`. A page quotes it in a block: a template of Markdown (a table, a sentence, a
list) in a comment, and below it what it makes.

    <!-- generated
    | model | nats per token | of the optimum |
    |---|---|---|
    | ours | {train.results.validation_loss:.3f} | {train.results.above_optimum:+.1%} |
    -->
    | model | nats per token | of the optimum |
    |---|---|---|
    | ours | 0.406 | +9.1% |
    <!-- /generated -->

`{file.key.key:format}` names a value of a file in the results folder of the page's sprint, or of another sprint with
`{09_train_gpt2/train.results.optimum:.3f}`. Keys that are no words stand in brackets, `{a.results[ours, Muon].0}`;
`|median`, `|mean`, `|min`, `|max`, `|sum` or `|len` condenses a list, `{a.results.rates|median:.0f}`; None is shown as
a dash; braces that are meant as such are doubled. A line is repeated over a list or a dictionary by

    for name, row in train.results.models: | {name} | {row.loss:.3f} |

(without a name: `for row in ...`). Blocks inside ``` fences are examples and stay as they are.

    uv run python -m shared.results --check    fails if a block is stale, lists results whose code has changed
    uv run python -m shared.results --write    brings the blocks up to date
"""

import argparse
import dataclasses
import json
import math
import os
import re
import statistics
import string
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from shared.provenance import ROOT, source_hash

OPEN, CLOSE = "<!-- generated", "<!-- /generated -->"
BLOCK = re.compile(rf"^{OPEN}\n(?P<template>.*?)\n-->\n(?P<text>.*?)^{CLOSE}$|^```.*?^```$", re.DOTALL | re.MULTILINE)
VALUE = re.compile(r"(?P<file>[\w/-]+)(?P<keys>(?:\.[\w-]+|\[[^\]]+\])+)(?:\|(?P<condense>\w+))?")
LOOP = re.compile(r"^for (?:(?P<name>\w+), )?(?P<item>\w+) in (?P<values>\S.*?): (?P<line>.*)$", re.MULTILINE)
CONDENSE = {"median": statistics.median, "mean": statistics.mean, "min": min, "max": max, "sum": sum, "len": len}
STARTED = time.perf_counter()


def save_results(
    results: Any, config: Any, *, script: str, plot: Callable[[Any], Any] | None = None, name: str | None = None
) -> Path:
    """Write what a script found, and its figure if it draws one; return the path of the results file.

    Args:
        results: a dataclass of plain values.
        config: the dataclass of options; its `out` is the folder to write to (None: the script's own).
        script: the script's `__file__`.
        plot: draws the results.
        name: name of the files (default: the script's).

    Raises:
        ValueError: a value that is not a finite number, text, truth value, None, or a list or dictionary of these.
    """
    # Imported here: checking pages needs neither torch nor matplotlib.
    from shared.figures import save_figure
    from shared.runtime import environment

    path = Path(script).resolve()
    folder, name = config.out or path.parent, name or path.stem
    content = {
        "script": path.name,
        "config": {key: value for key, value in plain(config, "config").items() if key != "out"},
        "results": plain(results, "results"),
        "environment": environment(),
        "seconds": round(time.perf_counter() - STARTED, 1),
        "source": source_hash(path),
    }
    if plot is not None:
        save_figure(plot(results), folder / "figures" / f"{name}.png")
    target = folder / "results" / f"{name}.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_suffix(".tmp")
    temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(temporary, target)
    return target


def load_results(path: Path) -> dict[str, Any]:
    """Return what `save_results` wrote.

    Raises:
        ValueError: the file is not there, or is no results file.
    """
    if not path.is_file():
        raise ValueError(f"there is no results file {_shown(path)}: run its script")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise ValueError(f"{_shown(path)} is not JSON ({error}): run its script again") from None


def plain(value: Any, name: str) -> Any:
    """Return a value as JSON knows it; paths, in text too, become relative to the repository."""
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        return {field: plain(vars(value)[field], f"{name}.{field}") for field in names}
    if isinstance(value, dict):
        return {str(key): plain(item, f"{name}[{key}]") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, f"{name}[{index}]") for index, item in enumerate(value)]
    if isinstance(value, Path):
        return value.resolve().relative_to(ROOT).as_posix() if value.resolve().is_relative_to(ROOT) else value.name
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"results must be finite numbers, {name} is {value}: use None for what is not known")
    if isinstance(value, str):  # a name of the hub or a folder, for example: no file says where this repository lies
        return value.replace(f"{ROOT}/", "")
    if value is None or isinstance(value, bool | int | float):
        return value
    raise ValueError(
        f"results are plain values, {name} is a {type(value).__name__}: convert it, for example by .item()"
    )


class Block(NamedTuple):
    """A generated block of a page: its line, its text, and what its template makes now."""

    line: int
    text: str
    fresh: str


def refresh(page: Path) -> tuple[str, list[Block]]:
    """Return a page with its blocks made anew, and the blocks.

    Raises:
        ValueError: a block that does not end, or a value that is not there; says where.
    """
    content, blocks = page.read_text(encoding="utf-8"), []

    def renew(match: re.Match[str]) -> str:
        if match["template"] is None:  # a fence
            return match[0]
        line = content.count("\n", 0, match.start()) + 1
        if OPEN in match["template"] + match["text"]:
            raise ValueError(f"{_shown(page)}:{line}: the block does not end: close it with {CLOSE}")
        try:
            fresh = _Renderer(page).render(match["template"]) + "\n"
        except ValueError as error:
            raise ValueError(f"{_shown(page)}:{line}: {error}") from None
        blocks.append(Block(line, match["text"], fresh))
        return f"{OPEN}\n{match['template']}\n-->\n{fresh}{CLOSE}"

    made = BLOCK.sub(renew, content)
    if any(mark in BLOCK.sub("", content) for mark in (OPEN, CLOSE)):
        raise ValueError(f"{_shown(page)}: a block starts with a line {OPEN}, then template, -->, text, {CLOSE}")
    return made, blocks


class _Renderer(string.Formatter):
    """Fills a template of a page with values of results files."""

    def __init__(self, page: Path) -> None:
        parts = page.relative_to(ROOT).parts if page.is_relative_to(ROOT) else ()
        self.folder = ROOT / parts[0] / parts[1] if len(parts) > 2 and parts[0] == "sprints" else page.parent

    def render(self, template: str) -> str:
        """Return the text that a template makes."""
        return self.format(LOOP.sub(self._repeat, template))

    def _repeat(self, loop: re.Match[str]) -> str:
        """Return the line of a loop once for each item, with the item's full name in place of its short one."""
        values, line = loop["values"], loop["line"]
        found = self.get_field(values, (), {})[0]
        if isinstance(found, dict):
            keys = {name: f"[{name}]" for name in found}
        elif isinstance(found, list):
            keys = {str(place): f".{place}" for place in range(len(found))}
        else:
            raise ValueError(f"a line is repeated over a list or a dictionary; {{{values}}} is {found!r}")
        short, lines = re.compile(rf"\{{{loop['item']}\b"), []
        for name, key in keys.items():
            full = "{" + values + key
            lines.append(short.sub(lambda _, full=full: full, line.replace(f"{{{loop['name']}}}", name)))
        return "\n".join(lines)

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> tuple[Any, str]:  # noqa: ARG002 (its interface)
        match = VALUE.fullmatch(field_name)
        if match is None:
            raise ValueError(f"{{{field_name}}} must be {{file.key.key:format}}, or have its braces doubled")
        *sprint, name = match["file"].split("/")
        path = (ROOT / "sprints" / sprint[0] if sprint else self.folder) / "results" / f"{name}.json"
        value: Any = load_results(path)
        for word, bracket in re.findall(r"\.([\w-]+)|\[([^\]]+)\]", match["keys"]):
            value = _step(value, word or bracket, f"{{{field_name}}}: {_shown(path)}")
        if (condense := match["condense"]) and condense not in CONDENSE:
            raise ValueError(f"{{{field_name}}} must condense by {', '.join(CONDENSE)}; got {condense!r}")
        self.field = field_name
        return CONDENSE[condense](value) if condense else value, field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        try:
            return "–" if value is None else format(value, format_spec)
        except (ValueError, TypeError) as error:
            raise ValueError(f"{{{self.field}:{format_spec}}}: {error}; the value is {value!r}") from None


def _step(value: Any, key: str, where: str) -> Any:
    """Return what stands at a key of a dictionary or list."""
    if isinstance(value, dict) and key in value:
        return value[key]
    if isinstance(value, list) and key.isdecimal() and int(key) < len(value):
        return value[int(key)]
    there = {dict: lambda: ", ".join(value), list: lambda: f"0 to {len(value) - 1}"}.get(type(value), lambda: "nothing")
    raise ValueError(f"{where} has no {key!r} there; it has {there()}")


def pages() -> list[Path]:
    """Return all pages of the repository."""
    folders = (ROOT / name for name in ("data", "shared", "sprints", "tests"))
    below = (page for folder in folders for page in folder.rglob("*.md"))
    return sorted([*ROOT.glob("*.md"), *(page for page in below if not page.is_relative_to(ROOT / "data" / "cache"))])


def outdated() -> list[str]:
    """Return the results files whose script, or what it uses of `shared`, has changed since they were made."""
    old = []
    for path in sorted(ROOT.glob("sprints/*/results/*.json")):
        content = load_results(path)
        script = path.parents[1] / content["script"]
        if not script.is_file() or source_hash(script) != content["source"]:
            old.append(_shown(path))
    return old


def _shown(path: Path) -> str:
    """Return a path as it is shown to people: from the repository, if it is in there."""
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)


def main(argv: list[str] | None = None) -> int:
    """Check or write the blocks of pages; return 1 if a check fails."""
    parser = argparse.ArgumentParser(prog="python -m shared.results", description=main.__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--check", action="store_true", help="fail if a block is stale")
    action.add_argument("--write", action="store_true", help="bring the blocks up to date")
    parser.add_argument("files", nargs="*", type=Path, help="pages (default: all of the repository)")
    chosen = parser.parse_args(argv)
    failed = False
    for page in [file.resolve() for file in chosen.files] or pages():
        try:
            made, blocks = refresh(page)
        except ValueError as error:
            print(error, file=sys.stderr)
            failed = True
            continue
        stale = [block for block in blocks if block.text != block.fresh]
        for block in stale:
            print(f"{_shown(page)}:{block.line}: {'written' if chosen.write else 'is stale: run with --write'}")
        if stale and chosen.write:
            page.write_text(made, encoding="utf-8")
        failed |= bool(stale) and chosen.check
    for path in outdated():
        print(f"{path} was made by older code")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

"""Results files, and the README tables that are generated from them.

A script writes `results/<script>.json`. A README quotes it in a block whose template stands in a comment:

    <!-- generated
    | model | nats per token |
    |---|---|
    | ours | {train.results.validation_loss:.3f} |
    -->
    | model | nats per token |
    |---|---|
    | ours | 0.406 |
    <!-- /generated -->

`{file.key.key:format}` names a value in the results folder beside the README, or in that of a sprint with
`{09_train_gpt2/train.results.optimum:.3f}`. Keys that are no words stand in brackets, `{a.results[ours, Muon].0}`, and
`|median`, `|min`, `|max`, `|sum` or `|len` condenses a list.

    uv run python -m shared.results --check    fails if a block is stale, lists results whose code has changed
    uv run python -m shared.results --write    brings the blocks up to date
"""

import argparse
import ast
import dataclasses
import hashlib
import json
import math
import os
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"<!-- generated\n(?P<template>.*?)\n-->\n(?P<text>.*?)\n?<!-- /generated -->", re.DOTALL)
VALUE = re.compile(r"\{(?P<file>[\w/-]+)(?P<keys>(?:\.\w+|\[[^\]]+\])+)(?:\|(?P<over>\w+))?(?::(?P<format>[^}]*))?\}")
CONDENSE = {"median": statistics.median, "mean": statistics.mean, "min": min, "max": max, "sum": sum, "len": len}
STARTED = time.perf_counter()


def save_results(
    results: Any, config: Any, *, script: str, plot: Callable[[Any], Any] | None = None, name: str | None = None
) -> Path:
    """Write what a script found, and its figure if it draws one; return the path of the results file.

    Args:
        results, config: dataclasses of plain values.
        script: the script's `__file__`.
        plot: draws the results.
        name: name of the files (default: the script's).

    Raises:
        ValueError: a value that is not a finite number, text, truth value, None, or a list or dictionary of these.
    """
    from shared.figures import save_figure
    from shared.runtime import environment

    path = Path(script).resolve()
    folder, name = config.out or path.parent, name or path.stem
    content = {
        "script": path.name,
        "config": {key: plain(value, key) for key, value in vars(config).items() if key != "out"},
        "results": {field.name: plain(getattr(results, field.name), field.name) for field in dataclasses.fields(results)},
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


def plain(value: Any, name: str) -> Any:
    """Return a value as JSON knows it; paths become relative to the repository."""
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name), field.name) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item, f"{name}[{key}]") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, name) for item in value]
    if isinstance(value, Path):
        return value.resolve().relative_to(ROOT).as_posix() if value.resolve().is_relative_to(ROOT) else value.name
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"results must be finite numbers, {name} is {value}: use None for what is not known")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"results are plain values, {name} is a {type(value).__name__}: convert it, for example by .item()")


def source_hash(script: Path) -> str:
    """Return a hash of a script and of all modules of `shared` that it imports, directly or not."""
    seen: dict[Path, str] = {}
    waiting = [script]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen[path] = path.read_text(encoding="utf-8")
            waiting += _imported(seen[path])
    sha = hashlib.sha256()
    for path in sorted(seen):
        # Without layout and comments: reformatting does not make a result old.
        sha.update(ast.dump(ast.parse(seen[path])).encode())
    return sha.hexdigest()[:16]


def _imported(code: str) -> list[Path]:
    names = {
        node.module for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom) and node.module is not None
    }
    paths = (ROOT / f"{name.replace('.', '/')}.py" for name in names if name.startswith("shared."))
    return [path for path in paths if path.exists()]


def render(template: str, folder: Path) -> str:
    """Return a template with each `{file.key:format}` replaced by the value in the results of a folder.

    Raises:
        ValueError: there is no such file or key.
    """
    return VALUE.sub(lambda match: _value(match, folder), template)


def _value(match: re.Match[str], folder: Path) -> str:
    *sprint, name = match["file"].split("/")
    path = (ROOT / "sprints" / sprint[0] if sprint else folder) / "results" / f"{name}.json"
    if not path.is_file():
        raise ValueError(f"{match[0]} names {path.relative_to(ROOT).as_posix()}, which is not there: run its script")
    value = json.loads(path.read_text(encoding="utf-8"))
    for word, bracket in re.findall(r"\.(\w+)|\[([^\]]+)\]", match["keys"]):
        key = word or bracket
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, ValueError, TypeError):
            there = ", ".join(value) if isinstance(value, dict) else f"a {type(value).__name__}"
            raise ValueError(f"{match[0]}: {path.name} has no {key!r} there, but {there}") from None
    if match["over"]:
        value = CONDENSE[match["over"]](value)
    return "–" if value is None else format(value, match["format"] or "")


def pages(paths: list[Path]) -> Iterator[tuple[Path, str, str]]:
    """Yield each page that has generated blocks, with its text as it is and as it should be."""
    for path in paths:
        text = path.read_text(encoding="utf-8")
        try:
            fresh = BLOCK.sub(
                lambda match, folder=path.parent: (
                    f"<!-- generated\n{match['template']}\n-->\n{render(match['template'], folder)}\n<!-- /generated -->"
                ),
                text,
            )
        except ValueError as error:
            raise ValueError(f"{path.relative_to(ROOT)}: {error}") from None
        if "<!-- generated" in text:
            yield path, text, fresh


def outdated() -> list[str]:
    """Return the results files whose script, or a shared module that it imports, has changed since they were made."""
    old = []
    for path in sorted(ROOT.glob("sprints/*/results/*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        script = path.parents[1] / content["script"]
        if not script.exists() or source_hash(script) != content["source"]:
            old.append(path.relative_to(ROOT).as_posix())
    return old


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m shared.results", description="Check or write generated tables.")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--check", action="store_true", help="fail if a table is stale")
    action.add_argument("--write", action="store_true", help="bring the tables up to date")
    chosen = parser.parse_args(argv)
    paths = sorted([*ROOT.glob("*.md"), *ROOT.glob("sprints/**/*.md")])
    try:
        stale = [(path, fresh) for path, text, fresh in pages(paths) if text != fresh]
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    for path, fresh in stale:
        if chosen.write:
            path.write_text(fresh, encoding="utf-8")
        print(f"{path.relative_to(ROOT)} {'written' if chosen.write else 'is stale: run python -m shared.results --write'}")
    for path in outdated():
        print(f"{path} was made by older code")
    return 1 if stale and chosen.check else 0


if __name__ == "__main__":
    sys.exit(main())

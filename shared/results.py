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
a dash; braces that are meant as such are doubled. Blocks inside ``` fences are examples and stay as they are.

    uv run python -m shared.results --check    fails if a block is stale, lists results whose code has changed
    uv run python -m shared.results --write    brings the blocks up to date
"""

import argparse
import ast
import dataclasses
import functools
import hashlib
import json
import math
import os
import re
import statistics
import string
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
OPEN, CLOSE = "<!-- generated", "<!-- /generated -->"
BLOCK = re.compile(rf"^{OPEN}\n(?P<template>.*?)\n-->\n(?P<text>.*?)^{CLOSE}$|^```.*?^```$", re.DOTALL | re.MULTILINE)
VALUE = re.compile(r"(?P<file>[\w/-]+)(?P<keys>(?:\.[\w-]+|\[[^\]]+\])+)(?:\|(?P<condense>\w+))?")
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
    """Return a value as JSON knows it; paths become relative to the repository."""
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
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise ValueError(f"results are plain values, {name} is a {type(value).__name__}: convert it, for example by .item()")


def source_hash(script: Path) -> str:
    """Return a hash of a script and all that it uses of `shared`, directly or not: modules and their .toml files."""
    seen: dict[Path, str] = {}
    waiting = [script]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            code = path.read_text(encoding="utf-8")
            seen[path] = _meaning(code) if path.suffix == ".py" else code
            waiting += [ROOT / used for used in _used(code) if path.suffix == ".py" and (ROOT / used).is_file()]
    return hashlib.sha256("".join(seen[path] for path in sorted(seen)).encode()).hexdigest()[:16]


@functools.cache
def _used(code: str) -> frozenset[str]:
    """Return what may be files of `shared` among the names that code imports and its texts."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}", *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Constant) and re.fullmatch(r"\w+\.toml", str(node.value)):
            names.add(f"shared.{node.value}")
    files = (name.removesuffix(".toml").replace(".", "/") + (".toml" if name.endswith(".toml") else ".py") for name in names)
    return frozenset(file for file in files if file.startswith("shared/"))


@functools.cache
def _meaning(code: str) -> str:
    """Return code without layout, comments and docstrings, in a form that is the same in every version of Python."""

    def show(node: ast.AST) -> str:
        parts = []
        for name, value in ast.iter_fields(node):
            for item in value if isinstance(value, list) else [value]:
                documents = isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant)
                if item is not None and not documents:
                    parts.append(f"{name}={show(item) if isinstance(item, ast.AST) else repr(item)}")
        return f"{type(node).__name__}({', '.join(parts)})"

    return show(ast.parse(code))

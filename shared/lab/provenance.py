"""What a result rests on: the code that made it, the data that it read, the libraries that computed it."""

import ast
import functools
import hashlib
import importlib.metadata
import re
from pathlib import Path
from typing import Any

from shared.lab.paths import ROOT

# `lab` runs scripts and writes down what they find. Of its modules only these have a part in what is found.
LAB = "shared/lab/"
LAB_THAT_COMPUTES = {"shared/lab/runtime.py", "shared/lab/digits.py", "shared/lab/mnist.py"}
LIBRARIES = ("torch", "transformers")
# What these offer says which values code takes, not what it computes of them.
FOR_ANNOTATIONS = ("typing", "jaxtyping", "pydantic", "shared.lab.ranges")
# What this process has read, by the name under which a results file lists it.
_read: dict[str, Path] = {}


def note_read(path: Path, name: str | None = None) -> Path:
    """Note that results of this process rest on a file, and return its path.

    Args:
        path: the file; a folder stands for the files in it.
        name: how results files call it (default: its path in the repository).
    """
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    for file in files:
        inside = file.resolve()
        if name is not None:
            _read[f"{name}/{file.name}" if path.is_dir() else name] = inside
        elif inside.is_relative_to(ROOT):
            _read[inside.relative_to(ROOT).as_posix()] = inside
    return path


def forget_reads() -> None:
    """Begin anew: a run rests on what it reads itself."""
    _read.clear()


def provenance(script: Path, code: str | None = None) -> dict[str, Any]:
    """Return what a result of a script rests on, for its results file.

    Args:
        script: the script.
        code: its `source_hash` when it began (default: the one it has now).
    """
    return {
        "code": source_hash(script) if code is None else code,
        "data": {name: sha256(path) for name, path in sorted(_read.items()) if path.is_file()},
        "libraries": {name: importlib.metadata.version(name) for name in LIBRARIES},
    }


def changes(rests_on: dict[str, Any], script: Path) -> list[str]:
    """Return what has changed since a result was made, in words; nothing if it would be made the same way today."""
    changed = []
    if not script.is_file():
        return ["its script is gone"]
    if rests_on["code"] != source_hash(script):
        changed.append("code")
    for name, digest in rests_on["data"].items():
        # Public data lies outside of the repository and has a checksum of its own.
        if (path := ROOT / name).is_file() and sha256(path) != digest:
            changed.append(name)
    for name, version in rests_on["libraries"].items():
        if version != importlib.metadata.version(name):
            changed.append(f"{name} {version}")
    return changed


@functools.cache
def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def source_hash(script: Path) -> str:
    """Return a hash of a script and of what it uses, directly or not: modules of its sprint, of `shared`, their words.

    Layout, comments, docstrings, annotations and a Config's `check` do not count, and every version of Python gives the
    same.
    """
    seen: dict[Path, str] = {}
    waiting = [script]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen[path] = path.read_text(encoding="utf-8")
            if path.suffix == ".py":
                names = sorted(_used(seen[path]))
                waiting += [file for name in names if (file := _file(name, script, path)).is_file()]
                seen[path] = _meaning(seen[path])
    parts = (f"{path.name}\n{seen[path]}\n" for path in sorted(seen, key=lambda path: (path != script, path.name)))
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:16]


def _file(name: str, script: Path, user: Path) -> Path:
    """Return where a file is: `shared` in the repository, a sprint's package beside its script, words beside code."""
    if name.endswith(".toml"):
        return user.parent / name
    return ROOT / name if name.startswith("shared/") else script.parent / name


@functools.cache
def _used(code: str) -> frozenset[str]:
    """Return the files that code may use: what it imports, and the .toml files that it names."""
    files: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            files |= {f"{alias.name.replace('.', '/')}.py" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from shared.nn import gpt` imports a module, `from shared.nn.gpt import GPT` a name of one.
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            files |= {f"{name.replace('.', '/')}.py" for name in names}
        elif isinstance(node, ast.Constant) and re.fullmatch(r"\w+\.toml", str(node.value)):
            files.add(str(node.value))
    return frozenset(file for file in files if not file.startswith(LAB) or file in LAB_THAT_COMPUTES)


@functools.cache
def _meaning(code: str) -> str:
    """Return the syntax tree of code as text, without positions, docstrings, annotations and checks of options."""

    def show(node: ast.AST) -> str:
        parts = []
        # Not ast.dump: versions of Python differ in which empty fields they have, and show.
        fields = ((name, value) for name, value in ast.iter_fields(node) if name not in ("annotation", "returns"))
        for name, value in fields:
            for item in value if isinstance(value, list) else [value]:
                if not _says_nothing(item) and (item is not None or isinstance(value, list)):
                    parts.append(f"{name}={show(item) if isinstance(item, ast.AST) else ascii(item)}")
        return f"{type(node).__name__}({', '.join(parts)})"

    return show(ast.parse(code))


def _says_nothing(node: Any) -> bool:
    """Return whether a part of code computes nothing: it is read by people, by type checkers or before the work."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.ImportFrom):
        return node.module in FOR_ANNOTATIONS
    if isinstance(node, ast.Assign):  # Kind = Literal["a", "b"]
        value = node.value.value if isinstance(node.value, ast.Subscript) else None
        return isinstance(value, ast.Name) and value.id in ("Annotated", "Literal")
    return (
        isinstance(node, ast.FunctionDef) and [*map(ast.unparse, node.args.args)] == ["self"] and node.name == "check"
    )

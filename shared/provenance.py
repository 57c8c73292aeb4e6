"""Which code made a result? A hash of a script and of all that it uses of its sprint and of `shared`."""

import ast
import functools
import hashlib
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
# These write a result down; they have no part in making it.
WRITERS = {"shared/results.py", "shared/provenance.py", "shared/figures.py"}


def source_hash(script: Path) -> str:
    """Return a hash of a script and of what it uses, directly or not: parts, modules, .toml files of words.

    Layout, comments and docstrings do not count, and every version of Python gives the same.
    """
    seen: dict[Path, str] = {}
    waiting = [script]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen[path] = path.read_text(encoding="utf-8")
            if path.suffix == ".py":
                names = sorted(_used(seen[path]))
                waiting += [file for name in names if (file := _file(name, script)).is_file()]
                seen[path] = _meaning(seen[path])
    parts = (f"{path.name}\n{seen[path]}\n" for path in sorted(seen, key=lambda path: (path != script, path.name)))
    return hashlib.sha256("".join(parts).encode()).hexdigest()[:16]


def _file(name: str, script: Path) -> Path:
    """Return where a file is: `shared` is in the repository, a part of a sprint is beside its script."""
    return ROOT / name if name.startswith("shared/") else script.parent / name


@functools.cache
def _used(code: str) -> frozenset[str]:
    """Return the files that code may use: what it imports, and the .toml files that it names."""
    files: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            files |= {f"{alias.name.replace('.', '/')}.py" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            # `from shared import gpt` imports a module, `from shared.gpt import GPT` a name of one.
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
            files |= {f"{name.replace('.', '/')}.py" for name in names}
        elif isinstance(node, ast.Constant) and re.fullmatch(r"\w+\.toml", str(node.value)):
            files.add(f"shared/{node.value}")
    return frozenset(files - WRITERS)


@functools.cache
def _meaning(code: str) -> str:
    """Return the syntax tree of code as text, without positions and docstrings."""

    def show(node: ast.AST) -> str:
        parts = []
        # Not ast.dump: versions of Python differ in which empty fields they have, and show.
        for name, value in ast.iter_fields(node):
            for item in value if isinstance(value, list) else [value]:
                is_docstring = isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant)
                if not is_docstring and (item is not None or isinstance(value, list)):
                    parts.append(f"{name}={show(item) if isinstance(item, ast.AST) else ascii(item)}")
        return f"{type(node).__name__}({', '.join(parts)})"

    return show(ast.parse(code))

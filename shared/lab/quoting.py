"""Code on a page: a function or class as it stands in its file, without its docstring."""

import ast
import textwrap
from pathlib import Path

from shared.lab.paths import shown


def quote(file: Path, symbol: str) -> str:
    """Return a function, method or class of a file as a fenced block; what its docstring says, the page explains.

    Args:
        file: a Python file.
        symbol: a name of it, such as `attend` or `MultiHeadAttention.forward`.

    Raises:
        ValueError: there is no such file, or it defines no such name.
    """
    if not file.is_file():
        raise ValueError(f"there is no file {shown(file)}")
    source = file.read_text(encoding="utf-8")
    body, node = ast.parse(source).body, None
    for name in symbol.split("."):
        named = [part for part in body if getattr(part, "name", None) == name]
        if not named:
            raise ValueError(f"{shown(file)} defines no {symbol}")
        node = named[0]
        body = getattr(node, "body", [])
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    lines = source.splitlines()
    first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    hidden: set[int] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(part) is not None:
            docstring = part.body[0]
            hidden |= set(range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1))
            # An empty line that sets the docstring of a class apart goes with it.
            hidden |= {line for line in (max(hidden) + 1,) if not lines[line - 1].strip()}
    kept = [lines[number - 1] for number in range(first, (node.end_lineno or first) + 1) if number not in hidden]
    return "```python\n" + textwrap.dedent("\n".join(kept)) + "\n```\n"

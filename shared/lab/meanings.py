"""What code means: its syntax tree without layout, comments, docstrings, annotations and checks of options."""

import ast
from collections.abc import Iterator
from typing import Any

# What these offer says which values code takes, not what it computes of them.
FOR_ANNOTATIONS = ("typing", "jaxtyping", "pydantic", "shared.lab.ranges")


def parts(node: ast.AST, without: list[Any]) -> Iterator[ast.AST]:
    """Yield a syntax tree's nodes that mean something."""
    yield node
    for _, item in _children(node, without):
        if isinstance(item, ast.AST):
            yield from parts(item, without)


def meaning(node: ast.AST, without: list[Any]) -> str:
    """Return a syntax tree as text."""
    # Not ast.dump: versions of Python differ in which empty fields they have, and show.
    shown = (
        f"{name}={meaning(item, without) if isinstance(item, ast.AST) else ascii(item)}"
        for name, item in _children(node, without)
    )
    return f"{type(node).__name__}({', '.join(shown)})"


def _children(node: ast.AST, without: list[Any]) -> Iterator[tuple[str, Any]]:
    for name, value in ast.iter_fields(node):
        if name not in ("annotation", "returns"):
            for item in value if isinstance(value, list) else [value]:
                if not (says_nothing(item) or item in without) and (item is not None or isinstance(value, list)):
                    yield name, item


def says_nothing(node: Any) -> bool:
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

"""Do the tests notice? Break one operator, sign, condition or constant at a time, and run the tests of the module.

    uv run python tests/mutate.py                      # the modules that every model here stands on, about half an hour
    uv run python tests/mutate.py blocks positions     # some modules

A mutant that all tests accept has survived: either a test is missing, or the change has no effect that anybody could
see. CONTRIBUTING.md lists the survivors with the reason for each.
"""

import argparse
import ast
import copy
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

ROOT = Path(__file__).parent.parent
MODULES = ("attention", "positions", "blocks", "gpt")
# Parts are tested through what is assembled of them, too; in each list the module's own tests come first.
TESTS = {
    "attention": ("attention", "blocks", "gpt"),
    "positions": ("positions", "gpt"),
    "blocks": ("blocks", "gpt"),
    "gpt": ("gpt", "generation"),
}
SECONDS = 120  # of processor time, many times what the tests need
OPERATORS: dict[type, tuple[type, ...]] = {
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.FloorDiv,),
    ast.Pow: (ast.Mult,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}


@dataclass(frozen=True)
class Mutant:
    """A module with one change: the line, the expression before and after, and the whole code."""

    line: int
    before: str
    after: str
    code: str


def mutants(code: str) -> Iterator[Mutant]:
    """Yield every mutant of a module."""
    tree = ast.parse(code)
    for path, node in _meaningful(tree):
        for other in _mutations(node):
            changed = copy.deepcopy(tree)
            _replace(changed, path, other)
            text = ast.unparse(ast.fix_missing_locations(changed))
            before, after = (ast.unparse(part.test if isinstance(part, ast.If) else part) for part in (node, other))
            yield Mutant(getattr(node, "lineno", 0), before, after, text)


def _meaningful(node: ast.AST, path: tuple = ()) -> Iterator[tuple[tuple, ast.AST]]:
    """Yield each node with the way to it, but not what only people and type checkers read."""
    for field, value in ast.iter_fields(node):
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            is_docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            is_for_readers = field in ("annotation", "returns", "exc") or isinstance(child, ast.JoinedStr)
            is_type = isinstance(child, ast.Assign) and isinstance(child.value, ast.Subscript)  # Norm = Literal[...]
            is_for_checkers = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
            if not isinstance(child, ast.AST) or is_docstring or is_for_readers or is_type or is_for_checkers:
                continue
            way = (*path, (field, index if isinstance(value, list) else None))
            yield way, child
            yield from _meaningful(child, way)


def _mutations(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the ways to break one node."""
    if isinstance(node, ast.BinOp | ast.BoolOp):
        yield from (_with(node, op=other()) for other in OPERATORS.get(type(node.op), ()))
    elif isinstance(node, ast.Compare):
        yield from (_with(node, ops=[other(), *node.ops[1:]]) for other in OPERATORS[type(node.ops[0])])
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.If | ast.IfExp) and not isinstance(node.test, ast.Compare | ast.UnaryOp):
        yield _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.Expr):
        yield ast.Pass()
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield ast.Constant(not node.value)
        elif isinstance(node.value, int | float):
            yield ast.Constant(node.value + 1)
        elif isinstance(node.value, str):
            yield ast.Constant(f"{node.value}x")


def _with(node: ast.AST, **fields: object) -> ast.AST:
    """Return a copy of a node with other fields."""
    return type(node)(**{**{name: getattr(node, name) for name in node._fields}, **fields})


def _replace(tree: ast.AST, path: tuple, other: ast.AST) -> None:
    """Put another node at the end of a way."""
    for field, index in path[:-1]:
        tree = getattr(tree, field) if index is None else getattr(tree, field)[index]
    field, index = path[-1]
    if index is None:
        setattr(tree, field, other)
    else:
        getattr(tree, field)[index] = other


def survives(folder: Path, module: str) -> bool:
    """Return whether all tests of a module pass in a folder; in a process of its own, forked for its imports."""
    import pytest

    if (child := os.fork()) == 0:
        os.chdir(folder)
        sys.path.insert(0, str(folder))
        silence = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silence, 1)
        os.dup2(silence, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))  # some mutants never end
        tests = [f"tests/shared/test_{name}.py" for name in TESTS[module]]
        os._exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests])))
    return os.waitpid(child, 0)[1] == 0


def main(modules: list[str]) -> None:
    """Print the survivors and the share of mutants that the tests killed."""
    import torch
    import transformers  # noqa: F401 (imported once here, not in each child)

    torch.set_num_threads(1)
    sys.dont_write_bytecode = True
    sys.path = [path for path in sys.path if Path(path or ".").resolve() != ROOT]
    killed = total = 0
    for module in modules:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for part in ("shared", "tests"):
                shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
            for part in ("data", "sprints", "pyproject.toml"):
                (folder / part).symlink_to(ROOT / part)
            code = (ROOT / "shared" / f"{module}.py").read_text(encoding="utf-8")
            if not survives(folder, module):
                raise SystemExit(f"the tests of shared/{module}.py fail before anything is broken: mend them first")
            survivors = []
            for mutant in tqdm(list(mutants(code)), desc=module, unit="mutant"):
                (folder / "shared" / f"{module}.py").write_text(mutant.code, encoding="utf-8")
                total += 1
                if survives(folder, module):
                    survivors.append(mutant)
                else:
                    killed += 1
            for mutant in survivors:
                print(f"shared/{module}.py:{mutant.line}: `{mutant.before}` -> `{mutant.after}` survives", flush=True)
    print(f"{killed} of {total} mutants killed: {killed / total:.1%}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Break modules of shared one line at a time; name what no test sees.")
    parser.add_argument("modules", nargs="*", default=MODULES, choices=MODULES)
    main(list(parser.parse_args().modules))

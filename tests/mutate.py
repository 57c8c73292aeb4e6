"""Do the tests notice? Break one operator, sign, condition or constant at a time, and run the tests of the module.

    uv run python tests/mutate.py                      # every module of ROOMS, for an hour or two
    uv run python tests/mutate.py graph nn/positions   # some rooms, some modules

A mutant meets the tests of its module first, then those of the modules that are assembled of it, which import it. One
that all tests accept has survived: either a test is missing, or the change has no effect that anybody could see.
CONTRIBUTING.md lists the survivors with the reason for each. Needs `os.fork`, which Windows does not have.
"""

import argparse
import ast
import copy
import importlib
import multiprocessing
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tqdm import tqdm

ROOT = Path(__file__).parent.parent
ROOMS = ("nn", "graph", "training", "generation")
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


def modules_of(names: Sequence[str]) -> list[str]:
    """Return the modules, such as "nn/gpt", that rooms and modules name.

    Raises:
        ValueError: there is no such room or module.
    """
    every = [f"{room}/{path.stem}" for room in ROOMS for path in sorted((ROOT / "shared" / room).glob("[!_]*.py"))]
    chosen: list[str] = []
    for name in names:
        meant = [module for module in every if name in (module, module.partition("/")[0])]
        if not meant:
            raise ValueError(f"there is no room or module {name!r}; there are {', '.join((*ROOMS, *every))}")
        chosen += [module for module in meant if module not in chosen]
    return chosen


def files_that_test(module: str) -> list[str]:
    """Return the test files that a mutant of a module meets: its own, and those of what is assembled of it.

    Raises:
        ValueError: the module has no tests of its own.
    """
    assembled = [module]
    for part in assembled:  # grows while it is read: what imports an importer is assembled of the module, too
        name = f"shared.{part.replace('/', '.')}"
        assembled += [other for other in modules_of(ROOMS) if other not in assembled and name in _imports(other)]
    files = [f"tests/shared/{part.replace('/', '/test_')}.py" for part in assembled]
    if not (ROOT / files[0]).is_file():
        raise ValueError(f"shared/{module}.py has no tests: write {files[0]}")
    return [file for file in files if (ROOT / file).is_file()]


@cache
def _imports(module: str) -> set[str]:
    """Return the modules that a module imports from."""
    tree = ast.parse((ROOT / "shared" / f"{module}.py").read_text(encoding="utf-8"))
    return {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def copy_repository(folder: Path) -> None:
    """Make a folder in which a module can be broken: code is copied, what is only read is linked."""
    for part in ("shared", "tests"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("data", "sprints", "pyproject.toml", "README.md"):
        (folder / part).symlink_to(ROOT / part)


def survives(module: str, code: str) -> bool:
    """Return whether all tests accept other code for a module, in the folder of this worker."""
    (Path.cwd() / "shared" / f"{module}.py").write_text(code, encoding="utf-8")
    child = os.fork()  # a process of its own, which has its imports already
    if child == 0:
        os._exit(_run_tests(files_that_test(module)))
    _, status = os.waitpid(child, 0)
    shutil.copy(ROOT / "shared" / f"{module}.py", Path.cwd() / "shared" / f"{module}.py")
    return status == 0


def _run_tests(files: list[str]) -> int:
    """Run tests in silence and return pytest's exit status."""
    import resource

    import pytest
    from hypothesis import Phase, settings

    _silence()
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))  # some mutants never end
    # One counterexample kills; the smallest one is not needed.
    settings.register_profile("mutants", phases=[Phase.explicit, Phase.generate], database=None, deadline=None)
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    ours = tuple(str(folder / part) for folder in (ROOT, Path.cwd()) for part in ("shared", "tests"))
    for name in [name for name, module in sys.modules.items() if str(vars(module).get("__file__")).startswith(ours)]:
        del sys.modules[name]  # the whole code, which may have changed since
    return int(pytest.main(["-x", "-q", "-n0", "-p", "no:cacheprovider", "--hypothesis-profile=mutants", *files]))


def _silence() -> None:
    """Let this process print nothing."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)


def _prepare_worker(parent: str, modules: Sequence[str]) -> None:
    """Give a worker its own copy of the repository, and let it import the libraries of the tests, once for all."""
    folder = Path(tempfile.mkdtemp(dir=parent))
    copy_repository(folder)
    os.chdir(folder)
    _silence()
    for file in {file for module in modules for file in files_that_test(module)}:
        _import_libraries(folder / file)


def _import_libraries(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        first = str(node.module).partition(".")[0] if isinstance(node, ast.ImportFrom) else "shared"
        if isinstance(node, ast.ImportFrom) and first != "shared" and not (file.parent / f"{first}.py").is_file():
            library = importlib.import_module(str(node.module))
            for name in node.names:  # transformers imports a part when it is asked for it
                getattr(library, name.name, None)


def main(names: Sequence[str], jobs: int) -> None:
    """Print the survivors of each module, and the share of mutants of each room that the tests killed."""
    if not hasattr(os, "fork"):
        raise SystemExit("the mutation run forks a process for each mutant, which this system cannot: run it on Linux")
    modules = modules_of(names)
    import torch

    torch.set_num_threads(1)
    sys.dont_write_bytecode = True
    sys.path = [path for path in sys.path if Path(path or ".").resolve() not in (ROOT, ROOT / "tests")]
    counts = {module.partition("/")[0]: [0, 0] for module in modules}
    with (
        tempfile.TemporaryDirectory() as parent,
        ProcessPoolExecutor(jobs, multiprocessing.get_context("fork"), _prepare_worker, (parent, modules)) as workers,
    ):
        for module in modules:
            code = (ROOT / "shared" / f"{module}.py").read_text(encoding="utf-8")
            if not workers.submit(survives, module, code).result():
                raise SystemExit(f"the tests of shared/{module}.py fail before anything is broken: mend them first")
            broken = list(mutants(code))
            verdicts = workers.map(survives, [module] * len(broken), [mutant.code for mutant in broken])
            verdicts = list(tqdm(verdicts, total=len(broken), desc=module, unit="mutant"))
            for mutant in (mutant for mutant, survived in zip(broken, verdicts, strict=True) if survived):
                print(f"shared/{module}.py:{mutant.line}: `{mutant.before}` -> `{mutant.after}` survives", flush=True)
            count = counts[module.partition("/")[0]]
            count[0] += len(broken) - sum(verdicts)
            count[1] += len(broken)
    for room, (killed, total) in counts.items():
        print(f"{room}: {killed} of {total} mutants killed: {killed / max(1, total):.1%}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Break modules of shared one line at a time; name what no test sees.")
    parser.add_argument("names", nargs="*", default=ROOMS, metavar="room[/module]", help=f"default: {', '.join(ROOMS)}")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="mutants at once (default: one per core)")
    arguments = parser.parse_args()
    main(arguments.names, arguments.jobs)

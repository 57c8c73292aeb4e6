"""What of a program a script's `main` reaches: the definitions that its result rests on, and no others.

A result is what `main(Config)` returns. What it computes is settled by the definitions that `main` names, by those
that these name, and so on, in the script, in the modules of its sprint and in `shared`. A function that stands in one
of these files and is named by nobody can change, move or go without a result being another.
"""

import ast
import functools
import re
from dataclasses import dataclass, field
from pathlib import Path

from shared.lab.meanings import meaning, parts, says_nothing

# `lab` runs scripts and writes down what they find. Of its modules only these have a part in what is found.
LAB = "shared/lab/"
LAB_THAT_COMPUTES = {"shared/lab/runtime.py", "shared/lab/digits.py", "shared/lab/mnist.py"}
ROOTS = ("main", "Config")
# Classes of the standard library that call no method by themselves.
QUIET_BASES = {"object", "NamedTuple", "Protocol", "Generic", "Exception", "ValueError"}
NEVER = ("TYPE_CHECKING", "__name__ == '__main__'")  # what an import of a module does not do


@dataclass
class Module:
    """What a file defines and imports at its top level, by name, and what it does when it is imported."""

    path: Path
    defined: dict[str, list[ast.AST]] = field(default_factory=dict)
    imported: dict[str, tuple[str, str | None]] = field(default_factory=dict)  # module, and the name in it
    done: list[ast.AST] = field(default_factory=list)


def reached(script: Path, root: Path) -> list[str]:
    """Return the meanings of all definitions that `main` and `Config` of a script reach, and words beside them, sorted.

    A meaning is a syntax tree as text, without layout, comments, docstrings, annotations and a Config's `check`. Of a
    class those methods are left out that nothing reached mentions, unless a library's base class could call them. Of
    the script's Config the options are left out: a results file says which value each had.

    Args:
        script: the script; modules of its sprint lie beside it.
        root: the repository, with the folder `shared`.
    """
    return _Reach(script, root).meanings()


class _Reach:
    def __init__(self, script: Path, root: Path) -> None:
        self.script, self.root = script, root
        self.seen: set[tuple[Path, str]] = set()
        self.touched: set[Path] = set()
        self.waiting: list[tuple[Module, ast.AST]] = []
        self.texts: dict[tuple[Path, int], str] = {}  # by place, since one definition may have two names
        self.mentioned: set[str] = set()
        self.withheld: dict[str, list[tuple[Module, ast.AST]]] = {}  # methods that nothing has mentioned so far

    def meanings(self) -> list[str]:
        module = _module(self.script, self.script.read_text(encoding="utf-8"))
        for name in ROOTS if "main" in module.defined else module.defined:
            self._need(self.script, name)
        while self.waiting:
            self._visit(*self.waiting.pop())
        return sorted(self.texts.values())

    def _need(self, path: Path, name: str) -> None:
        """Note that a name of a module is used; one that it imports itself is looked for where it comes from."""
        if (path, name) in self.seen:
            return
        self.seen.add((path, name))
        module = _module(path, path.read_text(encoding="utf-8"))
        nodes = module.defined.get(name, []) + (module.done if path not in self.touched else [])
        self.touched.add(path)
        self.waiting += [(module, node) for node in nodes]
        if name not in module.defined and name in module.imported:
            self._follow(*module.imported[name], set())

    def _follow(self, module: str, name: str | None, attributes: set[str]) -> None:
        """Note what an import stands for: a name of a module, or a module, of which attributes are used."""
        if name is not None and (file := self._file(f"{module}.{name}")) is not None:
            name = None
        elif (file := self._file(module)) is None:
            return
        for one in attributes if name is None else {name}:
            self._need(file, one)

    def _file(self, module: str) -> Path | None:
        name = f"{module.replace('.', '/')}.py"
        if name.startswith(LAB) and name not in LAB_THAT_COMPUTES:
            return None
        path = self.root / name if name.startswith("shared/") else self.script.parent / name
        return path if path.is_file() else None

    def _visit(self, module: Module, node: ast.AST) -> None:
        """Keep the meaning of a definition, and note what it names."""
        methods = self._withheld(module, node) if isinstance(node, ast.ClassDef) else []
        withheld = [*methods, *self._options(module, node)]
        for method in methods:
            if method.name in self.mentioned:
                self.waiting.append((module, method))
            else:
                self.withheld.setdefault(method.name, []).append((module, method))
        self.texts[module.path, getattr(node, "lineno", 0)] = meaning(node, withheld)
        imported, attributes, names = dict(module.imported), {}, set()
        for part in parts(node, withheld):
            if isinstance(part, ast.Import | ast.ImportFrom):
                imported |= _imports(part)
            elif isinstance(part, ast.Name):
                names.add(part.id)
            elif isinstance(part, ast.Attribute):
                self._mention(part.attr)
                if isinstance(part.value, ast.Name):
                    attributes.setdefault(part.value.id, set()).add(part.attr)
            elif isinstance(part, ast.Constant) and isinstance(part.value, str):
                self._mention(part.value)
                if re.fullmatch(r"\w+\.toml", part.value) and (words := module.path.parent / part.value).is_file():
                    self.texts[words, 0] = words.read_text(encoding="utf-8")
        for name in names:
            if name in module.defined:
                self._need(module.path, name)
            elif name in imported:
                self._follow(*imported[name], attributes.get(name, set()))

    def _options(self, module: Module, node: ast.AST) -> list[ast.AST]:
        """Return the fields of the script's Config: a results file says what value each had."""
        own = module.path == self.script and isinstance(node, ast.ClassDef) and node.name == "Config"
        return [part for part in node.body if isinstance(part, ast.AnnAssign)] if own else []

    def _mention(self, name: str) -> None:
        """Note a name that may be a method's: those that waited for it are reached."""
        self.mentioned.add(name)
        self.waiting += self.withheld.pop(name, [])

    def _withheld(self, module: Module, node: ast.ClassDef) -> list[ast.FunctionDef]:
        """Return the methods of a class that only somebody who names them can call."""
        quiet = self._is_quiet(module, node)
        return [
            method
            for method in node.body
            if isinstance(method, ast.FunctionDef)
            and not (method.name.startswith("__") or says_nothing(method))
            and (quiet or {ast.unparse(mark) for mark in method.decorator_list} & {"classmethod", "staticmethod"})
        ]

    def _is_quiet(self, module: Module, node: ast.ClassDef) -> bool:
        """Return whether no base class comes from a library that might call methods by itself."""
        for base in node.bases:
            name = ast.unparse(base).partition("[")[0]
            home: Module | None = module
            if name in module.imported:
                source, original = module.imported[name]
                file = self._file(source)
                home = None if file is None else _module(file, file.read_text(encoding="utf-8"))
                name = original or name
            own = [one for one in home.defined.get(name, []) if isinstance(one, ast.ClassDef)] if home else []
            if name not in QUIET_BASES and not (own and home and all(self._is_quiet(home, one) for one in own)):
                return False
        return True


@functools.cache
def _module(path: Path, code: str) -> Module:
    """Return a file taken apart. (The code is given so that a file that changes is read again.)"""
    module = Module(path)
    for node in ast.parse(code).body:
        if says_nothing(node) or (isinstance(node, ast.If) and ast.unparse(node.test) in NEVER):
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            module.imported |= _imports(node)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            module.defined.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]
            for name in names:
                module.defined.setdefault(name, []).append(node)
        else:
            module.done.append(node)
    return module


def _imports(node: ast.Import | ast.ImportFrom) -> dict[str, tuple[str, str | None]]:
    """Return what an import calls what: by name, the module and the name in it (None: the module itself)."""
    if isinstance(node, ast.ImportFrom):
        return {alias.asname or alias.name: (node.module or "", alias.name) for alias in node.names}
    found: dict[str, tuple[str, str | None]] = {}
    for alias in node.names:
        first = alias.name.partition(".")[0]
        found[alias.asname or first] = (alias.name if alias.asname else first, None)
    return found

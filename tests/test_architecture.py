"""The rules of the repository that a machine can check."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from shared.lab.results import pages

ROOT = Path(__file__).parent.parent
# A module imports only from tiers below its own.
TIERS = {
    0: {"config", "runtime", "figures", "datasets", "provenance", "grammar", "batches", "pretrained", "unseen_words",
        "intervals", "graph"},
    1: {"results", "attention", "positions", "tokenizers", "cookbook", "sampling", "ngrams", "graph_layers",
        "muon"},
    2: {"blocks", "corpora", "books", "lora"},
    3: {"gpt", "seq2seq"},
}  # fmt: skip
# These take any model or callable, so they import none: only tier 0, and what is listed.
BESIDE = {
    "training": {"muon"},
    "checkpoints": set(),
    "generation": {"sampling"},
    "losses": set(),
    "invariants": {"losses"},
}

MODULES = sorted(path for path in ROOT.glob("shared/*.py") if path.stem != "__init__")
SPRINTS = sorted(path for path in ROOT.glob("sprints/[0-9]*") if path.is_dir())
# A file of a sprint that has options is a script; one without is a part, which the scripts of that sprint import.
FILES = sorted(ROOT.glob("sprints/*/*.py"))
PARTS = [path for path in FILES if "class Config" not in path.read_text(encoding="utf-8")]
SCRIPTS = [path for path in FILES if path not in PARTS]
PAGES = pages()

FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)|(?:src|href)=\"(?!\w+:|#)([^\"#]+)")
CITATION = re.compile(r"`([\w/]+\.py)::([\w.]+)`")
COMMAND = re.compile(r"uv run (?:--group \w+ )?(sprints/\S+\.py)((?:[^\n`]|\\\n)*)")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> set[str]:
    """Return all names that a file imports, at any place: modules, and for `from a import b` both a and a.b."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively: write the whole name"
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def allowed(module: str) -> set[str]:
    """Return the modules of `shared` that one of them may import."""
    if module in BESIDE:
        return TIERS[0] | BESIDE[module]
    tier = next((tier for tier, names in TIERS.items() if module in names), None)
    assert tier is not None, f"shared/{module}.py has no tier: give it one in tests/test_architecture.py"
    return {name for below, names in TIERS.items() if below < tier for name in names}


def definitions(body: list[ast.stmt], prefix: str = "") -> Iterator[str]:
    """Yield the names that statements define, those in a class behind the name of the class."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield prefix + node.name
        if isinstance(node, ast.ClassDef):
            yield from definitions(node.body, f"{prefix}{node.name}.")
        targets = [*node.targets] if isinstance(node, ast.Assign) else []
        targets += [node.target] if isinstance(node, ast.AnnAssign) else []
        yield from (prefix + target.id for target in targets if isinstance(target, ast.Name))


def options(script: Path) -> set[str]:
    """Return the options that a script has."""
    config = next(node for node in tree(script).body if isinstance(node, ast.ClassDef) and node.name == "Config")
    names = {*definitions(config.body), "out", "seed", "device", "help"}
    return {f"--{prefix}{name.replace('_', '-')}" for name in names for prefix in ("", "no-")}


def unknown_command(command: str, words: str) -> str | None:
    """Return what is wrong with a command that a text quotes."""
    if not (ROOT / command).is_file():
        return f"there is no {command}"
    wrong = set(re.findall(r"(?<=\s)--[\w-]+", words.split("#")[0])) - options(ROOT / command)
    return f"{command} has no option {', '.join(sorted(wrong))}" if wrong else None


def test_no_module_is_listed_that_is_gone():
    listed = [name for names in (*TIERS.values(), BESIDE) for name in names]
    assert sorted(listed) == sorted(set(listed)), "a module has one place"
    assert set(listed) <= {path.stem for path in MODULES}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_shared_modules_have_a_test_and_import_only_from_tiers_below(path: Path):
    modules = {other.stem for other in MODULES}
    used = {name.split(".")[1] for name in imports(path) if name.startswith("shared.")} & modules
    assert used <= allowed(path.stem)
    assert not any(name.startswith("sprints") for name in imports(path))
    assert (ROOT / "tests" / "shared" / f"test_{path.stem}.py").is_file()


@pytest.mark.parametrize("path", [*MODULES, *FILES], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_importing_does_nothing(path: Path):
    definitions = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
    for node in tree(path).body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_guard = isinstance(node, ast.If) and ast.unparse(node.test) in ("__name__ == '__main__'", "TYPE_CHECKING")
        assert is_text or is_guard or isinstance(node, definitions), f"line {node.lineno} does something"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_scripts_stand_alone_and_say_how_to_run(path: Path):
    others = {other.stem for other in FILES if other not in PARTS or other.parent != path.parent}
    assert not {name.split(".")[0] for name in imports(path)} & {"sprints", *others}, (
        "a script imports `shared` and parts of its own sprint, no other script"
    )
    named = {node.name: node for node in tree(path).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert {"Config", "Results", "main"} <= set(named)
    config = named["Config"]
    assert isinstance(config, ast.ClassDef)
    assert [ast.unparse(base) for base in config.bases] == ["ScriptConfig"], "for --out, --seed and --device"
    text = ast.get_docstring(tree(path)) or ""
    commands = COMMAND.findall(text)
    assert f"sprints/{path.parent.name}/{path.name}" in [command for command, _ in commands]
    assert not [wrong for command, words in commands if (wrong := unknown_command(command, words))]
    notes = re.findall(r"notes/\w+\.md", text)
    assert notes, "the note that explains the theory"
    assert all((path.parent / note).is_file() for note in notes)


def test_parts_have_names_of_their_own_and_import_no_script():
    names = [path.stem for path in [*FILES, *MODULES]]
    for path in PARTS:
        assert names.count(path.stem) == 1, f"{path.name}: Python finds modules by name, so a part's must be unique"
        others = {other.stem for other in FILES if other not in PARTS or other.parent != path.parent}
        assert not {name.split(".")[0] for name in imports(path)} & {"sprints", *others}
        assert ast.get_docstring(tree(path))


@pytest.mark.parametrize("folder", SPRINTS, ids=lambda path: path.name)
def test_sprints_are_complete(folder: Path):
    assert (ROOT / "tests" / "sprints" / f"test_{folder.name}.py").is_file()
    assert list(folder.glob("notes/[0-9][0-9]_*.md"))
    assert list(folder.glob("results/*.json"))
    readme = (folder / "README.md").read_text(encoding="utf-8")
    for script in folder.glob("*.py"):
        assert script.name in readme, f"the README says nothing about {script.name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_citations_and_commands_resolve(page: Path):
    text = page.read_text(encoding="utf-8")
    links = [first or second for first, second in LINK.findall(FENCE.sub("", text))]
    assert not [link for link in links if not (page.parent / link).exists()], "links"
    for file, symbol in CITATION.findall(text):
        assert (ROOT / file).is_file(), f"there is no {file}"
        assert symbol in set(definitions(tree(ROOT / file).body)), f"there is no {file}::{symbol}"
    assert not [wrong for command, words in COMMAND.findall(text) if (wrong := unknown_command(command, words))]


def test_nothing_names_a_package_index():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if "://" in line or line.startswith("-")]


def test_no_results_file_says_where_it_was_made():
    for path in ROOT.glob("sprints/*/results/*.json"):
        places = re.findall(r'"(?:/(?:home|root|tmp|work|Users)/|[A-Z]:\\\\)[^"]*', path.read_text(encoding="utf-8"))
        assert not places, f"{path.relative_to(ROOT)} names {places[0]}: save paths of the repository as Path"

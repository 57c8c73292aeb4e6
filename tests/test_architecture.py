"""The rules of the repository that a machine can check."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# A module imports only from tiers below its own.
TIERS = {
    0: {"config", "runtime", "results", "figures", "datasets", "grammar", "batches"},
    1: {"attention", "positions", "tokenizers", "cookbook", "sampling", "ngrams"},
    2: {"blocks", "corpora"},
    3: {"gpt"},
}
# These take any model or callable: they import no model, and of each other only what is listed.
BESIDE = {
    "training": {"runtime"},
    "checkpoints": set(),
    "generation": {"sampling"},
    "losses": {"batches"},
    "invariants": set(),
}
SPRINTS = sorted(path for path in ROOT.glob("sprints/[0-9]*") if path.is_dir())
SCRIPTS = sorted(ROOT.glob("sprints/*/*.py"))
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("sprints/**/*.md")])


def imports(path: Path) -> set[str]:
    """Return the modules that a file imports when it is loaded."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def shared_imports(path: Path) -> set[str]:
    return {name.removeprefix("shared.") for name in imports(path) if name.startswith("shared.")}


@pytest.mark.parametrize("path", sorted(ROOT.glob("shared/[a-z]*.py")), ids=lambda path: path.stem)
def test_shared_modules_import_only_from_tiers_below(path: Path):
    if path.stem in BESIDE:
        assert shared_imports(path) <= BESIDE[path.stem]
        return
    tier = next((tier for tier, names in TIERS.items() if path.stem in names), None)
    assert tier is not None, f"give {path.stem} a tier"
    below = set().union(*(names for number, names in TIERS.items() if number < tier))
    assert shared_imports(path) <= below
    assert (ROOT / "tests" / "shared" / f"test_{path.stem}.py").exists()


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_scripts_stand_alone_and_say_how_to_run(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    siblings = {script.stem for script in path.parent.glob("*.py")}
    assert not imports(path) & siblings, "a script imports no other script"
    assert not any(name.startswith("sprints") for name in imports(path))
    assert f"uv run sprints/{path.parent.name}/{path.name}" in (ast.get_docstring(tree) or "")
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert {"Config", "Results", "main"} <= names
    config = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Config")
    assert [ast.unparse(base) for base in config.bases] == ["ScriptConfig"], "for --out, --seed and --device"


@pytest.mark.parametrize("folder", SPRINTS, ids=lambda path: path.name)
def test_sprints_are_complete(folder: Path):
    assert (ROOT / "tests" / "sprints" / f"test_{folder.name}.py").exists()
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert list(folder.glob("notes/*.md"))
    assert list(folder.glob("results/*.json"))
    for script in folder.glob("*.py"):
        assert script.name in readme, f"the README says nothing about {script.name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_and_citations_resolve(page: Path):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"
    for file, symbol in re.findall(r"`([\w/]+\.py)::([\w.]+)`", text):
        assert symbol in symbols(ROOT / file), f"{page.name} cites {file}::{symbol}"


def symbols(path: Path) -> set[str]:
    """Return the functions, classes and methods of a file, methods with their class."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{item.name}" for item in node.body if isinstance(item, ast.FunctionDef)}
    return found


def test_nothing_names_a_package_index():
    assert not (ROOT / "requirements.txt").read_text(encoding="utf-8").count("--index")

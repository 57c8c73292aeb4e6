"""The rules of the repository that a machine can check."""

import ast
import importlib.util
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import jaxtyping
import pytest
import torch

from shared.lab.pages import pages
from shared.lab.recorded import Recorded, recorded_results
from shared.lab.results import plain, restore
from shared.nn.masks import padding_mask

ROOT = Path(__file__).parent.parent
# Rooms of `shared`, and the other rooms that each may import. `training` and `generation` take any model or callable.
ROOMS = {
    "lab": set(),
    "checks": set(),
    "text": {"lab"},
    "nn": {"lab"},
    "graph": {"lab"},
    "training": {"lab"},
    "generation": {"lab"},
    "web": set(),
}
# What stands in a sprint's folder beside its scripts and its package.
FURNITURE = {"README.md", "pages.md.j2", "notes", "results", "figures", "exercises"}
MOST_LINES = 200
# The reason for each of these stands in CONTRIBUTING.md.
LONGER = {
    "sprints/01_setup_and_basics/one_hidden_layer.py",
    "sprints/01_setup_and_basics/scalar_autograd.py",
    "sprints/03_models_and_training_loops/module_from_inside.py",
}

MODULES = sorted(path for path in ROOT.glob("shared/*/*.py") if path.stem != "__init__")
SPRINTS = sorted(path for path in ROOT.glob("sprints/[0-9]*") if path.is_dir())
SCRIPTS = sorted(ROOT.glob("sprints/*/*.py"))
PACKAGES = {path.parent.parent: path.parent for path in sorted(ROOT.glob("sprints/*/*/__init__.py"))}
PARTS = sorted(path for package in PACKAGES.values() for path in package.glob("*.py"))
PAGES = pages()
RESULTS = recorded_results()

FENCE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)|(?:src|href)=\"(?!\w+:|#)([^\"#]+)")
CITATION = re.compile(r"`([\w/]+\.py)::([\w.]+)`")
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+)\)|<img ([^>]*)>")
# Recorded for notes that show them soon.
NOT_SHOWN_YET: set[str] = set()
COMMAND = re.compile(r"uv run (?:--group \w+ )?(sprints/\S+\.py)((?:[^\n`]|\\\n)*)")
TOOL = re.compile(r"uv run sprints(?: ([a-z]+))?(?=[\s`])")


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


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
    names = {*definitions(config.body), "out", "preset", "record", "seed", "device", "help"}
    return {f"--{prefix}{name.replace('_', '-')}" for name in names for prefix in ("", "no-")}


def presets(script: Path) -> set[str]:
    """Return the names of a script's presets."""
    for node in tree(script).body:
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if isinstance(value, ast.Dict) and "PRESETS" in set(definitions([node])):
            return {str(key.value) for key in value.keys if isinstance(key, ast.Constant)}
    return set()


def unknown_command(command: str, words: str) -> str | None:
    """Return what is wrong with a command that a text quotes."""
    if not (ROOT / command).is_file():
        return f"there is no {command}"
    words = words.split("#")[0]
    wrong = set(re.findall(r"(?<=\s)--[\w-]+", words)) - options(ROOT / command)
    wrong |= set(re.findall(r"--preset[ =]([\w-]+)", words)) - presets(ROOT / command)
    return f"{command} has no {', '.join(sorted(wrong))}" if wrong else None


@pytest.mark.parametrize("path", MODULES, ids=place)
def test_rooms_import_only_what_they_may_and_each_module_has_a_test(path: Path):
    room = path.parent.name
    used = {name.split(".")[1] for name in imports(path) if name.startswith("shared.")}
    assert used & set(ROOMS) <= ROOMS[room] | {room}
    assert not any(
        name.split(".")[0] in ("sprints", *(package.name for package in PACKAGES.values())) for name in imports(path)
    )
    assert (ROOT / "tests" / "shared" / room / f"test_{path.stem}.py").is_file()


def test_there_are_no_other_rooms():
    assert {path.parent.name for path in MODULES} == set(ROOMS)
    assert [path.name for path in ROOT.glob("shared/*.py")] == ["__init__.py"]


@pytest.mark.parametrize("path", [*MODULES, *SCRIPTS, *PARTS], ids=place)
def test_importing_does_nothing(path: Path):
    harmless = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.Assign, ast.AnnAssign)
    for node in tree(path).body:
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        is_guard = isinstance(node, ast.If) and ast.unparse(node.test) in ("__name__ == '__main__'", "TYPE_CHECKING")
        # app = typer.Typer(...); @app.command() is how typer learns of commands.
        assert is_text or is_guard or isinstance(node, harmless), f"line {node.lineno} does something"


@pytest.mark.parametrize("path", [*MODULES, *SCRIPTS, *PARTS], ids=place)
def test_files_are_short_or_have_a_reason(path: Path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    reasons = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert lines <= MOST_LINES or (place(path) in LONGER and place(path) in reasons)
    assert lines > MOST_LINES or place(path) not in LONGER, "it needs no reason any more"


@pytest.mark.parametrize("path", SCRIPTS, ids=place)
def test_scripts_stand_alone_and_say_how_to_run(path: Path):
    foreign = {package.name for folder, package in PACKAGES.items() if folder != path.parent}
    scripts = {other.stem for other in path.parent.glob("*.py")}
    assert not {name.split(".")[0] for name in imports(path)} & {"sprints", *foreign, *scripts}, (
        "a script imports `shared` and the package of its own sprint, no other script"
    )
    named = {node.name: node for node in tree(path).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    assert {"Config", "Results", "main"} <= set(named)
    config = named["Config"]
    assert isinstance(config, ast.ClassDef)
    # A part of the sprint may come first: options that several of its scripts share.
    assert ast.unparse(config.bases[-1]) == "ScriptConfig", "for --out, --seed, --record ..."
    assert not {"out", "preset", "record"} & set(definitions(config.body)), "every script has these already"
    text = ast.get_docstring(tree(path)) or ""
    commands = COMMAND.findall(text)
    assert place(path) in [command for command, _ in commands]
    assert not [wrong for command, words in commands if (wrong := unknown_command(command, words))]
    notes = re.findall(r"notes/\w+\.md", text)
    assert notes, "the note that explains the theory"
    assert all((path.parent / note).is_file() for note in notes)


@pytest.mark.parametrize("path", SCRIPTS, ids=place)
def test_scripts_are_run_in_one_way(path: Path):
    guard = tree(path).body[-1]
    assert isinstance(guard, ast.If)
    assert ast.unparse(guard.test) == "__name__ == '__main__'"
    *tolerances, statement = guard.body
    assert all(isinstance(other, ast.Assign) for other in tolerances)
    call = statement.value if isinstance(statement, ast.Expr) else None
    assert isinstance(call, ast.Call)
    assert ast.unparse(call.func) == "run"
    assert [ast.unparse(argument) for argument in call.args] == ["main", "Config"]


@pytest.mark.parametrize("path", PARTS, ids=place)
def test_packages_of_sprints_import_no_script_and_no_other_sprint(path: Path):
    foreign = {package.name for folder, package in PACKAGES.items() if package != path.parent}
    scripts = {other.stem for other in path.parents[1].glob("*.py")}
    assert not {name.split(".")[0] for name in imports(path)} & {"sprints", *foreign, *scripts}
    assert ast.get_docstring(tree(path))


def test_a_sprint_has_one_package_with_a_name_of_its_own():
    assert len(PACKAGES) == len(list(ROOT.glob("sprints/*/*/__init__.py")))
    names = [package.name for package in PACKAGES.values()]
    assert len(set(names)) == len(names)
    installed = [
        name for name in names if (spec := importlib.util.find_spec(name)) and "site-packages" in str(spec.origin)
    ]
    assert not installed, "Python would find the installed package"


@pytest.mark.parametrize("folder", SPRINTS, ids=lambda path: path.name)
def test_sprints_are_complete_and_hold_nothing_else(folder: Path):
    assert (ROOT / "tests" / "sprints" / f"test_{folder.name}.py").is_file()
    assert list(folder.glob("notes/[0-9][0-9]_*.md"))
    assert list(folder.glob("results/*.json"))
    readme = (folder / "README.md").read_text(encoding="utf-8")
    for script in folder.glob("*.py"):
        assert script.name in readme, f"the README says nothing about {script.name}"
    package = {PACKAGES[folder].name} if folder in PACKAGES else set()
    names = {path.name for path in folder.iterdir() if path.suffix != ".py" and path.name != "__pycache__"}
    assert names <= FURNITURE | package


@pytest.mark.parametrize("page", PAGES, ids=place)
def test_links_citations_and_commands_resolve(page: Path):
    text = page.read_text(encoding="utf-8")
    links = [first or second for first, second in LINK.findall(FENCE.sub("", text))]
    assert not [link for link in links if not (page.parent / link).exists()], "links"
    for file, symbol in CITATION.findall(text):
        assert (ROOT / file).is_file(), f"there is no {file}"
        assert symbol in set(definitions(tree(ROOT / file).body)), f"there is no {file}::{symbol}"
    assert not [wrong for command, words in COMMAND.findall(text) if (wrong := unknown_command(command, words))]
    tools = {node.name for node in tree(ROOT / "shared" / "lab" / "cli.py").body if isinstance(node, ast.FunctionDef)}
    assert {name for name in TOOL.findall(text) if name} <= tools


def pictures(page: Path) -> Iterator[tuple[str, str]]:
    """Yield what a page says of each picture to those who cannot see it, and the picture's file."""
    text = re.sub(r"`[^`\n]*`", "", FENCE.sub("", page.read_text(encoding="utf-8")))
    for said, file, html in PICTURE.findall(text):
        attributes = dict(re.findall(r'(\w+)="([^"]*)"', html))
        yield (attributes.get("alt", ""), attributes.get("src", "")) if html else (said, file)


def test_pictures_are_described_for_those_who_cannot_see_them():
    wrong = []
    for page in PAGES:
        for said, file in pictures(page):
            words = re.findall(r"\w+", said.lower())
            name = re.findall(r"[^\W_]+", Path(file).stem.lower())
            if len(words) < 3 or set(words) <= {*name, "figure", "plot", "picture", "png"}:
                wrong.append(f"{place(page)}: {file} is called {said!r}")
    assert not wrong, "a text of some words, other than the file's name"


def test_figures_are_shown_on_a_page():
    # A link shows it, too: a page that has one figure for each of several data sets links the others.
    links = ((page, LINK.findall(page.read_text(encoding="utf-8"))) for page in PAGES)
    shown = {(page.parent / (first or second)).resolve() for page, found in links for first, second in found}
    figures = [path for path in ROOT.glob("sprints/*/figures/*") if path.name not in NOT_SHOWN_YET]
    assert len(figures) > 500
    assert not [place(path) for path in figures if path.resolve() not in shown], "show them, or remove them"


def test_the_curriculum_says_of_each_sprint_what_was_measured():
    text = (ROOT / "BACKLOG.md").read_text(encoding="utf-8")
    said = dict(re.findall(r"<!-- results: measured_(\d\d) -->\n(.*?)\n<!-- end -->", text, re.DOTALL))
    assert sorted(said) == [folder.name[:2] for folder in SPRINTS]
    assert not [number for number, line in said.items() if not re.match(r"Measured: .*\d", line)]


@pytest.mark.parametrize("recorded", RESULTS, ids=lambda recorded: recorded.title)
def test_a_recorded_configuration_stands_in_its_script(recorded: Recorded, load_sprint: Callable[[str], ModuleType]):
    try:
        script = load_sprint(f"{recorded.script.parent.name}/{recorded.script.name}")
    except ModuleNotFoundError as error:
        pytest.skip(f"an optional group is not installed: {error}")
    values = {} if recorded.preset is None else script.PRESETS[recorded.preset]
    assert recorded.content["config"] == plain(script.Config(**values).options(), "config")
    name = "default" if recorded.preset is None else recorded.preset
    assert recorded.content["command"] == f"uv run {place(recorded.script)} --record {name}"
    assert plain(restore(script.Results, recorded.content["results"]), "results") == recorded.content["results"]


def test_tests_execute_shape_annotations(load_sprint: Callable[[str], ModuleType]):
    with pytest.raises(jaxtyping.TypeCheckError, match="lengths"):
        padding_mask(torch.ones(2, 2, dtype=torch.long), 2)
    part = load_sprint("05_embeddings_and_positional_encoding/embedding_study/word_pairs.py")
    with pytest.raises(jaxtyping.TypeCheckError, match="counts"):
        part.keep_probabilities(torch.ones(2, 2, dtype=torch.long), 0.1)


def test_nothing_names_a_package_index():
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert not [line for line in lines if "://" in line or line.startswith("-")]


def test_no_results_file_says_where_it_was_made():
    for path in ROOT.glob("sprints/*/results/*.json"):
        places = re.findall(r'"(?:/(?:home|root|tmp|work|Users)/|[A-Z]:\\\\)[^"]*', path.read_text(encoding="utf-8"))
        assert not places, f"{path.relative_to(ROOT)} names {places[0]}: save paths of the repository as Path"

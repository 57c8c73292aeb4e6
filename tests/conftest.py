"""Fixtures that every test may use."""

import functools
import importlib
import importlib.util
import inspect
import os
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

# Tiny shapes spend their time waking threads: one thread is ten times faster on two cores. NumPy, scikit-learn and the
# processes that tests start read this when they are imported.
os.environ["OMP_NUM_THREADS"] = "1"

import hypothesis
import jaxtyping
import pytest
import torch

ROOT = Path(__file__).parent.parent


def annotated_modules() -> list[str]:
    """Name the modules of `shared`, and of the package beside the scripts of each sprint, that annotate shapes."""
    rooms = [ROOT / "shared", *(path.parent for path in ROOT.glob("sprints/*/*/__init__.py"))]
    return sorted(
        ".".join(path.relative_to(room.parent).with_suffix("").parts)
        for room in rooms
        for path in room.rglob("*.py")
        if "from jaxtyping import" in path.read_text(encoding="utf-8")
    )


# To look at the shapes of a call takes longer than many a call, and the steps of a training are all alike. A test sees
# calls number 1, 2, 3, 5, 9, 17, ... of a function checked.
calls: Counter[Callable] = Counter()
# Read twice in one process (a mutant's tests run in a copy of it), this file must not wrap what it has wrapped.
jaxtyped = inspect.unwrap(jaxtyping.jaxtyped)


@functools.wraps(jaxtyped)
def jaxtyped_now_and_then(*, typechecker: Callable) -> Callable[[Callable], Callable]:
    """Return a decorator by which jaxtyping checks some calls of a function in a test, and a class always."""

    def decorate(function: Callable) -> Callable:
        checked = jaxtyped(function, typechecker=typechecker)
        if isinstance(function, type):
            return checked

        @functools.wraps(checked)
        def call(*arguments, **options):
            before = calls[function]
            calls[function] = before + 1
            is_checked = before & (before - 1) == 0  # 0, or a power of two
            return (checked if is_checked else function)(*arguments, **options)

        return call

    return decorate


# jaxtyping executes the shape annotations of these modules: a wrong shape fails a test.
jaxtyping.jaxtyped = jaxtyped_now_and_then  # ty: ignore[invalid-assignment]
jaxtyping.install_import_hook(annotated_modules(), "beartype.beartype")
# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("repository", deadline=None)
hypothesis.settings.load_profile("repository")


# What git tracks changes by --record alone, and no test records into the repository.
TRACKED = tuple(f"{ROOT / folder}{os.sep}" for folder in ("data", "shared", "sprints"))
UNTRACKED = (f"{ROOT / 'data' / 'cache'}{os.sep}",)


def _refuse_to_write(event: str, arguments: tuple) -> None:
    """Stop whatever writes into a folder that git tracks: with a reason, before it happens."""
    if event == "open":
        target, mode, flags = arguments
        writes = any(letter in mode for letter in "wax+") if mode else flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    elif event in ("os.rename", "os.mkdir", "os.remove"):
        target, writes = arguments[1 if event == "os.rename" else 0], True
    else:
        return
    if writes and isinstance(target, str | os.PathLike):
        path = os.path.abspath(target)
        if path.startswith(TRACKED) and not f"{path}{os.sep}".startswith(UNTRACKED) and "__pycache__" not in path:
            raise PermissionError(f"a test writes to {path}, which git tracks: give the script a folder of its own")


sys.addaudithook(_refuse_to_write)


@pytest.fixture(autouse=True)
def _check_shapes_anew() -> None:
    calls.clear()


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    # Again before each test: some scripts set the threads of the process.
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _smallest_numbers() -> None:
    # Scripts that train may round numbers close to zero down; hypothesis refuses to draw numbers in such a process.
    torch.set_flush_denormal(False)


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave annotations unexecuted, as outside of tests, for tests of how wrong values are refused then."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture
def load_sprint() -> Callable[[str], ModuleType]:
    """Import a script, or a module of a sprint's package, by its path below sprints/: "08_gpt2_assembly/walk.py"."""

    def load(path: str) -> ModuleType:
        folder, *inside = path.removesuffix(".py").split("/")
        # Python puts a script's folder on the path, which is how the script finds the package of its sprint.
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(ROOT / "sprints" / folder))
            if len(inside) > 1:
                return importlib.import_module(".".join(inside))
            name = f"sprint_{folder}_{inside[0]}"
            if name not in sys.modules:
                spec = importlib.util.spec_from_file_location(name, ROOT / "sprints" / path)
                assert spec is not None
                assert spec.loader is not None
                sys.modules[name] = importlib.util.module_from_spec(spec)
                spec.loader.exec_module(sys.modules[name])
            return sys.modules[name]

    return load


@pytest.fixture
def on_processes(load_sprint: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> Callable[..., list]:
    """Return what calls a function in the processes of a group; they import from where this process does."""
    sprint = "24_distributed_training"
    monkeypatch.syspath_prepend(str(ROOT / "sprints" / sprint))
    return load_sprint(f"{sprint}/parallel_study/processes.py").on_processes


@pytest.fixture
def own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, bytes], None]:
    """Return what puts a file into a data folder of the test's own, which is empty at first."""

    def put(name: str, content: bytes) -> None:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)

    monkeypatch.setenv("SPRINTS_DATA", str(tmp_path))
    return put


@pytest.fixture
def refusal(load_sprint: Callable[[str], ModuleType], capsys: pytest.CaptureFixture[str]) -> Callable[[str, str], str]:
    """Return what a script says to a command line that it must refuse, before it does anything."""

    # Imported late: not before the hook above is there.
    from shared.lab.config import parse_config

    def refuse(path: str, words: str) -> str:
        script = load_sprint(path)
        with pytest.raises(SystemExit) as ended:
            parse_config(script.Config, words.split(), vars(script).get("PRESETS"))
        assert ended.value.code == 2
        return capsys.readouterr().err

    return refuse

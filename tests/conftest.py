"""Fixtures that every test may use."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import jaxtyping
import pytest
import torch

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    # Tiny shapes spend their time waking threads: one thread is ten times faster on two cores.
    torch.set_num_threads(1)


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave annotations unexecuted, as outside of tests, for tests of how wrong values are refused then."""
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture
def load_sprint() -> Callable[[str], ModuleType]:
    """Import a script, or a part, by its path below sprints/, for example "08_gpt2_assembly/walk.py"."""

    def load(path: str) -> ModuleType:
        name = "sprint_" + path.removesuffix(".py").replace("/", "_")
        if name not in sys.modules:
            spec = importlib.util.spec_from_file_location(name, ROOT / "sprints" / path)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module
            # Python puts a script's folder on the path, which is how the script finds the parts of its sprint.
            with pytest.MonkeyPatch.context() as patch:
                patch.syspath_prepend(str((ROOT / "sprints" / path).parent))
                spec.loader.exec_module(module)
        return sys.modules[name]

    return load

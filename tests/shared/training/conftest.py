"""Processes for tests of what several of them do together."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SPRINT = "24_distributed_training"


@pytest.fixture
def on_processes(load_sprint, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """Return what calls a function in the processes of a group; they import from where this process does."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "sprints" / SPRINT))
    return load_sprint(f"{SPRINT}/parallel_study/processes.py").on_processes

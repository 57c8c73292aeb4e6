"""Python files that are imported by their path: scripts, exercises."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType


def load_module(path: Path) -> ModuleType:
    """Import a Python file, anew at each call; it may import what stands beside it, as a script may.

    Raises:
        ValueError: there is no such file.
    """
    path = path.resolve()
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    name = f"{path.parent.name}_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    # Dataclasses look themselves up there.
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module

"""Where things stand in the repository; everything below `runs`, `workbook` and `data/cache` is git-ignored."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SPRINTS = ROOT / "sprints"
RUNS = ROOT / "runs"
WORKBOOK = ROOT / "workbook"
DATA = ROOT / "data"
CACHE = DATA / "cache"


def shown(path: Path) -> str:
    """Return a path as it is shown to people: from the repository, if it is in there."""
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else str(path)

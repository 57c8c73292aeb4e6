"""Files and folders that are there whole, or not at all."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path


@contextlib.contextmanager
def replacing(target: Path) -> Generator[Path]:
    """Give a temporary path to write to, in the target's folder; at the end without an error it becomes the target.

    Each writer has a temporary name of its own, so that two runs at once do not share one. After an error nothing is
    left behind, and what stood at the target stays.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    # The suffix stays in place: writers such as torch's or matplotlib's choose the format by it.
    handle, name = tempfile.mkstemp(prefix=f".{target.stem}.", suffix=f".tmp{target.suffix}", dir=target.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files that only their owner may read; a results file is for everybody whom the umask allows.
        temporary.chmod(0o666 & ~_umask())
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_folder(target: Path) -> Generator[Path]:
    """Give an empty folder to write to, beside the target; at the end without an error it becomes the target."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent))
    try:
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        # A folder cannot take the place of one that is not empty: the old one steps aside, and is there until the end.
        old = temporary.with_suffix(".old")
        if target.exists():
            os.replace(target, old)
        try:
            os.replace(temporary, target)
        except OSError:
            if old.exists():
                os.replace(old, target)
            raise
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _umask() -> int:
    """Return the rights that new files do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(target: Path, text: str) -> Path:
    """Write a text file, whole or not at all, with the same line ends on every system; return its path."""
    with replacing(target) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
    return target

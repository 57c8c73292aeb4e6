"""One process at a time writes to a folder."""

import contextlib
import os
from collections.abc import Generator
from pathlib import Path

from filelock import FileLock, Timeout

from shared.lab.paths import shown

LOCK, HOLDER = ".lock", ".holder"


@contextlib.contextmanager
def holding(folder: Path) -> Generator[None]:
    """Make a folder, hold it for this process alone, and remove it again if nothing was written to it.

    The system lets go of the lock when a process ends in whatever way, so that a kill leaves nothing to clean up.

    Raises:
        ValueError: another process holds the folder, or it cannot be written to.
    """
    made = [parent for parent in (folder, *folder.parents) if not parent.exists()]
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise ValueError(
            f"process {_holder(folder)} is writing to {shown(folder)}: wait until it ends, or write elsewhere (--out)"
        ) from None
    except OSError as error:
        _remove_empty(made)
        raise ValueError(f"{shown(folder)} cannot be written to ({error.strerror}): choose another --out") from None
    try:
        (folder / HOLDER).write_text(str(os.getpid()), encoding="utf-8")
        yield
    finally:
        for name in (HOLDER, LOCK):
            # A system that locks what is open (Windows) has the lock's file deleted by the next line, or keeps it.
            with contextlib.suppress(OSError):
                (folder / name).unlink(missing_ok=True)
        lock.release()
        _remove_empty(made)


def _holder(folder: Path) -> str:
    """Return the number of the process that holds a folder."""
    try:
        return (folder / HOLDER).read_text(encoding="utf-8")
    except OSError:
        return "of another program"


def _remove_empty(folders: list[Path]) -> None:
    """Remove what was made, from the inside out, as far as it is empty."""
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()

"""Try the project with the newest versions of everything it needs, in a copy: what changes, and which tests break?

The working copy stays as it is. The copy takes the installed packages by hard links where it can, so only what changed
is downloaded.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from shared.lab.files import write_text
from shared.lab.newest import Change, TestReport, changes, locked_versions, loosen, read_report, required_versions

# What uv says when it does not reach an index, rather than that versions do not fit.
UNREACHED = ("error sending request", "dns error", "network connectivity is disabled", "connection", "timed out")


class UpgradeError(ValueError):
    """The newest versions cannot be had, or do not fit together."""


def try_newest(
    root: Path, tests: Sequence[str], only: Sequence[str], resolve_only: bool, say: Callable[[str], None]
) -> bool:
    """Say which versions change and which tests break with them; return whether all is well.

    Args:
        root: the project.
        tests: words for pytest: files, tests, options (none: the whole suite).
        only: packages that may change (default: all).
        resolve_only: whether to stop before anything is installed.
        say: shows a line.

    Raises:
        UpgradeError: the newest versions cannot be had, or do not fit together.
        ValueError: pytest broke.
    """
    with tempfile.TemporaryDirectory(prefix="newest-") as folder:
        copy = Path(folder)
        copy_project(root, copy)
        found = resolve(root, copy, only)
        for change in found:
            say(str(change))
        say(f"{len(found)} packages have other versions")
        if resolve_only or not found:
            return True
        link_environment(Path(sys.prefix), copy / ".venv")
        install(copy)
        report = run_tests(copy, tests)
        # What fails with the old versions too is no matter of the new ones.
        names = [failure.test for failure in report.failures]
        old = {failure.test for failure in run_tests(copy, names, Path(sys.executable)).failures} if names else set()
        for failure in report.failures:
            also = "  (with the pinned versions, too)" if failure.test in old else ""
            say(f"{failure.test}: {failure.said}{also}")
        broke = len(set(names) - old)
        say(f"{report.passed} tests pass, {report.skipped} are skipped, {broke} break with the newest versions")
        return broke == 0


def copy_project(root: Path, copy: Path) -> None:
    """Copy what git knows of a project, as it is now, and what it does not ignore.

    Raises:
        UpgradeError: it is not a project of git's.
    """
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listing, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UpgradeError(f"{root} is not a checkout of git's, which says what belongs to the project")
    for name in filter(None, done.stdout.split("\0")):
        if (root / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, copy / name)


def link_environment(environment: Path, copy: Path) -> bool:
    """Give a copy what is installed, each package's files as hard links; return whether that was possible."""

    def link(source: str, target: str) -> str:
        # Installing replaces files, it does not write into them; the few that name their place are copied.
        if "site-packages" in Path(source).parts or "dist-packages" in Path(source).parts:
            os.link(source, target)
        else:
            shutil.copy2(source, target)
        return target

    try:
        shutil.copytree(environment, copy, symlinks=True, copy_function=link, ignore=shutil.ignore_patterns(".lock"))
    except OSError:  # another disk, or one without hard links
        shutil.rmtree(copy, ignore_errors=True)
        return False
    return True


def resolve(root: Path, copy: Path, only: Sequence[str] = ()) -> list[Change]:
    """Find the newest versions that fit together, for the copy; return what they change.

    Args:
        root: the project.
        copy: its copy, whose pyproject.toml is loosened.
        only: packages that may change (default: all).

    Raises:
        UpgradeError: no index is reached, or the newest versions do not fit together.
    """
    project = (root / "pyproject.toml").read_text(encoding="utf-8")
    write_text(copy / "pyproject.toml", loosen(project))
    lock = root / "uv.lock"
    if lock.is_file():
        before = locked_versions(lock.read_text(encoding="utf-8"))
    else:
        before = required_versions((root / "requirements.txt").read_text(encoding="utf-8"))
    options = []
    if only:
        if not lock.is_file():
            raise UpgradeError("which versions may stay is read from uv.lock, which is not here: run `uv lock` first")
        shutil.copy2(lock, copy / "uv.lock")
        options = [word for name in only for word in ("--upgrade-package", name)]
    else:
        (copy / "uv.lock").unlink(missing_ok=True)
    _uv("lock", "--quiet", *options, folder=copy)
    after = locked_versions((copy / "uv.lock").read_text(encoding="utf-8"))
    return changes(before, after if lock.is_file() else {name: after.get(name, "") for name in before})


def install(copy: Path) -> None:
    """Install what the copy needs, all groups.

    Raises:
        UpgradeError: something cannot be downloaded or built.
    """
    _uv("sync", "--quiet", "--all-groups", "--inexact", "--frozen", folder=copy)


def run_tests(copy: Path, tests: Sequence[str], python: Path | None = None) -> TestReport:
    """Run tests in the copy, with what is installed there or for another Python, and return what they found."""
    here = (copy / ".venv" / name for name in ("bin/python", "Scripts/python.exe"))
    chosen = python or next(path for path in here if path.exists())
    report = copy / "report.xml"
    report.unlink(missing_ok=True)
    options = ["-p", "no:cacheprovider", "-o", "junit_family=xunit1", f"--junit-xml={report}"]
    subprocess.run([str(chosen), "-m", "pytest", *options, *tests], cwd=copy, env=_environment(), check=False)
    return read_report(report)


def _uv(*words: str, folder: Path) -> None:
    uv = os.environ.get("UV") or shutil.which("uv")
    if uv is None:
        raise UpgradeError("uv is not here: see https://docs.astral.sh/uv/")
    done = subprocess.run([uv, *words], cwd=folder, env=_environment(), capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    said = " ".join(done.stderr.split())
    if any(words in said.lower() for words in UNREACHED):
        raise UpgradeError(f"the package index cannot be reached: try again with a network ({said[-300:]})")
    raise UpgradeError(f"`uv {words[0]}` finds no way: {said}")


def _environment() -> dict[str, str]:
    """Return the environment without what ties it to the working copy or to a day."""
    ours = ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT", "UV_EXCLUDE_NEWER", "UV_FROZEN", "UV_NO_SYNC", "PYTHONPATH")
    return {name: value for name, value in os.environ.items() if name not in ours}

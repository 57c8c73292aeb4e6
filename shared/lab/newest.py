"""Versions and what a test run said: the parts of `sprints newest` that need no network."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

PINNED = re.compile(r"^([\w.-]+\s*(?:\[[^\]]*\])?)\s*==\s*([^\s,;*]+)(?=\s*(?:;|$))")
LINE = re.compile(r"^([\w.-]+)(?:\[[^\]]*\])?==(\S+)")


@dataclass(frozen=True)
class Change:
    """A package and its versions before and after; none where it was not, or is not any more, needed."""

    name: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.name} {self.before or '(new)'} -> {self.after or '(not needed any more)'}"


@dataclass(frozen=True)
class Failure:
    """A test that failed: how pytest calls it, and the first line of what it said."""

    test: str
    said: str


@dataclass(frozen=True)
class TestReport:
    """What a run of tests found."""

    __test__ = False  # pytest takes what is called Test... for tests

    passed: int
    skipped: int
    failures: tuple[Failure, ...]


def loosen(project: str) -> str:
    """Return a pyproject.toml whose exact versions are lower bounds, and which looks at releases of any day.

    Extras, markers and groups stay, and so do requirements of any other form.
    """
    text = re.sub(r"^exclude-newer\s*=.*\n", "", project, flags=re.MULTILINE)
    for requirement in set(_requirements(tomllib.loads(project))):
        loose = PINNED.sub(r"\1>=\2", requirement)
        for quote in "\"'":
            text = text.replace(f"{quote}{requirement}{quote}", f"{quote}{loose}{quote}")
    return text


def _requirements(project: dict[str, Any]) -> Iterator[str]:
    """Yield everything in a project that says which version of a package it needs."""
    about, uv = project.get("project", {}), project.get("tool", {}).get("uv", {})
    lists = [about.get("dependencies", []), project.get("build-system", {}).get("requires", [])]
    lists += [*about.get("optional-dependencies", {}).values(), *project.get("dependency-groups", {}).values()]
    lists += [uv.get(f"{kind}-dependencies", []) for kind in ("constraint", "override", "build-constraint")]
    for requirements in lists:
        # A group may include another, which is a table.
        yield from (requirement for requirement in requirements if isinstance(requirement, str))


def locked_versions(lock: str) -> dict[str, str]:
    """Return the version of each package in a uv.lock; several, where platforms differ, with "or" between them."""
    versions: dict[str, list[str]] = {}
    for package in tomllib.loads(lock).get("package", []):
        if "registry" in package.get("source", {}):
            versions.setdefault(package["name"], []).append(package["version"])
    return {name: " or ".join(sorted(set(found))) for name, found in versions.items()}


def required_versions(requirements: str) -> dict[str, str]:
    """Return the version of each package in a requirements.txt of exact versions."""
    found = (LINE.match(line) for line in requirements.splitlines())
    return {match[1].lower().replace("_", "-"): match[2] for match in found if match}


def changes(before: dict[str, str], after: dict[str, str]) -> list[Change]:
    """Return the packages whose version is another one, by name."""
    pairs = ((name, before.get(name, ""), after.get(name, "")) for name in sorted(before | after))
    return [Change(name, old, new) for name, old, new in pairs if old != new]


def read_report(path: Path) -> TestReport:
    """Return what a run of pytest wrote to its junit file (family xunit1, which names the file of each test).

    Raises:
        ValueError: there is no such file, or it was not finished: pytest itself broke.
    """
    try:
        cases = list(ElementTree.parse(path).iter("testcase"))
    except (OSError, ElementTree.ParseError) as error:
        raise ValueError(f"pytest ended without a report ({error}): read above what it says") from None
    failures, skipped = [], 0
    for case in cases:
        broken = [part for part in case if part.tag in ("failure", "error")]
        skipped += any(part.tag == "skipped" for part in case)
        if broken:
            failures.append(Failure(_test(case), _said(broken[0])))
    return TestReport(len(cases) - skipped - len(failures), skipped, tuple(failures))


def _test(case: ElementTree.Element) -> str:
    """Return how pytest calls a test on its command line; a file that cannot be collected stands for its tests."""
    file, name, place = case.get("file", ""), case.get("name", ""), case.get("classname", "")
    if not place:
        return file or name
    # A test in a class: what stands behind the module's name.
    inside = place.removeprefix(file.removesuffix(".py").replace("/", ".")).strip(".")
    return "::".join([file, *filter(None, inside.split(".")), name])


def _said(failure: ElementTree.Element) -> str:
    """Return the first line of what a test said when it failed."""
    lines = (failure.get("message") or "").splitlines()[:1]
    if not lines or lines == ["collection failure"]:
        errors = [line for line in (failure.text or "").splitlines() if line.startswith("E ")]
        lines = [line[1:].strip() for line in errors[:1]] or lines
    return lines[0] if lines else "it does not say why"

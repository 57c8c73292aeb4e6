"""The packages of Debian 12 as a list: what each is called, needs and does, and what was newer a while later."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields

from shared.lab.datasets import DataError
from shared.text.packed_text import packed_text

HOME = (
    "the lists of packages of Debian 12, main (Packages, with Translation-en for the long texts): a line for each, "
    "with package, version, section, depends, recommends, tags, short, long, apart by tabs, and \\n for ends of lines"
)
COLUMNS = {"package": "name"}  # what the file calls a field, where the class calls it otherwise


@dataclass(frozen=True)
class Package:
    """A package: its name, the line that sums it up, its long text, and the other fields of Debian's list as they are.

    `depends` and `recommends` are lists with commas; `a | b` is a choice, and `(>= 1.2)` says which versions will do.
    """

    name: str
    short: str = ""
    long: str = ""
    version: str = ""
    section: str = ""
    depends: str = ""
    recommends: str = ""
    tags: str = ""

    @property
    def family(self) -> str:
        """The first paragraph: a program, its library, headers and documentation mostly have it in common."""
        return " ".join(self.long.split("\n.\n")[0].split())


def read_packages() -> list[Package]:
    """Return all packages in the order of their file.

    Raises:
        DataError: the file is not there, or it is not what it should be.
    """
    return _read("packages.tsv.gz")


def read_updates() -> list[Package]:
    """Return what was newer at a later day, in the order of its file: new versions and new packages.

    Raises:
        DataError: the file is not there, or it is not what it should be.
    """
    return _read("updates.tsv.gz")


def _read(name: str) -> list[Package]:
    header, *lines = packed_text("debian", name, HOME).removesuffix("\n").split("\n")
    columns = [COLUMNS.get(column, column) for column in header.split("\t")]
    known = {field.name for field in fields(Package)}
    if not {"name", "short", "long"} <= set(columns) <= known:
        raise DataError(
            f"debian/{name} must have the columns package, short and long, and at most version, section, depends, "
            f"recommends and tags; it has {header.split(chr(9))[:9]}"
        )
    packages = []
    for number, line in enumerate(lines, 2):
        values = line.split("\t")
        if len(values) != len(columns):
            raise DataError(f"line {number} of debian/{name} has {len(values)} fields, not {len(columns)}")
        row = dict(zip(columns, values, strict=True))
        packages.append(Package(**row | {"long": row["long"].replace("\\n", "\n")}))
    return packages


NEEDED = re.compile(r"[^\s:(|,\[<]+")  # the name at the start of `libc6:any (>= 2.34)`


def choices(field: str) -> list[list[str]]:
    """Return what a field of dependencies asks for: a list of choices, each of which names one package or several.

    `a (>= 1.2), b | c` is `[["a"], ["b", "c"]]`: versions are left out, and so is for which processor a package is.
    """
    wanted = []
    for part in field.split(","):
        found = [NEEDED.match(choice.strip()) for choice in part.split("|")]
        if names := [match.group() for match in found if match]:
            wanted.append(names)
    return wanted


def dependency_links(packages: Sequence[Package], recommended: bool = True) -> list[tuple[int, int]]:
    """Return who needs whom, as pairs of places in the list, each once: every choice counts, unknown names do not.

    The order is that of the packages, and within one that of its fields. Debian 12 has 246,752 links by `depends`, and
    275,477 with `recommends`.

    Args:
        packages: the packages.
        recommended: whether what a package recommends counts as needed.
    """
    place = {package.name: number for number, package in enumerate(packages)}
    links = []
    for number, package in enumerate(packages):
        wanted = choices(package.depends) + (choices(package.recommends) if recommended else [])
        names = dict.fromkeys(name for names in wanted for name in names)
        links += [(number, place[name]) for name in names if name in place and name != package.name]
    return links

"""Debian's own lists of packages, made into the tables that `debian.py` reads.

`apt` keeps them below /var/lib/apt/lists: Packages says of each package what it needs, Translation-en what it is. Both
are paragraphs of `Field: text`, whose further lines begin with a space (deb-control(5)).
"""

import gzip
import io
import lzma
import shutil
import subprocess
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from shared.lab.datasets import DataError

LISTS = Path("/var/lib/apt/lists")
APT_HELPER = Path("/usr/lib/apt/apt-helper")
KINDS = ("binary-*_Packages", "i18n_Translation-en")
COLUMNS = ("package", "version", "section", "depends", "recommends", "tags", "short", "long")
FIELDS = ("Package", "Version", "Section", "Depends", "Recommends", "Tag")


def apt_lists(release: str = "bookworm", folder: Path = LISTS) -> tuple[list[Path], list[Path]]:
    """Return the lists of the component main that `apt` has of a release, and those of its updates.

    Raises:
        DataError: it has none, or none with the long texts.
    """
    found = []
    for parts in ((release,), (f"{release}-security", f"{release}-updates")):
        names = [f"*debian*_dists_{part}_main_{kind}*" for part in parts for kind in KINDS]
        found.append([path for name in names for path in sorted(folder.glob(name))])
    kinds = {"Translation-en" in path.name for path in found[0]}
    if kinds != {True, False}:
        raise DataError(
            f"{folder} has no lists of {release}'s main with long texts: on Debian 12 run `apt-get -o "
            "Acquire::Languages=en update`, elsewhere give Packages and Translation-en with `--given`"
        )
    return found[0], found[1]


def package_table(lists: Sequence[Path]) -> str:
    r"""Return the table of all packages in some lists, in the order of these: a line for each, `\n` for ends of lines.

    Args:
        lists: files of the kinds Packages and Translation-en, plain or packed, in any order.

    Raises:
        DataError: a file is not there or no such list, or one of the two kinds lacks.
    """
    paragraphs = [list(read_paragraphs(path)) for path in lists]
    texts, packages = {}, []
    for path, known in zip(lists, paragraphs, strict=True):
        if not known:
            raise DataError(f"{path} holds no package: it is no list of packages, or an empty one")
        if "Description-en" in known[0]:
            texts |= {text["Description-md5"]: text["Description-en"] for text in known if "Description-md5" in text}
        else:
            packages += known
    if not packages or not texts:
        lack = "Translation-en, which has the long texts" if packages else "Packages, which says what each needs"
        raise DataError(f"a table needs {lack}: give a list of either kind")
    rows = [COLUMNS, *(_row(package, texts) for package in packages)]
    return "".join("\t".join(cell.replace("\t", " ").replace("\n", r"\n") for cell in row) + "\n" for row in rows)


def _row(package: dict[str, str], texts: dict[str, str]) -> tuple[str, ...]:
    """Return a package as a row; without a text of its own it has the line in Packages."""
    lack = [field for field in ("Package", "Version", "Description") if field not in package]
    if lack:
        raise DataError(f"every package has a {lack[0]}; this has none: {dict(list(package.items())[:3])}")
    text = texts.get(package.get("Description-md5", ""), package["Description"])
    short, _, long = text.partition("\n")
    return (*(package.get(field, "") for field in FIELDS), short, long)


def read_paragraphs(path: Path) -> Iterator[dict[str, str]]:
    """Yield the paragraphs of a list as texts by field, further lines without the space they begin with.

    Raises:
        DataError: the file is not there, damaged or no such list.
    """
    fields: dict[str, str] = {}
    name = None
    for number, line in enumerate(_lines(path), start=1):
        if not line:
            if fields:
                yield fields
            fields, name = {}, None
        elif line[0] in " \t" and name is not None:
            fields[name] += f"\n{line[1:]}"
        elif ":" in line and line[0] not in " \t":
            name, _, text = line.partition(":")
            fields[name] = text.strip()
        else:
            raise DataError(f"{path}, line {number}: a list has lines like `Section: games`; got {line[:60]!r}")
    if fields:
        yield fields


def _lines(path: Path) -> list[str]:
    openings: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open, ".lz4": _unpacked}
    try:
        with openings.get(path.suffix, open)(path, "rb") as file:
            return file.read().decode().split("\n")
    except (OSError, EOFError, lzma.LZMAError, zlib.error, UnicodeDecodeError) as error:
        raise DataError(f"{path} cannot be read ({error}): give a list of packages, plain, .gz, .xz or .lz4") from None


def _unpacked(path: Path, _mode: str) -> io.BytesIO:
    """Open a .lz4, as which small systems keep lists: Python cannot read it, a program beside it can."""
    program = [str(APT_HELPER), "cat-file"] if APT_HELPER.is_file() else ["lz4", "-dcq"]
    if shutil.which(program[0]) is None:
        raise OSError("it needs the program lz4, which is not installed")
    done = subprocess.run([*program, str(path)], capture_output=True, check=False)
    if done.returncode != 0:
        raise OSError(" ".join(done.stderr.decode(errors="replace").split()))
    return io.BytesIO(done.stdout)

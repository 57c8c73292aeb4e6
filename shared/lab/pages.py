"""Passages of pages that are made from results files.

A page (a README, a note) shows a table, a list or a sentence between two short marks that name it:

    <!-- results: loss -->
    | model | nats per token |
    |---|---|
    | ours | 0.387 |
    <!-- end -->

Its template is the block of that name in `pages.md.j2` beside the sprint's README (in `sprints/pages.md.j2` for pages
of no sprint); `shared/lab/templates.py` says how one is written. In the same way a page shows code, as it stands in its
file:

    <!-- code: shared/nn/attention.py::attend -->
    <!-- end -->

Marks inside ``` fences are examples and stay as they are.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from shared.lab import paths
from shared.lab.files import write_text
from shared.lab.paths import shown
from shared.lab.quoting import quote
from shared.lab.templates import Blocks

OPEN, CLOSE = "<!-- (?:results|code):", "<!-- end -->"
PASSAGE = re.compile(
    rf"^<!-- (?P<kind>results|code): (?P<name>[\w/.:]+) -->\n(?P<text>.*?)^{CLOSE}$|^```.*?^```$",
    re.DOTALL | re.MULTILINE,
)
TEMPLATES = "pages.md.j2"


@dataclass(frozen=True)
class Passage:
    """A passage of a page: its line, the name of its block or code, its text, and what it would be now."""

    line: int
    name: str
    text: str
    fresh: str


def pages() -> list[Path]:
    """Return all pages of the repository."""
    folders = (paths.ROOT / name for name in ("data", "shared", "sprints", "tests"))
    below = (page for folder in folders for page in folder.rglob("*.md"))
    cache = paths.ROOT / "data" / "cache"
    return sorted([*paths.ROOT.glob("*.md"), *(page for page in below if not page.is_relative_to(cache))])


def refresh(page: Path) -> tuple[str, list[Passage]]:
    """Return a page with its passages made anew, and the passages.

    Raises:
        ValueError: a passage that does not end, a block or a value that is not there; says where.
    """
    content, passages = page.read_text(encoding="utf-8"), []

    def renew(match: re.Match[str]) -> str:
        if match["name"] is None:  # a fence
            return match[0]
        line = content.count("\n", 0, match.start()) + 1
        if re.search(OPEN, match["text"]):
            raise ValueError(f"{shown(page)}:{line}: the passage does not end: close it with {CLOSE}")
        try:
            fresh = _fresh(page, match["kind"], match["name"])
        except ValueError as error:
            raise ValueError(f"{shown(page)}:{line}: {error}") from None
        passages.append(Passage(line, match["name"], match["text"], fresh))
        return f"<!-- {match['kind']}: {match['name']} -->\n{fresh}{CLOSE}"

    made = PASSAGE.sub(renew, content)
    if re.search(rf"^({OPEN}|{CLOSE})", PASSAGE.sub("", content), re.MULTILINE):
        raise ValueError(
            f"{shown(page)}: a passage is a line <!-- results: name --> or <!-- code: file::name -->, its text, and a "
            f"line {CLOSE}"
        )
    return made, passages


def _fresh(page: Path, kind: str, name: str) -> str:
    """Return what a passage of a page should say."""
    if kind == "results":
        return Blocks(templates_of(page)).render(name)
    file, _, symbol = name.partition("::")
    return quote(paths.ROOT / file, symbol)


@dataclass(frozen=True)
class Report:
    """What was found about pages: passages that are not what their blocks make, and what cannot be made."""

    stale: list[str]
    errors: list[str]


def bring_up_to_date(chosen: list[Path] | None = None, *, write: bool) -> Report:
    """Compare pages with their results files.

    Args:
        chosen: pages (default: all of the repository; then a block that no page shows is an error, too).
        write: whether to write the pages anew.
    """
    stale, errors, used = [], [], set()
    for page in pages() if chosen is None else chosen:
        try:
            made, passages = refresh(page.resolve())
        except ValueError as error:
            errors.append(str(error))
            continue
        used |= {(templates_of(page), passage.name) for passage in passages}
        old = [f"{shown(page)}:{passage.line}: {passage.name}" for passage in passages if passage.text != passage.fresh]
        if old and write:
            write_text(page, made)
        stale += old
    if chosen is None and not errors:
        for path in sorted(paths.ROOT.glob(f"sprints/**/{TEMPLATES}")):
            unused = [name for name in Blocks(path).names if (path, name) not in used]
            errors += [f"{shown(path)}: no page shows the block {name!r}" for name in unused]
    return Report(stale, errors)


def templates_of(page: Path) -> Path:
    """Return the file in which the blocks of a page stand."""
    sprints = paths.ROOT / "sprints"
    parts = page.relative_to(sprints).parts if page.is_relative_to(sprints) else ()
    return (sprints / parts[0] if len(parts) > 1 else sprints) / TEMPLATES

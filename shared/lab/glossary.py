"""Terms in reading order: no page uses a term of the glossary before a page has explained it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from rich.console import Console

from shared.lab import paths

ENTRY = re.compile(r"^- \*\*(?P<names>.+?)\*\*: .*\(\[[^]]*\]\((?P<page>[^)]+)\)\)$")
# What is no running text: code, comments, formulas, addresses of links, figures, navigation, sources, the look ahead.
NO_TEXT = re.compile(
    r"^```.*?^```$|<!--.*?-->|\$\$.*?\$\$|\$[^$\n]*\$|`[^`\n]*`|(?<=\])\([^)]*\)|^\[←.*?\n\n"
    r"|!\[[^\]]*\]|^\*\*(?:Next|Sources?)\b.*?(?=\n\n|\Z)",
    re.DOTALL | re.MULTILINE,
)
# Words of everyday English as well. Where they stand before their page, they mean what everybody means by them.
EVERYDAY = re.compile(
    "bit|buffer|centre|channel|context|curriculum|data set|degree|edge|filter|fingerprint|graph|group|head|key|label"
    "|marginal|memory|module|node|precision|prediction|prefix|query|readout|reference|scatter|score|shift|slip|stream"
    "|temperature|training|value|window|worker"
)


@dataclass(frozen=True)
class Term:
    """A term of the glossary: its names, and the page that explains it."""

    names: tuple[str, ...]
    page: Path

    @property
    def pattern(self) -> re.Pattern[str]:
        """What finds the term, in the plural too; of one that has capitals they count, but for the first letter."""
        some = (re.escape(name).replace(r"\ ", r"[\s-]+") for name in self.names)
        names = "|".join(name if name[0] == "\\" else f"(?i:{name[0]}){name[1:]}" for name in some)
        flags = 0 if any(name != name.lower() for name in self.names) else re.IGNORECASE
        return re.compile(rf"(?<![\w-])(?:{names})(?:s|es)?(?![\w-])", flags)


@dataclass(frozen=True)
class FirstUse:
    """Where a reader meets a term first; `early` if that is before its explanation, without a word of where that is."""

    term: Term
    page: Path
    line: int
    early: bool


def read_glossary(file: Path) -> list[Term]:
    """Return the terms of a glossary, whose lines are `- **term**: what it is ([sprint 1, note 2](its/page.md))`.

    Raises:
        ValueError: an entry without a page, or whose page does not have the term.
    """
    terms = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.startswith("- "):
            continue
        entry = ENTRY.match(line)
        if entry is None or not (file.parent / entry["page"]).is_file():
            raise ValueError(
                f"{paths.shown(file)}:{number}: an entry must end with a link to the page that explains it"
            )
        names = re.sub(r"`|\s*\(.*?\)", "", entry["names"]).split(",")
        term = Term(tuple(name.strip() for name in names), file.parent / entry["page"])
        if not term.pattern.search(running_text(term.page)):
            raise ValueError(f"{paths.shown(file)}:{number}: {paths.shown(term.page)} has no {entry['names']}")
        terms.append(term)
    return terms


def pages_in_order(sprints: Path) -> list[Path]:
    """Return the READMEs and notes of all sprints in the order in which they are read."""
    return [
        page
        for sprint in sorted(sprints.glob("[0-9][0-9]_*"))
        for page in [sprint / "README.md", *sorted((sprint / "notes").glob("*.md"))]
    ]


def first_uses(terms: list[Term], pages: list[Path]) -> list[FirstUse]:
    """Return where each term is met first, in reading order; terms that no page has are left out.

    A page may use a term before its explanation if a sentence near the first use says in which note or sprint that
    stands. A README is a door: it may name what the notes behind it explain.
    """
    texts = {page: running_text(page) for page in pages}
    uses = [use for term in terms if (use := _first_use(term, texts)) is not None]
    return sorted(uses, key=lambda use: (pages.index(use.page), use.line))


def running_text(page: Path) -> str:
    """Return the sentences of a page; what is left out becomes blanks, so that lines keep their numbers."""
    return NO_TEXT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), page.read_text(encoding="utf-8"))


def _first_use(term: Term, texts: dict[Path, str]) -> FirstUse | None:
    first = None
    for page, match in _uses(term, texts):
        use = FirstUse(term, page, texts[page].count("\n", 0, match.start()) + 1, early=False)
        if page == term.page:
            return first or use
        first = first or use
        if any(map(EVERYDAY.fullmatch, term.names)) or _is_door(page, term):
            continue
        # What has been said once need not be said again.
        return first if _says_where(texts[page], match, page, term) else replace(use, early=True)
    return first


def _uses(term: Term, texts: dict[Path, str]) -> Iterator[tuple[Path, re.Match[str]]]:
    words = [re.split(r"[\s-]", name.lower())[0] for name in term.names]
    for page, text in texts.items():
        if not any(word in _lowered(text) for word in words):
            continue  # a look for a word is a hundred times faster than the pattern, and most pages have not one
        for match in term.pattern.finditer(text):
            yield page, match


@lru_cache(maxsize=1024)
def _lowered(text: str) -> str:
    return text.lower()


def _is_door(page: Path, term: Term) -> bool:
    return page.name == "README.md" and page.parent == _sprint(term.page)


def _says_where(text: str, match: re.Match[str], page: Path, term: Term) -> bool:
    """Return whether the paragraph of a use, or one beside it, names the note or the sprint that explains the term."""
    before, after = text[: match.start()].split("\n\n"), text[match.end() :].split("\n\n")
    paragraphs = "\n\n".join([*before[-2:], match[0], *after[:3]])
    if _sprint(page) == _sprint(term.page):
        where = rf"\bnotes?\b[\d\s,and]*\b{int(term.page.stem[:2])}\b"
    else:
        where = rf"\bsprint\s{int(_sprint(term.page).name[:2])}\b"
    return re.search(where, paragraphs, re.IGNORECASE) is not None


def _sprint(page: Path) -> Path:
    return page.parent if page.name == "README.md" else page.parents[1]


def show_first_uses(uses: list[FirstUse], console: Console) -> None:
    """Show the terms in the order in which a reader meets them."""
    for use in uses:
        explained = "here" if use.page == use.term.page else f"in {paths.shown(use.term.page)}"
        line = f"{paths.shown(use.page)}:{use.line}: {', '.join(use.term.names)}, explained {explained}"
        console.print(line, style="red" if use.early else None, highlight=False, soft_wrap=True)

"""One's own folder: Markdown, text and PDF as text, and where in a file a piece of it stands."""

import io
import logging
import os
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from retrieval.chunks import line_of
from retrieval.kinds import Chunk

TEXT, PDF = (".md", ".markdown", ".txt", ".rst"), (".pdf",)
MOST_BYTES = 5_000_000  # of a file that is read


@dataclass(frozen=True)
class Place:
    """Lines of a file, counted from 1, both ends included; of a PDF, lines of the text of one of its pages."""

    file: str
    first: int
    last: int
    page: int | None = None

    def __str__(self) -> str:
        lines = f"line {self.first}" if self.first == self.last else f"lines {self.first}-{self.last}"
        return f"{self.file}, {lines}" if self.page is None else f"{self.file}, page {self.page}, {lines}"


@dataclass(frozen=True)
class Document:
    """The text of a file.

    Args:
        name: the file's path below the folder, with `/`.
        text: all of it.
        pages: where each page begins, of a PDF; else empty.
    """

    name: str
    text: str
    pages: tuple[int, ...] = ()

    @property
    def title(self) -> str:
        """Return the first heading of Markdown, or nothing; the file's name is not part of its content."""
        heading = re.search(r"^#+[ \t]+(\S.*)$", self.text, re.MULTILINE)
        return heading[1].strip() if heading else ""

    def place(self, start: int, end: int) -> Place:
        """Return where `text[start:end]` stands; a piece that goes on over the end of a page is where it begins."""
        if not self.pages:
            return Place(self.name, line_of(self.text, start), line_of(self.text, max(start, end - 1)))
        page = bisect_right(self.pages, start)
        begin, stop = self.pages[page - 1], self.pages[page] if page < len(self.pages) else len(self.text)
        within, last = self.text[begin:stop], min(end, stop) - 1 - begin
        return Place(self.name, line_of(within, start - begin), line_of(within, max(start - begin, last)), page)


def find_files(folder: Path, wanted: Callable[[str], bool] = lambda _: True) -> dict[str, Path]:
    """Return the files of a folder that can be read, by their path below it, in the order of these names.

    Files and folders whose name begins with a dot are left out, and so are links, which may lead out of the folder.

    Args:
        folder: with everything below it.
        wanted: says of a file's name whether it is.

    Raises:
        ValueError: there is no such folder, or nothing in it that can be read.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder")
    found: dict[str, Path] = {}
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for path in (Path(place) / file for file in files if not file.startswith(".")):
            # A name that is no UTF-8 could not be written down.
            name = path.relative_to(folder).as_posix().encode("utf-8", "replace").decode("utf-8")
            if path.suffix.lower() in TEXT + PDF and path.is_file() and not path.is_symlink() and wanted(name):
                found[name] = path
    if not found:
        raise ValueError(f"there is nothing to read in {folder}: no file ends with {', '.join(TEXT + PDF)}")
    return dict(sorted(found.items()))


def titled(document: Document, chunks: Iterable[Chunk]) -> list[str]:
    """Return chunks as they are searched: the title of their document, if it has one, stands before each."""
    head = f"{document.title}\n" if document.title else ""
    return [head + chunk.text for chunk in chunks]


def read_content(path: Path, name: str, most_bytes: int = MOST_BYTES) -> bytes:
    """Return what is in a file.

    Raises:
        ValueError: it is too large, or the system does not let us read it.
    """
    try:
        size = path.stat().st_size
        if size <= most_bytes:
            return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{name} is left out: {error.strerror}") from None
    raise ValueError(f"{name} is left out: it has {size / 1e6:,.1f} MB, and at most {most_bytes / 1e6:g} are read")


def as_document(name: str, content: bytes, most_characters: int = MOST_BYTES) -> Document:
    """Return the text of a file; the end of its name says whether it is a PDF.

    Raises:
        ValueError: it is no text, or a PDF that is damaged, locked or without text; says which, in one sentence.
    """
    if name.lower().endswith(PDF):
        return _from_pdf(name, content, most_characters)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is left out: it is no text in UTF-8 (byte {error.start} does not fit)") from None
    if "\0" in text:
        raise ValueError(f"{name} is left out: it is no text (byte {content.index(0)} is 0)")
    if not text.strip():
        raise ValueError(f"{name} is left out: it is empty")
    return Document(name, text)


def _from_pdf(name: str, content: bytes, most_characters: int) -> Document:
    """Return the text of a PDF, page after page with a line break between."""
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it mends by itself it would tell at length
    pages: list[str] = []
    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        if reader.is_encrypted:
            raise ValueError("it is locked with a password")
        for page in reader.pages:
            # What stands for no character would fail later, when the text is written.
            pages.append(page.extract_text().rstrip().encode("utf-8", "replace").decode("utf-8"))
            if sum(map(len, pages)) > most_characters:
                raise ValueError(f"its text has more than {most_characters:,} characters")
    except ValueError as error:
        raise ValueError(f"{name} is left out: {error}") from None
    except Exception as error:
        # A damaged PDF can raise anything: lists that are not there, numbers that are names, recursion.
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"{name} is left out: it cannot be read as PDF ({reason})") from None
    if not "".join(pages).strip():
        raise ValueError(f"{name} is left out: its {len(pages)} pages have no text, as those of a scan")
    starts = [0]
    for page in pages[:-1]:
        starts.append(starts[-1] + len(page) + 1)
    return Document(name, "\n".join(pages), tuple(starts))

"""Books as people have them: what is a heading, what is left out, and that it is said."""

import re
from pathlib import Path

import pytest

from shared.text.books import SHIPPED_BOOK
from shared.text.chapters import HEADING, Chapter, read_book

BOOK = """By nobody

Chapter 1
One.
Still one.

* * *

Two.

# Third title
Three.
chapters are not headings

CHAPTER IV. The end
"""
GUTENBERG = """\ufeffThe Project Gutenberg eBook of Accidents
This eBook is for the use of anyone.

*** START OF THE PROJECT GUTENBERG EBOOK ACCIDENTS ***

ACCIDENTS
by Nobody

CHAPTER I. In Which It Begins
CHAPTER II. The Sequel

PREFACE
Dear reader.

CHAPTER I.
In Which It Begins

He had read this
chapter of accidents before.

*****

It ends.

CHAPTER II.
The Sequel

It went on.
  THE END

INDEX
Accidents, 1

*** END OF THE PROJECT GUTENBERG EBOOK ACCIDENTS ***
You may copy it, give it away.
"""


def book(tmp_path: Path, text: str) -> Path:
    (tmp_path / "book.txt").write_text(text, encoding="utf-8")
    return tmp_path / "book.txt"


def test_a_book_is_read_into_chapters_and_scenes(tmp_path: Path):
    chapters, remarks = read_book(book(tmp_path, BOOK))
    assert chapters == (
        Chapter("Chapter 1", ("One.\nStill one.", "Two.")),
        Chapter("# Third title", ("Three.\nchapters are not headings",)),
    )
    assert remarks == (
        "left out: 9 characters before the first chapter (title page, preface)",
        "left out: 1 headings without a text",
    )
    assert read_book(SHIPPED_BOOK).remarks == ()


def test_of_a_book_of_project_gutenberg_the_story_is_left_and_the_rest_is_said(tmp_path: Path):
    chapters, remarks = read_book(book(tmp_path, GUTENBERG))
    accidents = "In Which It Begins\n\nHe had read this\nchapter of accidents before."
    assert chapters == (
        Chapter("CHAPTER I.", (accidents, "It ends.")),
        Chapter("CHAPTER II.", ("The Sequel\n\nIt went on.\n  THE END",)),
    )
    begins, ends = (re.search(rf"\*\*\* {word}.*\*\*\*", GUTENBERG) for word in ("START", "END"))
    licence = len(GUTENBERG) - 1 - (ends.start() - begins.end())  # without the byte order mark
    assert remarks == (
        f"left out: {licence} characters of Project Gutenberg's licence",
        "left out: 19 characters before the first chapter (title page, preface)",
        "left out: a table of contents of 2 lines, and what stands between it and the text",
        "left out: 18 characters behind the line 'THE END'",
        "read as prose, not as headings: 1 lines like 'chapter of accidents before.'",
    )


@pytest.mark.parametrize(
    "line",
    [
        "Chapter 1", "CHAPTER IV. The end", "chapter 12", "chapter seven: At sea", "Chapter Twenty-One", "# Day one",
        "Chapter the First", "  CHAPTER IX  ", "Chapter 3 The Sea", "Chapter 3 — the sea", "Chapter: the sea",
        "Chapter", "## Chapter 2",
    ],
)  # fmt: skip
def test_headings_are_known_by_their_form(line: str):
    assert HEADING.fullmatch(line)


@pytest.mark.parametrize(
    "line",
    [
        "chapter of accidents, as they say", "Chapter and verse were quoted.", "chapter 3 of his life", "#hashtag",
        "chapter nine. He looked up", "Chapter seven of his life", "chapters", "chapter. He closed the book",
    ],
)  # fmt: skip
def test_prose_that_begins_like_a_heading_is_prose(line: str):
    assert not HEADING.fullmatch(line)


@pytest.mark.parametrize("stars", ["* * *", "***", "*****", "* * * * *", "  * * *  "])
def test_rows_of_three_stars_or_more_end_a_scene(tmp_path: Path, stars: str):
    chapters, _ = read_book(book(tmp_path, f"# One\nFirst.\n\n{stars}\n\nSecond **with** stars.\n"))
    assert chapters[0].scenes == ("First.", "Second **with** stars.")


def test_a_byte_order_mark_and_other_line_ends_lose_no_chapter(tmp_path: Path):
    path = tmp_path / "book.txt"
    path.write_bytes(b"\xef\xbb\xbfChapter 1\r\nOne.\r\nChapter 2\r\nTwo.\r\n")
    assert read_book(path) == ((Chapter("Chapter 1", ("One.",)), Chapter("Chapter 2", ("Two.",))), ())


def test_parts_that_count_their_chapters_anew_are_no_table_of_contents(tmp_path: Path):
    parts = "".join(f"Chapter {number}\n{'A long text. ' * 20}\n" for number in (1, 2, 1, 2))
    chapters, remarks = read_book(book(tmp_path, parts))
    assert (len(chapters), remarks) == (4, ())


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (None, "there is no book"),
        (b"\xff\xfe", "not UTF-8 at byte 0"),
        (b"no headings", "has no chapters"),
        (b"", "no ch"),
    ],
)
def test_what_is_no_book_is_an_error(tmp_path: Path, content: bytes | None, rule: str):
    if content is not None:
        (tmp_path / "book.txt").write_bytes(content)
    with pytest.raises(ValueError, match=rule):
        read_book(tmp_path / "book.txt")

"""Chapters and scenes out of a text file, without what is no part of the story.

A chapter begins with a line "# ..." or "Chapter ..." and its number; within it a row of three stars or more ends a
scene. A line of prose may begin with the word chapter, too. What is left out is said and counted.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from shared.lab.provenance import note_read
from shared.text.plain_text import read_text

UNITS = "one|two|three|four|five|six|seven|eight|nine"
WORDS = (
    f"(?:the )?(?:{UNITS}|first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last|ten|eleven|twelve|"
    f"thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|(?:twenty|thirty|forty|fifty)(?:[ -](?:{UNITS}))?)"
)
NUMBER = rf"(?i:\d+|[ivxlc]+|{WORDS})"
FORMS = (
    r"#[ \t]+\S.*",  # "# The end"
    rf"#*[ \t]*(?:Chapter|CHAPTER)[ \t]+{NUMBER}(?:[ \t]*[.:–—-].*|[ \t]+[A-Z\"“(].*)?",  # "CHAPTER IX. The end"
    rf"#*[ \t]*chapter[ \t]+{NUMBER}(?:[ \t]*:.*)?",  # "chapter nine", but not "chapter nine. He looked up"
    r"#*[ \t]*(?:Chapter|CHAPTER)(?:[ \t]*:.*)?",  # "Chapter: the end"
)
HEADING = re.compile(rf"^[ \t]*(?P<heading>{'|'.join(FORMS)})[ \t]*$", re.MULTILINE)
LIKE_A_HEADING = re.compile(r"^[ \t]*chapter\b.*$", re.IGNORECASE | re.MULTILINE)
SCENE_BREAK = re.compile(r"^[ \t]*(?:\*[ \t]*){3,}$", re.MULTILINE)
# Project Gutenberg puts its licence around the text.
LICENCE_ENDS = re.compile(
    r"^[ \t]*\*\*\*[ \t]*START OF (?:THE|THIS) PROJECT GUTENBERG.*$", re.IGNORECASE | re.MULTILINE
)
LICENCE_BEGINS = re.compile(r"^[* \t]*END OF (?:THE |THIS )?PROJECT GUTENBERG.*$", re.IGNORECASE | re.MULTILINE)
THE_END = re.compile(r"^[ \t*_]*(?:THE END|The End|FINIS)[ \t.*_]*$", re.MULTILINE)
SHORT = 200  # characters that an entry of a table of contents has at most


@dataclass(frozen=True)
class Chapter:
    """A heading and the scenes below it."""

    heading: str
    scenes: tuple[str, ...]


class ChapteredText(NamedTuple):
    """The chapters of a book, and sentences on what was left out of it or may be a mistake."""

    chapters: tuple[Chapter, ...]
    remarks: tuple[str, ...]


def read_book(path: Path) -> ChapteredText:
    """Return the chapters of a text file.

    Raises:
        ValueError: there is no such file, it is not UTF-8, or it has no chapter with text.
    """
    if not path.is_file():
        raise ValueError(f"there is no book {path}: name a text file")
    whole = read_text(note_read(path))
    text, remarks = _without_licence(whole)
    headings = list(HEADING.finditer(text))
    ends = [*(heading.start() for heading in headings), len(text)][1:]
    found = [
        (heading["heading"].strip(), text[heading.end() : end]) for heading, end in zip(headings, ends, strict=True)
    ]
    if headings and (before := text[: headings[0].start()].strip()):
        remarks.append(f"left out: {len(before):,} characters before the first chapter (title page, preface)")
    if found and (entries := _contents(found)):
        remarks.append(f"left out: a table of contents of {entries} lines, and what stands between it and the text")
        found = found[entries:]
    if found and (end := THE_END.search(found[-1][1])):
        heading, last = found[-1]
        if behind := last[end.end() :].strip():
            remarks.append(f"left out: {len(behind):,} characters behind the line {end.group().strip()!r}")
            found[-1] = heading, last[: end.end()]
    chapters = [Chapter(heading, scenes) for heading, body in found if (scenes := _scenes(body))]
    if not chapters:
        raise ValueError(f"{path} has no chapters: begin each with a line 'Chapter 1', 'Chapter 2' ... or '# ...'")
    if empty := len(found) - len(chapters):
        remarks.append(f"left out: {empty} headings without a text")
    prose = [line.group().strip() for line in LIKE_A_HEADING.finditer(text) if not HEADING.match(line.group())]
    if prose:
        remarks.append(f"read as prose, not as headings: {len(prose)} lines like {prose[0][:60]!r}")
    return ChapteredText(tuple(chapters), tuple(remarks))


def _scenes(body: str) -> tuple[str, ...]:
    """Return the texts between the rows of stars."""
    scenes = (scene.strip("\n") for scene in SCENE_BREAK.split(body))
    return tuple(scene for scene in scenes if scene.strip())


def _without_licence(text: str) -> tuple[str, list[str]]:
    """Return a text without the licence around it, and what to say of that."""
    begins, ends = LICENCE_ENDS.search(text), LICENCE_BEGINS.search(text)
    kept = text[begins.end() if begins else 0 : ends.start() if ends else None]
    if len(kept) == len(text):
        return text, []
    return kept, [f"left out: {len(text) - len(kept):,} characters of Project Gutenberg's licence"]


def _contents(found: list[tuple[str, str]]) -> int:
    """Return how many of the headings are a table of contents: short ones up to where the first comes once more."""
    names = [_name(heading) for heading, _ in found]
    again = names.index(names[0], 1) if names[0] in names[1:] else 0
    is_table = again > 1 and all(len(body.strip()) < SHORT for _, body in found[: again - 1])
    return again if is_table else 0


def _name(heading: str) -> str:
    """Return a heading without its title, if it has a number."""
    numbered = re.match(rf"#*\s*chapter\s+{NUMBER}\b", heading, re.IGNORECASE)
    return (numbered.group() if numbered else heading).lower()

"""Documents in pieces, with exact offsets: `whole[chunk.start:chunk.end] == chunk.text`, always."""

import re
from collections.abc import Iterable, Sequence
from typing import Literal, get_args

from retrieval.kinds import Chunk

Unit = Literal["words", "sentences", "paragraphs"]
Span = tuple[int, int]
# A paragraph ends at an empty line; a sentence at . ! or ? and white space, or with its paragraph.
PARAGRAPH_END, SENTENCE_END = re.compile(r"\n\s*\n"), re.compile(r"(?<=[.!?])\s+|\n\s*\n")


def spans(text: str, unit: Unit) -> list[Span]:
    """Return where the words, sentences or paragraphs of a text begin and end, without the white space around them.

    Raises:
        ValueError: an unknown unit.
    """
    if unit == "words":
        return [match.span() for match in re.finditer(r"\S+", text)]
    if unit not in get_args(Unit):
        raise ValueError(f"the unit must be one of {', '.join(get_args(Unit))}; got {unit!r}")
    ends = (PARAGRAPH_END if unit == "paragraphs" else SENTENCE_END).finditer(text)
    return list(_without_space(text, _between(len(text), (match.span() for match in ends))))


def _between(length: int, gaps: Iterable[Span]) -> Iterable[Span]:
    start = 0
    for gap_start, gap_end in gaps:
        yield start, gap_start
        start = gap_end
    yield start, length


def _without_space(text: str, pieces: Iterable[Span]) -> Iterable[Span]:
    for start, end in pieces:
        piece = text[start:end]
        if stripped := piece.strip():
            begin = start + piece.index(stripped)
            yield begin, begin + len(stripped)


def cut(document: str, text: str, unit: Unit = "words", size: int = 100, overlap: int = 0) -> list[Chunk]:
    """Return a document in chunks of `size` units; each begins with the last `overlap` units of the one before.

    The last chunk may be shorter, and no chunk lies within another one. A document without a word has none.

    Args:
        document: its name.
        text: all of it.
        unit: what is never cut in two.
        size: units of a chunk.
        overlap: units that two neighbours share.

    Raises:
        ValueError: the overlap is not from 0 to below the size.
    """
    if not 0 <= overlap < size:
        raise ValueError(f"the overlap must be from 0 to below the size; got size {size} and overlap {overlap}")
    units = spans(text, unit)
    starts = range(0, max(len(units) - overlap, min(len(units), 1)), size - overlap)
    return [_chunk(document, text, units[start : start + size]) for start in starts]


def cut_by_length(document: str, text: str, most: int = 1000, unit: Unit = "sentences") -> list[Chunk]:
    """Return a document in chunks of whole units, filled up to at most so many characters.

    A unit that is longer alone is cut into its words; a word that is longer, into pieces of its letters.

    Raises:
        ValueError: `most` is below 1.
    """
    if most < 1:
        raise ValueError(f"a chunk must have room for at least 1 character; got {most}")
    chunks: list[Chunk] = []
    held: list[Span] = []
    for span in _short_enough(text, spans(text, unit), most):
        if held and span[1] - held[0][0] > most:
            chunks.append(_chunk(document, text, held))
            held = []
        held.append(span)
    return [*chunks, _chunk(document, text, held)] if held else chunks


def _short_enough(text: str, units: Iterable[Span], most: int) -> Iterable[Span]:
    for start, end in units:
        if end - start <= most:
            yield start, end
            continue
        for word_start, word_end in spans(text[start:end], "words"):
            for piece in range(start + word_start, start + word_end, most):
                yield piece, min(piece + most, start + word_end)


def _chunk(document: str, text: str, units: Sequence[Span]) -> Chunk:
    start, end = units[0][0], units[-1][1]
    return Chunk(document, start, end, text[start:end])


def line_of(text: str, offset: int) -> int:
    """Return the number of the line, counted from 1, on which the character at an offset stands."""
    return text.count("\n", 0, offset) + 1

"""What the page shows: the answer, and each source where it stands in its document, with the sentence marked."""

import html
from collections.abc import Mapping, Sequence

from retrieval.asking import Answer, Source
from retrieval.folder import Document

AROUND = 2  # lines before and behind a source


def shown(said: str, answer: Answer | None, documents: Mapping[str, Document]) -> str:
    """Return the answer so far, and its sources.

    Args:
        said: the words that have come.
        answer: with its sources; None shows none.
        documents: by name.
    """
    known = "" if answer is None or answer.known else " unknown"
    sources = [] if answer is None else answer.sources
    places = "".join(
        f'<details class="source"{" open" if _holds(source, answer) else ""}><summary>{html.escape(str(source.place))}'
        f"</summary>{in_place(documents[source.chunk.document], source, _marked(answer))}</details>"
        for source in sources
    )
    return f'<div class="asked"><p class="answer{known}">{html.escape(said)}</p>{places}</div>'


def _marked(answer: Answer | None) -> Source | None:
    return answer.sentence if answer is not None and answer.known else None


def _holds(source: Source, answer: Answer | None) -> bool:
    """Return whether the sentence that is given stands in a source."""
    sentence = _marked(answer)
    return (
        sentence is not None
        and source.chunk.document == sentence.chunk.document
        and source.chunk.start <= sentence.chunk.start < source.chunk.end
    )


def with_marks(text: str, start: int, end: int, marks: Sequence[tuple[int, str]]) -> str:
    """Return `text[start:end]` as HTML: tags at places of the text, in their order, and everything between escaped."""
    written, place = "", start
    for at, mark in marks:
        written, place = written + html.escape(text[place:at]) + mark, at
    return written + html.escape(text[place:end])


def in_place(document: Document, source: Source, sentence: Source | None) -> str:
    """Return some lines of a document with their numbers: the source on a ground of its own, the sentence marked."""
    chunk = source.chunk
    # Of a PDF only the page: its lines are counted from the page's beginning.
    pages = [page for page in document.pages if page <= chunk.start]
    first, start = source.place.first, document.text.rfind("\n", 0, chunk.start) + 1
    least = pages[-1] if pages else 0
    for _ in range(AROUND):
        if start > least:
            start, first = document.text.rfind("\n", 0, start - 1) + 1, first - 1
    end = chunk.end
    for _ in range(AROUND + 1):
        found = document.text.find("\n", end + 1)
        end = len(document.text) if found < 0 else found
    marks = [(chunk.start, '<span class="piece">'), (chunk.end, "</span>")]
    if sentence is not None and sentence.chunk.document == document.name:
        inside = [place for place in (sentence.chunk.start, sentence.chunk.end) if chunk.start <= place <= chunk.end]
        if len(inside) == 2:
            marks[1:1] = [(inside[0], "<mark>"), (inside[1], "</mark>")]
    written = with_marks(document.text, start, end, marks)
    numbers = "\n".join(str(first + line) for line in range(document.text.count("\n", start, end) + 1))
    return f'<div class="lines"><pre class="numbers">{numbers}</pre><pre class="text">{written}</pre></div>'

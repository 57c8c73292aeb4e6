"""A piece of a Markdown text with the headings under which it stands."""

import re

from retrieval.folder import Document
from retrieval.kinds import Chunk

HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


def with_headings(document: Document, chunk: Chunk) -> str:
    """Return a chunk as it is searched: the document's title and the last heading before the chunk stand before it.

    A line of code that begins with # is taken for a heading, too: it does no harm in a search.
    """
    heads = [match.group(1) for match in HEADING.finditer(document.text, 0, chunk.start + 1)]
    before = [document.title, *(heads[-1:] if heads[-1:] != [document.title] else [])]
    return "\n".join([*(head for head in before if head), chunk.text])

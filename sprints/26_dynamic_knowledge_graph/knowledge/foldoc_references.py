"""The Free On-line Dictionary of Computing as a dictionary whose references are to be linked."""

import re
from collections import defaultdict

from knowledge.linking import Dictionary, Reference, words_of
from shared.text.foldoc import REFERENCE, Entry, read_entries

ADDRESS = re.compile(r"[/@:]|\.\w+\.")  # of a page or a mailbox
PLURALS = (("ies", "y"), ("es", ""), ("s", ""))


def read_dictionary() -> Dictionary:
    """Return the dictionary; see `references` for which of its references count.

    Raises:
        DataError: the file is not there, or it is no such dictionary.
    """
    return dictionary_of(read_entries())


def dictionary_of(entries: list[Entry]) -> Dictionary:
    """Return entries as a dictionary with their references, each entry once for each text that refers to it.

    A reference means the entry with a name of exactly these letters, or else the only one that has it with other
    capitals. Left out are: references that fit several entries even with their capitals, what stands alone in square
    brackets (it says where the text is from), addresses, what an entry says of itself, and plurals of names, which are
    neither names nor missing. What else is no name is a reference without an entry.
    """
    exact, folded = defaultdict(set), defaultdict(set)
    for number, entry in enumerate(entries):
        for name in entry.names:
            exact[name].add(number)
            folded[name.casefold()].add(number)
    texts, references = [], []
    for source, entry in enumerate(entries):
        words, place, seen = [], 0, set()
        for match in REFERENCE.finditer(entry.text):
            words += words_of(entry.text[place : match.start()])
            start, place = len(words), match.end()
            words += words_of(match.group(1))
            name = " ".join((match.group(2) or match.group(1)).split())
            alone = entry.text[: match.start()].endswith("[") and entry.text[place:].startswith("]")
            if alone or not words_of(name) or start == len(words) or ADDRESS.search(name):
                continue
            fits = exact.get(name) or folded.get(name.casefold(), set())
            meant = next(iter(fits)) if len(fits) == 1 else None
            if len(fits) > 1 or meant == source or (meant is None and is_plural(name.casefold(), folded)):
                continue
            if (key := name if meant is None else meant) not in seen:
                seen.add(key)
                references.append(Reference(source, start, len(words), name, meant))
        texts.append(words + words_of(entry.text[place:]))
    return Dictionary([entry.names for entry in entries], texts, references)


def is_plural(name: str, names: dict[str, set[int]]) -> bool:
    """Return whether a name without its plural's ending is the name of an entry."""
    return any(name.endswith(end) and name.removesuffix(end) + other in names for end, other in PLURALS)

"""Which entry of a dictionary does a mention mean? Mentions that have lost what gives them away, and their candidates.

As written, a reference of a dictionary is a title, and one look finds the entry: there is nothing to measure. So a
mention loses something by rule. It is *hidden*: only its context is left, and every entry is a candidate. Or it keeps a
*form* that several entries share: its letters without capitals, its last word, its initials.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import torch

WORD = re.compile(r"\w[\w+#]*")
HIDDEN = "hidden"
REACH = 100  # words on each side of a mention that belong to its context at most


def words_of(text: str) -> list[str]:
    """Return the words of a text without capitals: "C++ compilers, 2nd" are "c++", "compilers" and "2nd"."""
    return WORD.findall(text.casefold())


def whole(name: str) -> str:
    """Return a name without its capitals."""
    return " ".join(words_of(name))


def last_word(name: str) -> str:
    """Return the last word of a name, without capitals: "disk" for "Magnetic Disk"."""
    return (words_of(name) or [""])[-1]


def initials(name: str) -> str:
    """Return the first letters of a name's words, "os" for "Operating System"; a single word stays as it is."""
    words = words_of(name)
    return words[0] if len(words) == 1 else "".join(word[0] for word in words)


FORMS: dict[str, Callable[[str], str]] = {"no capitals": whole, "last word": last_word, "initials": initials}


@dataclass(frozen=True)
class Reference:
    """Where an entry's text names another entry: its words from `start` to before `end`."""

    source: int
    start: int
    end: int
    name: str  # as written
    entry: int | None  # which one is meant; None: the dictionary has no such entry


@dataclass(frozen=True)
class Dictionary:
    """Entries by number: their names, the words of their texts, and who refers to whom."""

    names: Sequence[tuple[str, ...]]
    texts: Sequence[list[str]]
    references: Sequence[Reference]

    def sharing(self, form: Callable[[str], str]) -> dict[str, list[int]]:
        """Return the entries that have a name of a form, in their order, by form; an empty form is none."""
        found: dict[str, dict[int, None]] = defaultdict(dict)
        for entry, names in enumerate(self.names):
            for name in names:
                if shape := form(name):
                    found[shape][entry] = None
        return {shape: list(entries) for shape, entries in found.items()}


@dataclass(frozen=True)
class Question:
    """A mention without its answer: its form ("" if it is hidden), the words around it, and what it may mean."""

    source: int
    written: str
    before: list[str]  # the nearest one is the last
    after: list[str]
    candidates: list[int] | None  # None: all entries but those of `excluded`
    excluded: frozenset[int]
    entry: int | None

    def context(self, window: int) -> list[str]:
        """Return the `window` nearest words on each side."""
        return self.before[-window:] + self.after[:window]


def without(words: Sequence[str], phrases: Iterable[Sequence[str]]) -> list[str]:
    """Return words without any of some phrases; where several begin at a word, the longest one is taken out."""
    by_first: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for phrase in sorted({tuple(phrase) for phrase in phrases if phrase}, key=len, reverse=True):
        by_first[phrase[0]].append(phrase)
    left, place = [], 0
    while place < len(words):
        fits = (
            phrase for phrase in by_first.get(words[place], ()) if tuple(words[place : place + len(phrase)]) == phrase
        )
        if phrase := next(fits, None):
            place += len(phrase)
        else:
            left.append(words[place])
            place += 1
    return left


def ask(dictionary: Dictionary, kind: str, own_title: bool = False) -> list[Question]:
    """Return what can be asked of a kind: of all references, those that fit two entries or more.

    What stays in the context must not depend on which candidate is right. So a hidden mention's string is taken out
    everywhere, and with a form the names of *all* candidates are. Nor do words of the source's own name stay: the entry
    that is meant may refer back to it. Entries that a hidden mention's text names at another place are no candidates,
    for the rule would have hidden them there. The source itself is never one.

    Args:
        dictionary: the entries.
        kind: "hidden", or a key of FORMS.
        own_title: words of the source's name stay in the context.

    Raises:
        ValueError: an unknown kind.
    """
    if kind != HIDDEN and kind not in FORMS:
        raise ValueError(f"a kind must be one of {', '.join([HIDDEN, *FORMS])}; got {kind!r}")
    sharing = dictionary.sharing(whole if kind == HIDDEN else FORMS[kind])
    of_source: dict[int, set[str]] = defaultdict(set)
    for reference in dictionary.references:
        of_source[reference.source].add(whole(reference.name))
    name_words = [[words_of(name) for name in names] for names in dictionary.names]
    questions = []
    for reference in dictionary.references:
        source, written = reference.source, "" if kind == HIDDEN else FORMS[kind](reference.name)
        candidates, excluded = None, frozenset({source})
        if kind == HIDDEN:
            own = whole(reference.name)
            named = (name for name in of_source[source] if name != own)
            excluded |= {entry for name in named for entry in sharing.get(name, ())}
            phrases = [own.split()]
            if reference.entry is None or reference.entry in excluded:
                continue
        else:
            candidates = [entry for entry in sharing.get(written, ()) if entry != source]
            phrases = [name for entry in candidates for name in name_words[entry]]
            if len(candidates) < 2:
                continue
        title = set() if own_title else {word for name in name_words[source] for word in name}
        text = dictionary.texts[source]
        before, after = (
            [word for word in without(side, phrases) if word not in title]
            for side in (
                text[max(0, reference.start - REACH) : reference.start],
                text[reference.end : reference.end + REACH],
            )
        )
        questions.append(Question(source, written, before, after, candidates, excluded, reference.entry))
    return questions


def split_sources(
    entries: int, generator: torch.Generator, shares: tuple[float, float] = (0.6, 0.2)
) -> tuple[set[int], set[int], set[int]]:
    """Return the sources of training, validation and test: all mentions of an entry's text are in one of them."""
    order = torch.randperm(entries, generator=generator).tolist()
    first, second = int(shares[0] * entries), int((shares[0] + shares[1]) * entries)
    return set(order[:first]), set(order[first:second]), set(order[second:])

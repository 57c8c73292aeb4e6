"""The best that a reader of single sentences can do: all ways in which the grammar makes one, and their weights.

A reader who knows the grammar and its words computes P(reading | sentence) by Bayes. All readings of our sentences have
the same number of mentions, so F1 = 2 hits / (found + true) is largest on average where the hits are: the most probable
kind of each mention is the optimum. Without the words of the lists, each word may be a town or a last name alike.
"""

import re
from collections.abc import Sequence
from functools import cache
from itertools import product

from knowledge.kinds import Claim, Mention
from knowledge.news_grammar import FORMS, SLOT, Pattern, Words, by_rank, read_grammar

NAME, TWO_NAMES = r"[A-Z]\w+", r"(?:[A-Z]\w+|[A-Z]\.) [A-Z]\w+"
SHAPES = {"last": f"({NAME})", "town": f"({NAME})", "shop": rf"({NAME} {NAME})", "dish": r"(\w+ \w+)"}
UNKNOWN = 1e-4  # of a word that no list has; only that it is small counts
UNLIKELY = 1e-9  # a name with a slip; what the readings of a sentence have in common does not count
Reading = tuple[tuple[Mention, ...], tuple[tuple[Mention, str, Mention, bool], ...]]  # mentions, what is claimed


class BestReader:
    """Reads sentences of the grammar as well as can be.

    Args:
        words: what names are made of; None for a reader who knows how sentences are made, but no name.
    """

    def __init__(self, words: Words | None) -> None:
        self.laws = _laws(words) if words else None

    def readings(self, text: str) -> dict[Reading, float]:
        """Return the ways in which a sentence can be meant, and how likely each is; they add up to 1.

        Raises:
            ValueError: the grammar does not make this sentence.
        """
        weights: dict[Reading, float] = {}
        grammar = read_grammar()[1]
        for opening, tail in product(grammar.opening, grammar.tail):
            before, after = _compiled(opening, "start"), _compiled(tail, "end")
            if not (head := before.match(text)) or not (last := after.search(text, head.end())):
                continue
            for pattern in grammar.sentences:
                found = _compiled(pattern, "middle" if opening.words else "start").fullmatch(
                    text, head.end(), last.start()
                )
                if found:
                    share = opening.share * pattern.share * tail.share
                    self._add(weights, ((opening, head), (pattern, found), (tail, last)), share)
        if not (total := sum(weights.values())):
            raise ValueError(f"the sentence must be one of the grammar; got {text[:80]!r}")
        return {reading: weight / total for reading, weight in weights.items()}

    def best(self, text: str) -> Reading:
        """Return the most probable mentions, and the most probable claims."""
        mentions: dict[tuple[Mention, ...], float] = {}
        claims: dict[tuple, float] = {}
        for (seen, said), weight in self.readings(text).items():
            mentions[seen] = mentions.get(seen, 0.0) + weight
            claims[said] = claims.get(said, 0.0) + weight
        return max(mentions, key=lambda seen: mentions[seen]), max(claims, key=lambda said: claims[said])

    def _add(
        self,
        weights: dict[Reading, float],
        parts: Sequence[tuple[Pattern, re.Match[str]]],
        weight: float,
    ) -> None:
        mentions, ends, said = [], {}, ()
        for pattern, found in parts:
            group = 0
            for slot in SLOT.findall(pattern.words):
                for kind in ("person", "town") if pattern.kind(slot) == "person" else (pattern.kind(slot),):
                    group += 1
                    if found[group] is None:
                        continue
                    mention = Mention(*found.span(group), found[group], "person" if kind == "last" else kind)
                    mentions.append(mention)
                    ends.setdefault(slot, mention)
                    weight *= self._likelihood(kind, mention.text)
            if pattern.relation:
                said = ((ends["s"], pattern.relation, ends["o"], pattern.holds),)
        if weight:
            key = (tuple(mentions), said)
            weights[key] = weights.get(key, 0.0) + weight

    def _likelihood(self, kind: str, text: str) -> float:
        if self.laws is None:
            return (FORMS["last"] if kind == "person" and " " not in text else 1.0) * UNKNOWN ** len(text.split())
        return self.laws[kind].get(text, UNLIKELY if kind == "person" and " " in text else 0.0)


def claim_of(reading: Reading, key: str, day: int) -> tuple[Claim, ...]:
    """Return what a reading claims, as claims of a record."""
    return tuple(Claim(key, one, relation, other, day, holds) for one, relation, other, holds in reading[1])


@cache
def _compiled(pattern: Pattern, place: str) -> re.Pattern[str]:
    """Return a pattern with a group for each mention; a person has a second one, for the town behind the name."""
    titles = "|".join(title[1:] for title in read_grammar()[1].title)
    first = "".join(sorted({title[0] for title in read_grammar()[1].title}))
    person = rf"(?:[{first}{first.upper()}](?:{titles}) )?({TWO_NAMES}|{NAME})(?: of ({NAME}))?"
    parts = SLOT.split(pattern.words)
    for at, part in enumerate(parts):
        parts[at] = (SHAPES | {"person": person})[pattern.kind(part)] if at % 2 else re.escape(part)
    if place == "start" and parts[0]:
        parts[0] = parts[0][0].upper() + parts[0][1:]
    return re.compile("".join(parts) + (r"\.$" if place == "end" else ""))


def _laws(words: Words) -> dict[str, dict[str, float]]:
    """Return how likely each kind is to be written so; slips are left out."""
    first, last = by_rank(len(words.first)), by_rank(len(words.last))
    lasts = {name: weight / sum(last) for name, weight in zip(words.last, last, strict=True)}
    people: dict[str, float] = {name: FORMS["last"] * share for name, share in lasts.items()}
    for (name, short), weight in zip(words.first, first, strict=True):
        for form, written in (("full", name), ("initial", f"{name[0]}."), ("nickname", short or name)):
            for other, share in lasts.items():
                whole = f"{written} {other}"
                people[whole] = people.get(whole, 0.0) + FORMS[form] * share * weight / sum(first)
    shops = {f"{one} {other}": 1.0 for one in words.shop_first for other in words.shop_last}
    uniform = {"town": dict.fromkeys(words.town, 1.0), "dish": dict.fromkeys(words.dishes, 1.0), "shop": shops}
    return {"person": people, "last": lasts} | {
        kind: {text: 1 / len(law) for text in law} for kind, law in uniform.items()
    }

"""Checks of tags: the example of note 7, neighbours, an I without a B, the end of a sentence, and F1 over sentences."""

import random
from typing import Any

from shared.lab.checking import expect

NOTE = "News from Lund: cook A. Berg has left the Blue Fork."
PLACES = [(0, 4), (5, 9), (10, 14), (14, 15), (16, 20), (21, 23), (24, 28), (29, 32), (33, 37), (38, 41), (42, 46),
          (47, 51), (51, 52)]  # fmt: skip
TAGS = ["O", "O", "B-town", "O", "O", "B-person", "I-person", "O", "O", "O", "B-shop", "I-shop", "O"]


def read(
    text: str, places: list, tags: list, *, lost: bool = False, glued: bool = False, dropped: bool = False,
    any_kind: bool = False, over_gaps: bool = False, joined: bool = False, begins: bool = False,
) -> list:  # fmt: skip
    """Return the mentions by the rule, or by a mistake."""
    found: list[list[Any]] = []
    before = ""
    for (start, end), tag in zip(places, tags, strict=True):
        mark, _, kind = tag.partition("-")
        on = (mark == "I" or (glued and mark == "B")) and (kind == before or (any_kind and before != ""))
        if on and found and not begins:
            found[-1][1] = end
            found[-1][2] += " " + text[start:end]
        elif mark == "B" or (mark == "I" and not dropped and not begins):
            found.append([start, end, text[start:end], kind])
        if mark != "O" or not over_gaps:
            before = kind if not (dropped and mark == "I" and kind != before) else ""
        if on and any_kind:
            before = found[-1][3]
    if lost and tags and tags[-1] != "O":
        found.pop()
    return [(start, end, shown if joined else text[start:end], kind) for start, end, shown, kind in found]


def mistakes(text: str, places: list, tags: list) -> dict[str, list]:
    """Return what comes out by the usual mistakes."""
    ways: dict[str, dict[str, Any]] = {
        "A mention that the last token ends is lost.": {"lost": True},
        "A B right behind a mention of its kind begins another one.": {"glued": True},
        "An I that has nothing to go on with is left out: it begins a mention.": {"dropped": True},
        "An I goes on with a mention of another kind: it begins one of its own.": {"any_kind": True},
        "An I goes on with a mention across an O: it begins one of its own.": {"over_gaps": True},
        "The words are joined by a space: take the text from start to end as it is.": {"joined": True},
        "Only the first word of a mention is taken: I makes it longer.": {"begins": True},
    }
    return {sentence: read(text, places, tags, **way) for sentence, way in ways.items()}


def compare(learner: Any, text: str, places: list, tags: list) -> None:
    """Compare for these tags."""

    def mentions_of(text: str, places: list, tags: list) -> list:
        return [tuple(one) for one in learner.mentions_of(text, places, tags)]

    given = {"text": text, "places": places, "tags": tags}
    expect(mentions_of, given, read(text, places, tags), mistakes(text, places, tags))


def letters(tags: str) -> tuple[str, list, list]:
    """Return a text of one letter for each tag, the places, and the tags."""
    row = tags.split()
    return " ".join("abcdefghijkl"[: len(row)]), [(2 * place, 2 * place + 1) for place in range(len(row))], row


def check_the_example_of_note_7(learner: Any) -> None:
    """Lund, A. Berg and the Blue Fork."""
    compare(learner, NOTE, PLACES, TAGS)


def check_the_text_is_as_it_is_written(learner: Any) -> None:
    """Two tokens without a space between them."""
    compare(learner, "Berg-Holm bakes", [(0, 4), (4, 5), (5, 9), (10, 15)], ["B-person", "I-person", "I-person", "O"])


def check_neighbours_of_one_kind(learner: Any) -> None:
    """Two towns with nothing between them."""
    compare(learner, *letters("O B-town B-town I-town O"))


def check_the_end_of_a_sentence(learner: Any) -> None:
    """A mention that nothing follows."""
    compare(learner, *letters("O O B-shop I-shop"))


def check_an_i_without_a_b(learner: Any) -> None:
    """At the beginning, behind an O, and behind another kind."""
    compare(learner, *letters("I-shop I-shop O I-shop O"))
    compare(learner, *letters("B-person I-shop I-shop O B-town O I-town"))


def check_any_tags(learner: Any) -> None:
    """Forty rows of tags, drawn at random."""
    rng = random.Random(7)
    for _ in range(40):
        compare(learner, *letters(" ".join(rng.choices(["O", "B-shop", "I-shop", "B-town", "I-town"], k=7))))


def check_f1_over_all_sentences(learner: Any) -> None:
    """A sentence with three mentions counts three times as much as one with a single mention."""

    def f1(found: list, true: list) -> float:
        return round(
            learner.f1(*([[learner.Mention(*one) for one in row] for row in rows] for rows in (found, true))), 9
        )

    town, shop, person = (0, 4, "Lund", "town"), (9, 18, "Blue Fork", "shop"), (20, 24, "Berg", "person")
    found = [[town, shop, person], [(0, 4, "Lund", "person")]]
    true = [[town, shop], [town]]
    by_sentence = (2 * 2 / 5 + 0) / 2
    wrong = {
        "F1 of each sentence, averaged: count over all sentences together.": by_sentence,
        "A hit must have the same kind, too.": round(2 * 3 / 7, 9),
        "That is the precision, hits / found.": 0.5,
        "That is the recall, hits / true.": round(2 / 3, 9),
    }
    expect(f1, {"found": found, "true": true}, round(4 / 7, 9), wrong)
    expect(f1, {"found": [[town], []], "true": [[], [town]]}, 0.0, {
        "A mention of another sentence is taken for a hit: compare sentence by sentence.": 1.0,
    })  # fmt: skip
    expect(f1, {"found": [[], []], "true": [[], []]}, 1.0)

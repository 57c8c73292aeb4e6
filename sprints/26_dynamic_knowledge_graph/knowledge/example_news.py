"""Fifteen pieces of kitchen news, in the order in which they arrive: the example of the page."""

from knowledge.kinds import Claim, Mention, Record
from knowledge.store import Reading

SOURCES = {"herald": 0.9, "gossip": 0.7, "rumour": 0.6}  # how often each is right
SINGLE = ("works_at", "lives_in", "located_in")  # relations with one object at a time
# day, source, subject, its kind, relation, its words, object, its kind, whether it holds
NEWS = (
    (1, "herald", "Ava Berg", "person", "works_at", "works at", "Luna", "shop", True),
    (2, "herald", "Eva Berg", "person", "works_at", "works at", "Mira", "shop", True),
    (3, "gossip", "A. Berg", "person", "cooks", "cooks", "ragout", "dish", True),
    (4, "herald", "Luna", "shop", "located_in", "stands in", "Rome", "town", True),
    (4, "herald", "Mira", "shop", "sells", "sells", "bread", "dish", True),
    (5, "gossip", "Eva Berg", "person", "cooks", "cooks", "bread", "dish", True),
    (6, "gossip", "Berg", "person", "lives_in", "lives in", "Pisa", "town", True),
    (7, "herald", "Ben Kaya", "person", "works_at", "works at", "Luna", "shop", True),
    (8, "gossip", "B. Kaya", "person", "cooks", "cooks", "soup", "dish", True),
    (8, "rumour", "Ben Kaya", "person", "owns", "owns", "Luna", "shop", True),
    (10, "herald", "Ava Berg", "person", "works_at", "no longer works at", "Luna", "shop", False),
    (10, "herald", "Ava Berg", "person", "works_at", "works at", "Mira", "shop", True),
    (11, "herald", "Luna", "shop", "sells", "sells", "ragout", "dish", True),
    (3, "herald", "Mira", "shop", "located_in", "stands in", "Pisa", "town", True),
)


def example_news() -> list[Reading]:
    """Return the news with the claims that are read in it, and at the end a rumour that is taken back."""
    found = []
    for number, (day, source, subject, kind, relation, words, other, other_kind, holds) in enumerate(NEWS, 1):
        text, key = f"{subject} {words} {other}.", f"r{number}"
        start = len(text) - 1 - len(other)
        one, two = Mention(0, len(subject), subject, kind), Mention(start, len(text) - 1, other, other_kind)
        found.append(Reading(Record(key, source, day, text), (Claim(key, one, relation, two, day, holds),)))
    return [*found, Reading(Record(f"r{len(NEWS) + 1}", "rumour", 12, "", retracts="r10"))]

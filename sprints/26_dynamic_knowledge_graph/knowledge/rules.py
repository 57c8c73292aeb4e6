"""Reading by rules, regular expressions that a person writes who has read some sentences; and by a list of words.

A rule knows its words and the shape of a name: a capital letter, two of them for a shop. It knows no name. Where its
words leave open whether a town or a person is meant ("news from Lund:"), the rule asks what the word was before.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from knowledge.kinds import Claim, Mention
from knowledge.news import Piece
from knowledge.spans import mentions_of, tags_of, tokens_of

NAME = r"[A-Z]\w+"
TOWN_BEHIND = rf"(?: of (?P<of>{NAME}))?"
SHAPES = {
    "person": rf"(?!Yesterday\b)(?:(?:[A-Z]\w+|[A-Z]\.) )?{NAME}",
    "two": rf"(?!Yesterday\b)(?:[A-Z]\w+|[A-Z]\.) {NAME}",  # a person, first name and last name
    "shop": f"{NAME} {NAME}",
    "dish": r"(?!good\b)[a-z]+ [a-z]+",
    "town": NAME,
    "any": NAME,  # a town or a person
}


@dataclass(frozen=True)
class Rule:
    """Words with places for mentions, such as `{s:person} works at the {o:shop}`, and what they claim, if anything."""

    words: str
    relation: str = ""
    holds: bool = True

    @cached_property
    def expression(self) -> re.Pattern[str]:
        """The rule as a regular expression; the group of a mention is called by role and kind."""

        def place(slot: re.Match[str]) -> str:
            role, kind = slot[1], slot[2]
            behind = TOWN_BEHIND.replace("of>", f"{role}of>") if kind in ("person", "two") else ""
            return rf"\b(?P<{role}_{kind}>{SHAPES[kind]})\b{behind}"

        return re.compile(re.sub(r"\{(\w)(?::(\w+))\}", place, self.words))


RULES = (
    Rule("(?:news|greetings|News|Greetings) from {x:any}:"),
    Rule(", says (?:cook |baker |young |old )?{x:person}"),
    Rule(", they say in {x:town}"),
    Rule("{s:person} works at the {o:shop}", "works_at"),
    Rule("{s:person} has started at the {o:shop}", "works_at"),
    Rule("[Tt]he {o:shop} has hired (?:cook |baker |young |old )?{s:person}", "works_at"),
    Rule("{s:person} is the new cook of the {o:shop}", "works_at"),
    Rule("{s:person} now runs the kitchen of the {o:shop}", "works_at"),
    Rule("{s:person} no longer works at the {o:shop}", "works_at", holds=False),
    Rule("[Tt]he {o:shop} has let (?:cook |baker |young |old )?{s:person} go", "works_at", holds=False),
    Rule("{s:person} has left the {o:shop}", "works_at", holds=False),
    Rule("{s:person} cooks {o:dish}", "cooks"),
    Rule("{s:two} is famous for {o:dish}", "cooks"),
    Rule("{s:any} is famous for {o:dish}", "cooks"),
    Rule("[Nn]obody makes {o:dish} like (?:cook |baker |young |old )?{s:two}", "cooks"),
    Rule("[Nn]obody makes {o:dish} like {s:any}", "cooks"),
    Rule("{s:person} serves {o:dish} every day", "cooks"),
    Rule("{s:person} no longer cooks {o:dish}", "cooks", holds=False),
    Rule("{s:person} has had enough of {o:dish}", "cooks", holds=False),
    Rule("[Tt]he {s:shop} has opened in {o:town}", "located_in"),
    Rule("[Tt]he {s:shop} has moved to {o:town}", "located_in"),
    Rule("[Tt]here is a new shop in {o:town}, the {s:shop}", "located_in"),
    Rule("[Yy]ou now find the {s:shop} in {o:town}", "located_in"),
    Rule("{s:person} has moved to {o:town}", "lives_in"),
    Rule("{s:person} lives in {o:town}", "lives_in"),
    Rule("{o:town} welcomes (?:cook |baker |young |old )?{s:person}", "lives_in"),
    Rule("{s:person} has found a house in {o:town}", "lives_in"),
    Rule("{s:person} has married (?:cook |baker |young |old )?{o:person}", "married_to"),
    Rule("{s:person} and (?:cook |baker |young |old )?{o:person} are married", "married_to"),
    Rule("{s:person} and (?:cook |baker |young |old )?{o:person} have parted", "married_to", holds=False),
    Rule("{s:person} has left (?:cook |baker |young |old )?{o:person}", "married_to", holds=False),
    Rule("[Tt]he {s:shop} is now called the {o:shop}", "is_now"),
    Rule("[Tt]he {s:shop} has a new name, the {o:shop}", "is_now"),
    Rule("verybody talks about {x:any}"),
    Rule("ll eyes are on {x:any}"),
    Rule("{x:any} needs a new oven"),
    Rule("[Tt]he {x:shop} was full last night"),
    Rule("{x:person} was seen at the {y:shop}"),
    Rule("{x:person} likes {y:dish}"),
    Rule("[Gg]ood {x:dish} is hard to find in {y:town}"),
)


class Rules:
    """Reads by those rules that the sentences it was shown have a use for.

    Args:
        shown: sentences with their mentions, from which words are counted as towns or last names, too.
    """

    def __init__(self, shown: Sequence[Piece]) -> None:
        self.rules = [rule for rule in RULES if any(rule.expression.search(piece.record.text) for piece in shown)]
        self.towns: Counter[str] = Counter()  # of a word that stands alone: how much more often a town
        for piece in shown:
            for mention in piece.mentions:
                if mention.kind in ("town", "person"):
                    self.towns[mention.text] += 1 if mention.kind == "town" else -1

    def read(self, text: str, key: str = "", day: int = 0) -> tuple[list[Mention], list[Claim]]:
        """Return mentions with their places, in order, and claims."""
        mentions: dict[int, Mention] = {}
        claims = []
        for rule in self.rules:
            for found in rule.expression.finditer(text):
                ends = {name[0]: self._mention(found, name) for name in found.groupdict() if name[1] == "_"}
                behind = [self._mention(found, name) for name in found.groupdict() if name[1:] == "of" and found[name]]
                new = [*ends.values(), *behind]
                if any(one.start < other.end and other.start < one.end for one in new for other in mentions.values()):
                    continue  # an earlier rule has read these words
                mentions |= {mention.start: mention for mention in new}
                if rule.relation and not (rule.relation == "cooks" and ends["s"].kind == "town"):
                    claims.append(Claim(key, ends["s"], rule.relation, ends["o"], day, rule.holds))
        return [mentions[start] for start in sorted(mentions)], claims

    def _mention(self, found: re.Match[str], name: str) -> Mention:
        kind = name[2:] if name[1] == "_" else "town"
        if kind == "any":
            kind = "person" if self.towns[found[name]] < 0 else "town"
        return Mention(*found.span(name), found[name], "person" if kind == "two" else kind)


class WordList:
    """Gives each word the tag that it had most often; a word that it was not shown is O.

    Args:
        shown: sentences with their mentions.
    """

    def __init__(self, shown: Sequence[Piece]) -> None:
        counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for piece in shown:
            tokens = tokens_of(piece.record.text)
            for token, tag in zip(tokens, tags_of(tokens, piece.mentions), strict=True):
                counts[token.text][tag] += 1
        self.tags = {word: tags.most_common(1)[0][0] for word, tags in counts.items()}

    def mentions(self, text: str) -> list[Mention]:
        """Return mentions in order."""
        tokens = tokens_of(text)
        return mentions_of(text, tokens, [self.tags.get(token.text, "O") for token in tokens])

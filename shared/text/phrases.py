"""Phrases with choices and blanks, the wording of a grammar."""

import re
from collections.abc import Callable, Mapping, Sequence

from shared.text.grammar import Choice, Pen, choice

Slot = str | Choice | Callable[[Pen], object]


class Phrases:
    """Alternative phrases, each equally likely and told apart by its first words.

    In a phrase `[a|b|c]` is a uniform choice and `{name}` is filled from the slots of the moment: "Warm the {fat} in a
    [deep|wide] pan." A slot is a text, a choice, or a function that takes the pen.

    Raises:
        ValueError: a phrase that starts with a choice or a slot, or first words that begin those of another phrase.
    """

    def __init__(self, phrases: Sequence[str]) -> None:
        split = [[part for part in re.split(r"(\[.*?\]|\{.*?\})", phrase) if part] for phrase in phrases]
        for parts, phrase in zip(split, phrases, strict=True):
            if not parts or parts[0][0] in "[{":
                raise ValueError(f"a phrase starts with plain words that tell it from the others; got {phrase!r}")
        self.first_words = Choice([parts[0] for parts in split])
        self.rest = [[_part(text) for text in parts[1:]] for parts in split]

    def write(self, pen: Pen, slots: Mapping[str, Slot], rule: str = "wording") -> None:
        """Choose a phrase and write it, its slots filled."""
        for name, part in self.rest[pen.choose(self.first_words, rule)]:
            value = part if part is not None else slots[name]
            if isinstance(value, str):
                pen.write(value, name)
            elif isinstance(value, Choice):
                pen.choose(value, name)
            else:
                value(pen)


def _part(text: str) -> tuple[str, str | Choice | None]:
    """Return the rule and the content of a part of a phrase; a slot's content is not known yet."""
    if text.startswith("["):
        return "wording", choice(*text[1:-1].split("|"))
    return (text[1:-1], None) if text.startswith("{") else ("wording", text)

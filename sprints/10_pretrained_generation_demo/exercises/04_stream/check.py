"""Checks of `pieces`: beside Python's incremental decoder, and the usual mistakes by name."""

import codecs
from typing import Any

from shared.lab.checking import expect

HALF = "\N{REPLACEMENT CHARACTER}"


def whole(tokens: list[bytes]) -> str:
    return b"".join(tokens).decode("utf-8", errors="replace")


def compare(learner: Any, tokens: list[bytes]) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    expected = [decoder.decode(token, index == len(tokens) - 1) for index, token in enumerate(tokens)]
    so_far = [whole(tokens[: count + 1]) for count in range(len(tokens))]
    held = [text.rstrip(HALF) for text in so_far]
    lengths = [0, *map(len, so_far)]
    expect(
        learner.pieces,
        {"tokens": tokens},
        expected,
        {
            "Each token is decoded alone: half a character stays broken for ever. Decode all tokens so far.": [
                whole([token]) for token in tokens
            ],
            "Broken tokens are left out, and their characters never appear.": [
                token.decode("utf-8", errors="ignore") for token in tokens
            ],
            "Half a character is shown: hold it back until the next token.": [
                text[start:] for text, start in zip(so_far, lengths, strict=False)
            ],
            "The whole text comes again with each token; show only what is new.": [*held[:-1], so_far[-1]],
            "What was held back is not shown at the end of the text.": [
                text[len(before) :] for text, before in zip(held, ["", *held], strict=False)
            ],
        },
    )


def check_whole_characters(learner: Any) -> None:
    """Every token is whole."""
    compare(learner, [b"Smoky", b" Soup"])


def check_an_accent(learner: Any) -> None:
    """The two bytes of an e with an accent come apart."""
    compare(learner, [b"Cr", b"\xc3", b"\xa8", b"me"])


def check_an_emoji(learner: Any) -> None:
    """Four bytes in three tokens, and a letter in the last of them."""
    compare(learner, [b"a ", b"\xf0\x9f", b"\xa5", b"\x90b", b"!"])


def check_it_ends_broken(learner: Any) -> None:
    """The text ends with half a character."""
    compare(learner, [b"Cr", b"\xc3"])

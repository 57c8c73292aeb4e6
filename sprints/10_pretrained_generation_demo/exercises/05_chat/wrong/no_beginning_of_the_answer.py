"""The answer is not begun."""

import re

START, END = 1, 2  # the ids of the control tokens <|im_start|> and <|im_end|>


def tokenize(text: str, *, control: bool = False) -> list[int]:
    """Return the tokens of a text, one for each character; with `control` the two control tokens are recognised."""
    parts = re.split(r"(<\|im_start\|>|<\|im_end\|>)", text) if control else [text]
    ids = {"<|im_start|>": [START], "<|im_end|>": [END]}
    return [token for part in parts for token in (ids.get(part) if control else None) or map(ord, part)]


def encode_chat(messages: list[tuple[str, str]]) -> list[int]:
    tokens: list[int] = []
    for role, content in messages:
        tokens += [START, *tokenize(f"{role}\n{content}"), END, *tokenize("\n")]
    return tokens

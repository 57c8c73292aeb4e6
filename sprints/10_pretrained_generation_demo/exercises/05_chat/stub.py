"""A conversation as tokens.

Fill in `encode_chat`. Then look how far you are, as often as you like:

    uv run sprints check 10.5
    uv run sprints hint 10.5

Here a token is a character (its number in Unicode), so that you can read the tokens. Theory: note 7 of this sprint.
"""

import re

START, END = 1, 2  # the ids of the control tokens <|im_start|> and <|im_end|>


def tokenize(text: str, *, control: bool = False) -> list[int]:
    """Return the tokens of a text, one for each character; with `control` the two control tokens are recognised."""
    parts = re.split(r"(<\|im_start\|>|<\|im_end\|>)", text) if control else [text]
    ids = {"<|im_start|>": [START], "<|im_end|>": [END]}
    return [token for part in parts for token in (ids.get(part) if control else None) or map(ord, part)]


def encode_chat(messages: list[tuple[str, str]]) -> list[int]:
    """Return a conversation as tokens, up to where the answer begins.

    Each message is <|im_start|>, its role, a line break, its content, <|im_end|>, a line break. At the end stands the
    beginning of a message of the role "assistant". Whatever a message contains, it cannot begin or end a turn.

    Args:
        messages: pairs of a role and a content.
    """
    raise NotImplementedError

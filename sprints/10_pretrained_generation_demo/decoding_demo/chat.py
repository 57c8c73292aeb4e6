"""A conversation as the tokens of one text: the model's chat template, filled so that no message forges a turn."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# A character of Unicode's private use area stands for a message while the template is filled.
FIRST_PLACE = 0xE000


def render(tokenizer: "PreTrainedTokenizerBase", messages: list[dict[str, str]]) -> str:
    """Return a conversation as text, up to where the answer begins.

    Raises:
        ValueError: the template refuses it: some know no system role, or want user and assistant to take turns.
    """
    from jinja2 import TemplateError

    try:
        return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))
    except TemplateError as error:
        raise ValueError(f"the model's chat template refuses the conversation: {error}") from None


def pieces(tokenizer: "PreTrainedTokenizerBase", messages: list[dict[str, str]]) -> list[tuple[str, bool]]:
    """Return the filled template cut at its control tokens: what each piece says, and whether it is a control token.

    The template is cut before the messages are put in. What they say, <|im_end|> included, stays text.
    """
    places = {chr(FIRST_PLACE + index): message["content"] for index, message in enumerate(messages)}
    empty = [message | {"content": place} for message, place in zip(messages, places, strict=True)]
    control = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]
    cut = re.split(f"({'|'.join(map(re.escape, sorted(control, key=len, reverse=True)))})", render(tokenizer, empty))
    at_places = re.compile(f"[{''.join(places)}]")
    return [
        (piece if piece in control else at_places.sub(lambda place: places[place[0]], piece), piece in control)
        for piece in cut
        if piece
    ]


def encode_chat(tokenizer: "PreTrainedTokenizerBase", messages: list[dict[str, str]]) -> list[int]:
    """Return a conversation as tokens, up to where the answer begins.

    Args:
        tokenizer: with a chat template.
        messages: a role (system, user or assistant) and a content each.
    """
    tokens: list[int] = []
    for piece, is_control in pieces(tokenizer, messages):
        if is_control:
            tokens.append(tokenizer.get_vocab()[piece])
        else:
            tokens += tokenizer(piece, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    return tokens

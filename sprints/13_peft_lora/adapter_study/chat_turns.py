"""A chat as the tokens of one text, and which of them are the answers: those that a loss on answers alone scores.

Theory: notes/09_instruction_tuning.md
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from shared.text.batches import pad_rows

if TYPE_CHECKING:  # transformers takes seconds to import
    from transformers import PreTrainedTokenizerBase

Scored = Literal["answers", "whole text", "answers without end"]
Messages = Sequence[dict[str, str]]
# The shipped model's tokenizer has one control token, <|endoftext|>: it ends a turn, as it ended a recipe.
KITCHEN_TEMPLATE = (
    "{% for message in messages %}{% if message.role == 'user' %}{{ 'Q: ' + message.content + '\nA:' }}"
    "{% else %}{{ ' ' + message.content + eos_token }}{% endif %}{% endfor %}"
)


class Chat(NamedTuple):
    """The tokens of a chat, and for each whether it belongs to an answer; the token that ends a turn belongs to it."""

    tokens: list[int]
    in_answer: list[bool]


def give_template(tokenizer: "PreTrainedTokenizerBase") -> None:
    """Give a tokenizer that has no chat template that of the kitchen."""
    if tokenizer.chat_template is None:
        tokenizer.chat_template = KITCHEN_TEMPLATE


def render(tokenizer: "PreTrainedTokenizerBase", messages: Messages) -> str:
    """Return a chat as text; after a question up to where its answer begins."""
    asked = messages[-1]["role"] != "assistant"
    return str(tokenizer.apply_chat_template(list(messages), tokenize=False, add_generation_prompt=asked))


def encode_chat(tokenizer: "PreTrainedTokenizerBase", messages: Messages) -> Chat:
    """Return the tokens of a chat and which of them are answers.

    Raises:
        ValueError: the template changes what was said before, or ends an answer without the tokenizer's end token.
    """
    chat, text = Chat([], []), ""
    for number, message in enumerate(messages):
        so_far = render(tokenizer, messages[: number + 1])
        if not so_far.startswith(text):
            raise ValueError("the chat template rewrites earlier turns when a new one comes: this loss cannot use it")
        tokens = tokenizer(so_far[len(text) :], add_special_tokens=False)["input_ids"]
        text, scored = so_far, 0
        if message["role"] == "assistant":
            if tokenizer.eos_token_id not in tokens:
                raise ValueError(f"the chat template ends an answer without {tokenizer.eos_token}: it would never stop")
            scored = tokens.index(tokenizer.eos_token_id) + 1  # what a template writes after it, nobody generates
        chat.tokens.extend(tokens)
        chat.in_answer.extend(place < scored for place in range(len(tokens)))
    return chat


def scored_tokens(chat: Chat, what: Scored) -> list[bool]:
    """Return which tokens of a chat the loss is taken on."""
    if what == "whole text":
        return [True] * len(chat.tokens)
    if what == "answers":
        return chat.in_answer
    following = [*chat.in_answer[1:], False]  # the last token of an answer is the one that ends its turn
    return [inside and after for inside, after in zip(chat.in_answer, following, strict=True)]


def chat_batch(
    chats: Sequence[Chat], what: Scored = "answers", device: torch.device | None = None
) -> tuple[Int[Tensor, "chats tokens"], Bool[Tensor, "chats tokens"]]:
    """Return chats as a batch, padded on the right, and a mask that is True where the loss is taken.

    `shared/training/losses.py::token_losses` scores the targets that the mask names; the model reads all.
    """
    tokens = pad_rows([chat.tokens for chat in chats]).tokens
    mask = torch.zeros_like(tokens, dtype=torch.bool)
    for row, chat in enumerate(chats):
        mask[row, : len(chat.tokens)] = torch.tensor(scored_tokens(chat, what))
    return tokens.to(device), mask.to(device)

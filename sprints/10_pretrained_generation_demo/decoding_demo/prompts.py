"""What a text begins with, as tokens, and whether there is room for it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MOST_CHARACTERS = 2000


def encode(tokenizer: "PreTrainedTokenizerBase", prompt: str) -> list[int]:
    """Return the token ids of a prompt behind the token that starts a text.

    The characters of a control token are characters: no prompt can end a text from inside.
    """
    ids = tokenizer(prompt, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    start = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
    return [start, *ids]


def check_fits(prompt: int, new: int, context: int) -> None:
    """Refuse more tokens than a model can look at.

    Raises:
        ValueError: prompt and new tokens exceed the context.
    """
    if prompt + new > context:
        raise ValueError(
            f"the model's context holds {context:,} tokens; the prompt has {prompt:,} and {new:,} new ones are asked "
            "for: shorten the prompt or lower max new tokens"
        )

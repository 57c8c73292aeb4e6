"""What a text begins with, as tokens, and whether there is room for it."""

from typing import TYPE_CHECKING

from shared.text.tokenizers import END_OF_TEXT

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

MOST_CHARACTERS = 2000
EXAMPLES = ["Smoky Soup with", "Zesty Salad with Mango and Feta\nServes 4", "Herby"]  # beginnings of recipes
QUESTIONS = ["Why do onions make me cry?", "What is the capital of France?", "Write a limerick about a cook."]


def text_start(tokenizer: "PreTrainedTokenizerBase") -> int:
    """Return the token that stood before every text in pre-training.

    A chat model's own "beginning" token may begin a message instead: SmolLM2's is <|im_start|>.
    """
    if END_OF_TEXT in (vocabulary := tokenizer.get_vocab()):
        return vocabulary[END_OF_TEXT]
    return tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id


def encode_text(tokenizer: "PreTrainedTokenizerBase", prompt: str) -> list[int]:
    """Return the token ids of the beginning of a text, behind the token that starts one.

    The characters of a control token are characters: no prompt can end a text from inside.
    """
    ids = tokenizer(prompt, add_special_tokens=False, split_special_tokens=True)["input_ids"]
    return [text_start(tokenizer), *ids]


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

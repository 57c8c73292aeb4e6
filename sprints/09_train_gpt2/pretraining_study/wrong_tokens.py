"""The token by which a text leaves the grammar.

Theory: notes/12_the_shipped_model.md
"""

from collections.abc import Sequence

from shared.text.cookbook import Cookbook
from shared.text.tokenizers import Tokenizer


def first_wrong_token(tokens: Sequence[int], tokenizer: Tokenizer, cookbook: Cookbook) -> int | None:
    """Return the place of the first token after which no valid recipe is possible; None for a valid recipe.

    A recipe that ends too early is wrong at the place behind its last token, where it should have gone on.

    Args:
        tokens: of a text, without end tokens.
        tokenizer: made them.
        cookbook: has the grammar.
    """
    fault = cookbook.fault(tokenizer.decode(tokens))
    if fault is None:
        return None
    text = ""
    for place, token in enumerate(tokens):
        text += tokenizer.decode([token])
        written = text[fault.position :]
        if written and not any(expected.startswith(written) for expected in fault.expected):
            return place
    return len(tokens)

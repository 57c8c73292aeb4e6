"""A chat as tokens, and which of them the loss scores.

Fill in the function. Then look how far you are:

    uv run sprints check 13.5
    uv run sprints hint 13.5

Why the answers alone, and why with their end: note 9 of this sprint.
"""


def write_chat(turns: list[tuple[str, list[int]]], marks: dict[str, int], end: int) -> tuple[list[int], list[bool]]:
    """Return the tokens of a chat, and for each whether the loss scores it.

    A turn is written as the mark of its speaker, what is said, and the end token. Scored is what the model has to write
    by itself once it is its turn: what the assistant says, and the end of its turn. The mark of the assistant is put
    there by whoever asks.

    Args:
        turns: speaker ("user" or "assistant") and tokens of what is said, in order.
        marks: the token that stands before what a speaker says.
        end: the token that ends every turn.

    Returns:
        the tokens, and a list of equal length that is True where the loss is taken

    Example: turns [("user", [7, 8]), ("assistant", [9])] with marks {"user": 1, "assistant": 2} and end 0 are
    [1, 7, 8, 0, 2, 9, 0], and the 9 and the last 0 are scored.
    """
    raise NotImplementedError

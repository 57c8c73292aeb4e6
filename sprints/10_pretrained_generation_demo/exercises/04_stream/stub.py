"""Showing text while it arrives.

Fill in `pieces`. Then look how far you are, as often as you like:

    uv run sprints check 10.4
    uv run sprints hint 10.4

The tokens are given as their bytes. Theory: note 8 of this sprint.
"""


def pieces(tokens: list[bytes]) -> list[str]:
    """Return what is shown after each token: only new text, and never a character that is not whole.

    All pieces together are the text. If it ends with half a character, the last piece shows the sign for broken text,
    as `bytes.decode("utf-8", errors="replace")` does.

    Args:
        tokens: the bytes of each token, of a text in UTF-8.

    Returns:
        A text for each token; it may be empty.
    """
    raise NotImplementedError

"""What stands word for word in a book.

Fill in `longest_runs` and `copied_share`. Then look how far you are:

    uv run sprints check 12.3
    uv run sprints hint 12.3

The measure: note 6 of this sprint. It need not be fast here.
"""


def longest_runs(book: list[str], text: str) -> list[int]:
    """Return for each character of a text how long the longest run is that ends with it and stands in the book.

    Args:
        book: scenes; a run must stand in one of them
        text: what may have been copied

    Returns:
        as many numbers as the text has characters; 0 where not even the character is in the book
    """
    raise NotImplementedError


def copied_share(runs: list[int], shortest: int) -> float:
    """Return the share of the characters that lie in runs of at least `shortest`.

    Args:
        runs: of `longest_runs`, of a text with at least one character
        shortest: characters from which a run counts as copied

    Returns:
        from 0 to 1
    """
    raise NotImplementedError

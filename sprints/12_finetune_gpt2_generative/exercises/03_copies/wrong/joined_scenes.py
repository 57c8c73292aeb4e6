"""The scenes are put together, and copies reach over their ends."""


def longest_runs(book: list[str], text: str) -> list[int]:
    whole = "".join(book)
    return [max(n for n in range(end + 1) if text[end - n : end] in whole) for end in range(1, len(text) + 1)]

"""A run that cannot go on is dropped whole."""


def longest_runs(book: list[str], text: str) -> list[int]:
    runs, length = [], 0
    for end in range(1, len(text) + 1):
        length += 1
        if not any(text[end - length : end] in scene for scene in book):
            length = 0
        runs.append(length)
    return runs

"""Try the lengths, longest first; and mark what long runs cover."""


def longest_runs(book: list[str], text: str) -> list[int]:
    """Return for each character of a text how long the longest run is that ends with it and stands in the book."""
    runs = []
    for end in range(1, len(text) + 1):
        # At most one character longer than the run that ended at the character before.
        length = (runs[-1] if runs else 0) + 1
        while length and not any(text[end - length : end] in scene for scene in book):
            length -= 1
        runs.append(length)
    return runs


def copied_share(runs: list[int], shortest: int) -> float:
    """Return the share of the characters that lie in runs of at least `shortest`."""
    covered = [False] * len(runs)
    for end, length in enumerate(runs, start=1):
        if length >= shortest:
            covered[end - length : end] = [True] * length
    return sum(covered) / len(covered)

"""A glyph is asked for if its name was trained on and its picture was not; equal pictures can only be guessed among."""

from collections import Counter


def asked_for(
    names: list[str], pictures: list[bytes], training_names: list[str], training_pictures: list[bytes]
) -> list[bool]:
    """Return for each glyph of a held-out style whether it may be asked for."""
    known, seen = {*training_names}, {*training_pictures}
    return [name in known and picture not in seen for name, picture in zip(names, pictures, strict=True)]


def best_recall(pictures: list[bytes], k: int) -> float:
    """Return the best recall@k that there can be among these pictures."""
    groups = Counter(pictures)
    return sum(min(k, size) for size in groups.values()) / len(pictures)

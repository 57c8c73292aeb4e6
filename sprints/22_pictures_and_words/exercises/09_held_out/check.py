"""Checks of `asked_for` and `best_recall`: letters that look alike in two alphabets."""

from collections import Counter
from typing import Any

from shared.lab.checking import expect

LATIN, GREEK = "latin capital letter p", "greek capital letter rho"


def mistaken(names: list[str], pictures: list[bytes], known: list[str], seen: list[bytes]) -> dict[str, list[bool]]:
    """Return what the usual mistakes return."""
    pairs = list(zip(names, pictures, strict=True))
    trained = {*zip(known, seen, strict=True)}
    return {
        "Pictures that were trained on are still there: only the names were compared.": [n in known for n in names],
        "Names that were never trained on are still there: only the pictures were compared.": (
            [picture not in seen for picture in pictures]
        ),
        "A training picture of another name counts as well: compare the picture alone, not the pair.": (
            [name in known and (name, picture) not in trained for name, picture in pairs]
        ),
        "The other way round: True is for what may be asked.": (
            [not (name in known and picture not in seen) for name, picture in pairs]
        ),
    }


def compare(learner: Any, names: list[str], pictures: list[bytes], known: list[str], seen: list[bytes]) -> None:
    given = {"names": names, "pictures": pictures, "training_names": known, "training_pictures": seen}
    right = [name in known and picture not in seen for name, picture in zip(names, pictures, strict=True)]
    expect(learner.asked_for, given, right, mistaken(names, pictures, known, seen))


def check_each_reason(learner: Any) -> None:
    """One may be asked for, one was seen, one has a name that nobody knows."""
    compare(learner, ["a", "arrow", "b"], [b"1", b"2", b"3"], ["a", "arrow"], [b"9", b"2"])


def check_a_picture_with_another_name(learner: Any) -> None:
    """The Greek letter has the picture that the Latin one had in training."""
    compare(learner, [LATIN, GREEK], [b"P1", b"P0"], [LATIN, GREEK], [b"P0", b"P9"])


def check_best_of_different_pictures(learner: Any) -> None:
    """Four different pictures: all can be found."""
    expect(learner.best_recall, {"pictures": [b"a", b"b", b"c", b"d"], "k": 1}, 1.0)


def recall_mistakes(pictures: list[bytes], k: int) -> dict[str, float]:
    groups = Counter(pictures)
    return {
        "This is the share of different pictures, which is right for k = 1 alone.": len(groups) / len(pictures),
        "A picture that has a double can be found too, with luck: with probability k / m.": (
            sum(size for size in groups.values() if size <= k) / len(pictures)
        ),
        "min(k, m) / m is the chance of one glyph; a group of m has m of them.": (
            sum(min(k, size) / size for size in groups.values()) / len(pictures)
        ),
        "This is the mean over groups; each glyph counts once, so that large groups count more.": (
            sum(min(k, size) / size for size in groups.values()) / len(groups)
        ),
        "A chance is at most 1: k may be larger than a group.": sum(k for _ in groups) / len(pictures),
    }


def check_three_that_look_alike(learner: Any) -> None:
    """The example of the note: P of three alphabets, and two letters that have no double."""
    for k in (1, 2):
        given = {"pictures": [b"P", b"P", b"P", b"R", b"S"], "k": k}
        right = {1: 3 / 5, 2: 4 / 5}[k]
        expect(learner.best_recall, given, right, recall_mistakes(**given))


def check_k_beyond_a_group(learner: Any) -> None:
    """Among ten all can be found, and no more than all."""
    given = {"pictures": [b"P", b"P", b"R"], "k": 10}
    expect(learner.best_recall, given, 1.0, recall_mistakes(**given))

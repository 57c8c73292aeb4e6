"""Checks of the measure of copying: all substrings are tried, longest first."""

from typing import Any

from shared.lab.checking import expect

BOOK = ["melt the butter", "salt the egg"]


def reference(book: list[str], text: str) -> list[int]:
    """Return the lengths by trying all."""
    return [
        max(length for length in range(end + 1) if any(text[end - length : end] in scene for scene in book))
        for end in range(1, len(text) + 1)
    ]


def begin_again(book: list[str], text: str) -> list[int]:
    """Return what comes of dropping the whole run where it cannot go on, instead of shortening it."""
    runs, length = [], 0
    for end in range(1, len(text) + 1):
        length += 1
        if not any(text[end - length : end] in scene for scene in book):
            length = 0
        runs.append(length)
    return runs


def compare(learner: Any, book: list[str], text: str) -> None:
    expected = reference(book, text)
    ahead = [
        max(n for n in range(len(text) - at + 1) if any(text[at : at + n] in scene for scene in book))
        for at in range(len(text))
    ]
    mistakes = {
        "Copies reach over the end of a scene. A run must stand in one of the scenes.": reference(
            ["".join(book)], text
        ),
        "Where a run cannot go on it begins anew. Its end may still be in the book: shorten it from the left.": (
            begin_again(book, text)
        ),
        "These are the runs that begin at each character. Wanted are those that end there.": ahead,
        "Only the first scene is searched.": reference(book[:1], text),
    }
    expect(learner.longest_runs, {"book": book, "text": text}, expected, mistakes)


def check_the_example_of_the_note(learner: Any) -> None:
    """*melt the ghee* beside the two scenes of note 6."""
    compare(learner, BOOK, "melt the ghee")


def check_a_run_is_shortened_from_the_left(learner: Any) -> None:
    """*salt the butter*: the run goes over from one scene into the other."""
    compare(learner, BOOK, "salt the butter")


def check_scenes_stay_apart(learner: Any) -> None:
    """What would be a copy only over the end of a scene is none."""
    compare(learner, BOOK, "buttersalt")


def share(learner: Any, runs: list[int], shortest: int, expected: float) -> None:
    long = [length for length in runs if length >= shortest]
    mistakes = {
        "Only the characters at which a long run ends are counted. All characters of the run are copied.": (
            len(long) / len(runs)
        ),
        "It is the longest run's share. All runs that are long enough count.": max(long, default=0) / len(runs),
        "Lengths of runs are added, so characters that several of them cover count several times.": (
            sum(long) / len(runs)
        ),
    }
    expect(learner.copied_share, {"runs": runs, "shortest": shortest}, expected, mistakes)


def check_the_share_of_the_note(learner: Any) -> None:
    """Runs of 6 or more cover 9 of 13 characters."""
    share(learner, [1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 1, 2, 1], 6, 9 / 13)


def check_two_runs(learner: Any) -> None:
    """Two runs, of 3 and of 4 characters, cover 7 of 9."""
    share(learner, [1, 2, 3, 0, 1, 2, 3, 4, 0], 3, 7 / 9)

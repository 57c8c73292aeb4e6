"""Checks of `write_chat`: what is written, and which of it is scored."""

from typing import Any

from shared.lab.checking import expect

MARKS = {"user": 1, "assistant": 2}


def check_the_tokens(learner: Any) -> None:
    """Each turn is its mark, its words and the end."""
    given = {"turns": [("user", [7, 8]), ("assistant", [9])], "marks": MARKS, "end": 0}
    expect(lambda *values: learner.write_chat(*values)[0], given, [1, 7, 8, 0, 2, 9, 0])


def check_one_answer(learner: Any) -> None:
    """Of one question and one answer the answer and its end are scored."""
    given = {"turns": [("user", [7, 8]), ("assistant", [9])], "marks": MARKS, "end": 0}
    expect(
        lambda *values: learner.write_chat(*values)[1],
        given,
        [False] * 5 + [True, True],
        {
            "The end of the answer is not scored: this model would never stop.": [False] * 5 + [True, False],
            "The assistant's mark is scored: whoever asks writes it.": [False] * 4 + [True] * 3,
            "Everything is scored, the question too.": [True] * 7,
            "The mask is shifted by one: the loss does that by itself.": [False] * 4 + [True, True, False],
            "The end of the user's turn is scored as well.": [False] * 3 + [True, False, True, True],
        },
    )


def check_every_answer_counts(learner: Any) -> None:
    """With two answers both are scored."""
    turns = [("user", [7]), ("assistant", [9, 9]), ("user", [8]), ("assistant", [6])]
    first, question, last = [False, True, True, True], [False] * 3, [False, True, True]
    expect(
        lambda *values: learner.write_chat(*values)[1],
        {"turns": turns, "marks": MARKS, "end": 0},
        [*question, *first, *question, *last],
        {"Only the last answer is scored.": [*question, *[False] * 4, *question, *last]},
    )


def check_tokens_that_look_like_the_end(learner: Any) -> None:
    """What is said may hold the end token itself: places decide, not values."""
    given = {"turns": [("user", [0, 7]), ("assistant", [0, 9])], "marks": MARKS, "end": 0}
    expect(lambda *values: learner.write_chat(*values)[1], given, [False] * 5 + [True] * 3)

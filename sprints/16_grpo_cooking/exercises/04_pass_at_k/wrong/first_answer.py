"""The first answer, without a vote."""

from collections.abc import Sequence


def majority(answers: Sequence[str | None]) -> str:
    return next((answer for answer in answers if answer is not None), "")

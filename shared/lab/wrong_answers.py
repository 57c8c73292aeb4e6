"""How a check says that something is wrong; needs no PyTorch, so that checks without it begin at once."""

import traceback
from collections.abc import Mapping


class WrongAnswer(Exception):
    """What is wrong with a learner's code; what it was given, what was expected and what came, as they are shown."""

    def __init__(
        self,
        what: str,
        given: Mapping[str, str] | None = None,
        expected: str | None = None,
        received: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.given = dict(given or {})
        self.expected = expected
        self.received = received


def own_lines(error: BaseException, file: str | None) -> str:
    """Return an error with the last lines of the learner's own file that led to it."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    lines = [f"line {frame.lineno}, in {frame.name}:  {frame.line}" for frame in frames[-3:]]
    message = str(error)
    if isinstance(error, SyntaxError):
        message = error.msg
        lines.append(f"line {error.lineno}:  {(error.text or '').strip()}")
    return "\n".join([*lines, f"{type(error).__name__}: {message}".removesuffix(": ")])

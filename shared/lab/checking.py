"""What the checks of exercises are written with: run a learner's function, and say what is wrong.

    def check_the_example_of_the_note(learner):
        expect(learner.attend, {"query": query, "key": key, "value": value}, expected=mean)

A check that fails shows the input, what was expected and what came. It can name the usual mistakes together with what
each returns; then the learner reads which one it was.
"""

import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from shared.lab.wrong_answers import WrongAnswer, own_lines


def expect(
    function: Callable[..., Any],
    given: Mapping[str, Any],
    expected: Any,
    mistakes: Mapping[str, Any] | None = None,
    tolerance: float = 1e-4,
) -> None:
    """Call a learner's function and compare what it returns with what it must return.

    Args:
        function: the learner's.
        given: its arguments, in order, by the names that the exercise gives them.
        expected: a tensor, or another value that is compared by ==.
        mistakes: what the usual mistakes return, by the sentence that explains each.
        tolerance: how far a number may be from the expected one.

    Raises:
        WrongAnswer: it returns something else, ends with an error, or changes its arguments.
    """
    before = {name: value.clone() if isinstance(value, Tensor) else value for name, value in given.items()}
    shown = {name: show(value) for name, value in before.items()}
    try:
        received = function(*given.values())
    except Exception as error:
        what = "It ends with an error."
        if isinstance(error, NotImplementedError):
            what = "It is not written yet."
        raise WrongAnswer(what, shown, show(expected), own_lines(error, _learners_file(function, error))) from None

    def fail(what: str) -> NoReturn:
        raise WrongAnswer(what, shown, show(expected), show(received))

    for name, value in given.items():
        if isinstance(value, Tensor) and not _alike(value, before[name], 0.0):
            what = f"It changes its argument `{name}`, here before and after: use operations that return a new tensor."
            raise WrongAnswer(what, shown, shown[name], show(value))
    if received is None:
        fail("It returns nothing: is a `return` missing?")
    if not isinstance(expected, Tensor):
        if isinstance(received, Tensor):
            fail(f"It must return no tensor but a value of type {type(expected).__name__}.")
        for sentence, mistaken in (mistakes or {}).items():
            if received == mistaken != expected:
                fail(sentence)
        if received != expected:
            fail("It returns another value.")
        return
    if not isinstance(received, Tensor):
        fail(f"It must return a tensor; it returns a {type(received).__name__}.")
    for sentence, mistaken in (mistakes or {}).items():
        # Nothing but NaN comes of so many mistakes that it does not tell which it was.
        telling = not (mistaken.isnan().all() or _alike(mistaken, expected, tolerance))
        if telling and _alike(received, mistaken, tolerance):
            fail(sentence)
    if received.shape != expected.shape:
        fail(f"Its shape must be {tuple(expected.shape)}; it is {tuple(received.shape)}.")
    if received.dtype != expected.dtype:
        fail(f"Its numbers must be {_dtype(expected)}; they are {_dtype(received)}.")
    if received.isnan().any() and not expected.isnan().any():
        fail("Some of its numbers are NaN, not a number: 0 / 0, inf - inf, or an exponential that has overflowed.")
    if not _alike(received, expected, tolerance):
        difference = (received.detach().double() - expected.detach().double()).abs().max().item()
        fail(f"Its numbers differ, by up to {difference:.2g}.")


def show(value: Any) -> str:
    """Return a value as a learner reads it; a tensor with its shape, and whole if it is small."""
    if not isinstance(value, Tensor):
        return repr(value)
    numbers = value.detach().cpu()
    numbers = numbers.double() if numbers.is_floating_point() else numbers
    body = np.array2string(numbers.numpy(), precision=3, suppress_small=True, floatmode="maxprec", threshold=200)
    return f"{tuple(value.shape)} {_dtype(value)}\n{body}"


def _learners_file(function: Callable[..., Any], error: Exception) -> str | None:
    """Return the file of a function; of one that a check has wrapped around the learner's, the first file it calls."""
    file = getattr(getattr(function, "__code__", None), "co_filename", None)
    if file is None or Path(file).name != "check.py":
        return file
    called = (frame.filename for frame in traceback.extract_tb(error.__traceback__))
    return next((name for name in called if name not in (__file__, file)), None)


def _alike(received: Tensor, expected: Tensor, tolerance: float) -> bool:
    """Return whether two tensors have the same shape and the same numbers; NaN is the same as NaN."""
    if received.shape != expected.shape:
        return False
    left, right = received.detach().double(), expected.detach().double()
    return torch.allclose(left, right, rtol=0.0, atol=tolerance, equal_nan=True)


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")

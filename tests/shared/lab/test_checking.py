"""What checks of exercises say about a learner's function."""

import re

import pytest
import torch
from torch import Tensor

from shared.lab.checking import expect, show
from shared.lab.modules import load_module
from shared.lab.wrong_answers import WrongAnswer

X = torch.tensor([[1.0, 2.0], [3.0, 4.0]])


def fail(function: object, expected: object, **options: object) -> WrongAnswer:
    """Return what is said about a function that fails."""
    with pytest.raises(WrongAnswer) as caught:
        expect(function, {"x": X.clone()}, expected, **options)
    return caught.value


def test_what_is_right_within_the_tolerance_passes():
    expect(lambda x: x * 2, {"x": X}, X * 2)
    expect(lambda x: x * 2 + 5e-5, {"x": X}, X * 2)
    expect(lambda x: x * 2 + 5e-3, {"x": X}, X * 2, tolerance=1e-2)
    expect(lambda x: (x * 2).requires_grad_(), {"x": X}, X * 2)
    expect(lambda x: x.shape, {"x": X}, (2, 2))
    expect(lambda x: x / 0, {"x": X * 0}, X * float("nan"))


@pytest.mark.parametrize(
    ("function", "expected", "message"),
    [
        (lambda x: x * 2 + 5e-3, X * 2, "Its numbers differ, by up to 0.005."),
        (lambda x: x.flatten(), X, "Its shape must be (2, 2); it is (4,)."),
        (lambda x: x.double(), X, "Its numbers must be float32; they are float64."),
        (lambda x: x / 0 * 0, X, "Some of its numbers are NaN"),
        (lambda _: None, X, "It returns nothing: is a `return` missing?"),
        (lambda x: x.tolist(), X, "It must return a tensor; it returns a list."),
        (lambda x: x.add_(1), X, "It changes its argument `x`"),
        (lambda _: 5, 4, "It returns another value."),
        (lambda x: x, 4, "It must return no tensor but a value of type int."),
        (lambda x: x @ x[:1], X, "It ends with an error."),
    ],
)
def test_what_is_wrong_is_said_and_shown(function: object, expected: object, message: str):
    wrong = fail(function, expected)
    assert wrong.what.startswith(message)
    assert wrong.given == {"x": "(2, 2) float32\n[[1. 2.]\n [3. 4.]]"}, "as it was before the call"
    assert wrong.expected == show(expected)
    assert wrong.received not in (None, wrong.expected)


def test_an_argument_that_was_changed_is_shown_before_and_after_though_the_answer_is_right():
    wrong = fail(lambda x: x.add_(1) - 1, X)
    assert (wrong.expected, wrong.received) == (show(X), show(X + 1))


def test_a_mistake_is_called_by_its_name_unless_it_gives_what_is_right_or_tells_nothing():
    mistakes = {
        "It is the transpose.": X.mT,
        "It is right after all.": X,
        "It is a mystery.": X * float("nan"),
        "It divides by 0.": torch.tensor([[1.0, float("nan")], [1.0, 1.0]]),
    }
    assert fail(lambda x: x.mT, X, mistakes=mistakes).what == "It is the transpose."
    assert fail(lambda x: x + 1e-3, X, mistakes=mistakes).what.startswith("Its numbers differ")
    assert fail(lambda x: x * float("nan"), X, mistakes=mistakes).what.startswith("Some of its numbers are NaN")
    assert fail(lambda _: mistakes["It divides by 0."], X, mistakes=mistakes).what == "It divides by 0."
    expect(lambda x: x, {"x": X}, X, mistakes)


def divide(x: Tensor) -> Tensor:
    return x @ torch.zeros(3, 3)


def test_an_error_is_shown_with_the_learners_own_line():
    received = fail(divide, X).received or ""
    line = r"line \d+, in divide:  return x @ torch\.zeros\(3, 3\)\n"
    assert re.match(line + "RuntimeError: .*mat1 and mat2 shapes cannot be multiplied", received)
    assert "checking.py" not in received


def test_an_error_behind_a_wrapper_of_a_check_is_shown_with_the_learners_line(tmp_path):
    """Checks wrap functions that return several things; then the error is two frames further down."""
    learner, check = tmp_path / "mine.py", tmp_path / "check.py"
    learner.write_text("def double(x):\n    return x + missing\n", encoding="utf-8")
    check.write_text("def wrap(double):\n    return lambda x: double(x)[0]\n", encoding="utf-8")
    wrapped = load_module(check).wrap(load_module(learner).double)
    received = fail(wrapped, X).received
    assert received == "line 2, in double:  return x + missing\nNameError: name 'missing' is not defined"
    assert fail(load_module(check).wrap(lambda _: 1), X).received == "TypeError: 'int' object is not subscriptable"


def test_what_is_not_written_yet_is_said_so():
    def stub(x: Tensor) -> Tensor:
        raise NotImplementedError

    assert fail(stub, X).what == "It is not written yet."


def test_long_recursions_are_cut():
    def forever(x: Tensor) -> Tensor:
        return forever(x)

    assert str(fail(forever, X).received).count("\n") == 3


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (torch.tensor([[True, False]]), "(1, 2) bool\n[[ True False]]"),
        (torch.tensor([1, 10]), "(2,) int64\n[ 1 10]"),
        (torch.tensor(15.79512), "() float32\n15.795"),
        (torch.tensor([1e-9, 0.5], dtype=torch.bfloat16), "(2,) bfloat16\n[0.  0.5]"),
        (torch.tensor([float("-inf"), float("nan")]), "(2,) float32\n[-inf  nan]"),
        ("text", "'text'"),
        (3, "3"),
    ],
)
def test_values_are_shown_to_be_read(value: object, text: str):
    assert show(value) == text


def test_a_large_tensor_is_shown_in_part():
    assert len(show(torch.zeros(1000, 1000))) < 500

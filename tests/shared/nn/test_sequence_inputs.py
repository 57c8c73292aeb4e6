import pytest
import torch

from shared.nn.sequence_inputs import check_sequence


def test_what_fits_is_let_through():
    check_sequence(torch.zeros(2, 1, 3), 3, None, [(4,)], None)
    check_sequence(torch.zeros(2, 5, 3), 3, (torch.zeros(2, 4),), [(4,)], torch.ones(2, 5, dtype=torch.bool))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(2, 0, 3), 3, None, [(4,)], None), r"at least one token, of 3 features; got .*\(2, 0, 3\)"),
        ((torch.zeros(2, 5, 6), 3, None, [(4,)], None), r"of 3 features; got .*\(2, 5, 6\)"),
        ((torch.zeros(5, 3), 3, None, [(4,)], None), r"got \(batch, tokens, features\) \(5, 3\)"),
        ((torch.zeros(2, 5, 3), 3, (torch.zeros(3, 4),), [(4,)], None), r"\[\(2, 4\)\].*got \[\(3, 4\)\].*same rows"),
        ((torch.zeros(2, 5, 3), 3, (), [(4,)], None), r"the shapes \[\(2, 4\)\], the batch first; got \[\]"),
        ((torch.zeros(2, 5, 3), 3, None, [], torch.ones(2, 4, dtype=torch.bool)), r"\(2, 5\); got \(2, 4\)"),
        ((torch.zeros(2, 5, 3), 3, None, [], torch.ones(2, 5)), "must be boolean.*torch.float32"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        check_sequence(*arguments)

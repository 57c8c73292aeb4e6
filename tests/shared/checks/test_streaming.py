import pytest
import torch

from shared.checks.invariants import InvariantError
from shared.checks.streaming import check_streaming


def running_sum(x, state):
    total = (0.0 if state is None else state[:, None]) + x.cumsum(dim=1)
    return total, total[:, -1]


def test_a_running_sum_does_not_depend_on_cuts():
    x = torch.randn(2, 7, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    check_streaming(running_sum, x)
    check_streaming(running_sum, x, cuts=[[1, 2, 6]])


def test_a_forgotten_state_is_found_where_the_piece_begins():
    x = torch.ones(2, 6)
    with pytest.raises(InvariantError, match=r"begin at \[0, 4\], the output at position 4 \(piece 1\) differs by 4"):
        check_streaming(lambda x, _: running_sum(x, None), x, cuts=[[4]])


def test_only_the_second_long_piece_is_wrong():
    def read(x, state):  # as in a scan that starts at zero unless it reads a single token
        return running_sum(x, state if x.shape[1] == 1 else None)

    x = torch.ones(1, 6)
    check_streaming(read, x, cuts=[[5], range(1, 6)])
    with pytest.raises(InvariantError, match=r"begin at \[0, 2\]"):
        check_streaming(read, x, cuts=[[5], [2]])
    with pytest.raises(InvariantError):
        check_streaming(read, x)


def test_what_is_not_a_number_differs():
    def read(x, state):
        return (x if state is None else x / 0.0 * 0.0), x

    with pytest.raises(InvariantError, match="position 1"):
        check_streaming(read, torch.ones(1, 3), cuts=[[1]])


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_text_is_read_in_pieces_of_one_two_and_three(length):
    def read(x, state):  # forgets behind two pieces of this length
        before, lengths = state or (None, [])
        output, total = running_sum(x, None if lengths == [length] * 2 else before)
        return output, (total, [*lengths, x.shape[1]])

    with pytest.raises(InvariantError, match=rf"begin at \[0, {length}, {2 * length}.*at position {2 * length} "):
        check_streaming(read, torch.ones(1, 9))


def test_a_tolerance_of_zero_asks_for_the_same_bits():
    x = torch.arange(12.0).view(2, 6)
    check_streaming(running_sum, x, tolerance=0.0)
    with pytest.raises(InvariantError, match="differs by 1e-06"):
        check_streaming(lambda x, state: (x if state is None else x + 1e-6, x), 0 * x, tolerance=0.0)


@pytest.mark.parametrize("cuts", [[0], [3], [2, 2], [2, 1]])
def test_cuts_lie_inside(cuts):
    with pytest.raises(ValueError, match="rise between 1 and 2"):
        check_streaming(running_sum, torch.ones(1, 3), cuts=[cuts])

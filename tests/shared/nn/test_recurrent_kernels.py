"""What `FusedRecurrent` adds to test_recurrent.py, where both layers pass the same tests."""

import pytest
import torch
from recurrent_examples import KINDS, begin, gradients, pair

from shared.nn.recurrent import Recurrent
from shared.nn.recurrent_kernels import FusedRecurrent


@pytest.mark.parametrize("kind", KINDS)
def test_any_mask_does_what_reading_token_by_token_does(kind):
    ours, _ = pair(Recurrent, kind, bidirectional=True)
    kernel = FusedRecurrent(kind, 3, 4, 2, bidirectional=True).double()
    kernel.load_state_dict(ours.state_dict())
    x, state = torch.randn(5, 6, 3, dtype=torch.float64, requires_grad=True), begin(ours, 5)
    mask = torch.tensor([[1, 0, 1, 0, 0, 1], [0] * 6, [1] * 6, [0, 0, 0, 1, 1, 0], [1, 0, 0, 0, 0, 0]]).bool()
    slow, fast = ours(x, state, mask), kernel(x, state, mask)
    torch.testing.assert_close(fast, slow, rtol=0, atol=1e-10)
    one, other = gradients(ours, x, state, *slow), gradients(kernel, x, state, *fast)
    torch.testing.assert_close(other, one, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_the_state_of_one_is_read_by_the_other(kind):
    ours, _ = pair(Recurrent, kind)
    kernel = FusedRecurrent(kind, 3, 4, 2).double()
    kernel.load_state_dict(ours.state_dict())
    x = torch.randn(2, 7, 3, dtype=torch.float64)
    _, state = kernel(x[:, :3])
    torch.testing.assert_close(ours(x[:, 3:], state)[0], ours(x)[0][:, 3:])
    _, state = ours(x[:, :3])
    torch.testing.assert_close(kernel(x[:, 3:], state)[0], ours(x)[0][:, 3:])


def test_a_state_of_other_rows_is_refused():
    kernel = FusedRecurrent("lstm", 3, 4)
    with pytest.raises(ValueError, match="give the state of the same rows"):
        kernel(torch.zeros(2, 5, 3), (torch.zeros(1, 1, 4), torch.zeros(1, 1, 4)))

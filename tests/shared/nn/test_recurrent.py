import pytest
import torch
from recurrent_examples import KINDS, LENGTHS, begin, gradients, pair, read_by_pytorch, to_the_left

from shared.checks.streaming import check_streaming
from shared.nn.lengths import real_tokens
from shared.nn.recurrent import Recurrent, lstm_step
from shared.nn.recurrent_kernels import FusedRecurrent

BOTH = pytest.mark.parametrize("layer", [Recurrent, FusedRecurrent])
EACH_KIND = pytest.mark.parametrize("kind", KINDS)


@BOTH
@EACH_KIND
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_equals_pytorch_in_outputs_and_all_gradients(layer, kind, bidirectional, dtype, tolerance):
    ours, theirs = pair(layer, kind, bidirectional=bidirectional, dtype=dtype)
    x = torch.randn(4, 5, 3, dtype=dtype, requires_grad=True)
    state = begin(ours, 4, dtype)
    mine, its = ours(x, state), read_by_pytorch(theirs, x, state)
    torch.testing.assert_close(mine, its, rtol=0, atol=tolerance)
    left, right = gradients(ours, x, state, *mine), gradients(theirs, x, state, *its)
    for one, other in zip(left, right, strict=True):
        torch.testing.assert_close(one, other, rtol=tolerance, atol=tolerance)


@BOTH
@EACH_KIND
@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_on_the_right_equals_packed_rows(layer, kind, bidirectional):
    ours, theirs = pair(layer, kind, bidirectional=bidirectional)
    x, state = torch.randn(4, 6, 3, dtype=torch.float64, requires_grad=True), begin(ours, 4)
    mine, its = ours(x, state, real_tokens(LENGTHS, 6)), read_by_pytorch(theirs, x, state, LENGTHS)
    torch.testing.assert_close(mine, its, rtol=0, atol=1e-10)
    left, right = gradients(ours, x, state, *mine), gradients(theirs, x, state, *its)
    for one, other in zip(left, right, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-10)


@BOTH
@EACH_KIND
@pytest.mark.parametrize("bidirectional", [False, True])
def test_padding_on_the_left_is_padding_on_the_right(layer, kind, bidirectional):
    ours, _ = pair(layer, kind, bidirectional=bidirectional)
    x, state = torch.randn(4, 6, 3, dtype=torch.float64), begin(ours, 4)
    right, left = real_tokens(LENGTHS, 6), real_tokens(LENGTHS, 6, left=True)
    of_right, end = ours(x, state, right)
    of_left, same_end = ours(to_the_left(x), state, left)
    torch.testing.assert_close(of_left[left], of_right[right])
    torch.testing.assert_close(same_end, end)
    assert of_left[~left].eq(0).all()


@BOTH
@EACH_KIND
def test_a_row_of_padding_keeps_its_state_and_says_nothing(layer, kind):
    ours, _ = pair(layer, kind)
    state = begin(ours, 2)
    output, end = ours(
        torch.full((2, 3, 3), torch.e, dtype=torch.float64), state, torch.tensor([[True] * 3, [False] * 3])
    )
    assert output[1].eq(0).all()
    for before, after in zip(state, end, strict=True):
        assert after[1].equal(before[1])
        assert after[0].ne(before[0]).all()


@BOTH
@EACH_KIND
def test_is_the_same_in_pieces_and_never_looks_ahead(layer, kind):
    ours, _ = pair(layer, kind)
    x = torch.randn(2, 7, 3, dtype=torch.float64)
    check_streaming(ours, x, tolerance=1e-10)
    changed = x.clone()
    changed[:, 4:] += 1
    before, after = ours(x)[0], ours(changed)[0]
    assert before[:, :4].equal(after[:, :4])
    assert before[:, 4:].ne(after[:, 4:]).all()


def test_a_gate_that_is_open_or_shut():
    # Biases of 50 and -50: a cell that forgets nothing and takes in nothing keeps what it has.
    bias = torch.tensor([-50.0, 50.0, 0.0, 50.0])
    hidden, cell = lstm_step(torch.zeros(1, 4), (torch.zeros(1, 1), torch.tensor([[0.7]])), torch.zeros(4, 1), bias)
    assert cell.item() == pytest.approx(0.7)
    assert hidden.item() == pytest.approx(torch.tensor(0.7).tanh().item())


def test_the_forget_bias_is_put_in_once():
    network = Recurrent("lstm", 2, 3, layers=2, bidirectional=True)
    network.set_forget_bias(1.0)
    for layer in range(2):
        for direction in range(2):
            _, _, first, second = network.weights(layer, direction)
            assert (first + second)[3:6].tolist() == [1.0] * 3
            assert (first + second)[[0, 8, 11]].ne(1.0).all()
    with pytest.raises(ValueError, match="only an lstm"):
        Recurrent("gru", 2, 3).set_forget_bias(1.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((torch.zeros(2, 0, 3),), "at least one token"),
        ((torch.zeros(2, 4, 5),), "of 3 features"),
        ((torch.zeros(2, 4, 3), (torch.zeros(3, 1, 4),)), r"\[\(2, 1, 4\)\].*got \[\(3, 1, 4\)\].*the same rows"),
        (
            (torch.zeros(2, 4, 3), (torch.zeros(2, 1, 4),) * 2),
            r"must have the shapes \[\(2, 1, 4\)\], the batch first; got \[\(2, 1, 4\), \(2",
        ),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    for layer in (Recurrent, FusedRecurrent):
        with pytest.raises(ValueError, match=message):
            layer("gru", 3, 4)(*arguments)


def test_the_weights_of_a_layer_by_direction():
    network = Recurrent("gru", 2, 3, bidirectional=True)
    assert network.weights(0)[1] is network.get_parameter("weight_hh_l0")
    assert network.weights(0, 1)[3] is network.get_parameter("bias_hh_l0_reverse")


def test_a_mask_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="must be boolean, of shape"):
        Recurrent("gru", 3, 4).start(torch.zeros(2, 4, 3), mask=torch.ones(2, 5, dtype=torch.bool))


def test_sizes_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match="at least 1; got 3, 0 and 1"):
        Recurrent("rnn", 3, 0)

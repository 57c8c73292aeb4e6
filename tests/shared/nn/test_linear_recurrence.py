import pytest
import torch
from sequence_layer_examples import check_layer, check_ways

from shared.nn.linear_recurrence import GatedRecurrence, MinGRU, check_steps, in_chunks, join_steps, recur, scan

WAYS = ["tokens", "scan", "chunks"]
LAYERS = {
    "minGRU": lambda way: MinGRU(6, way),
    "decays from 0": lambda way: GatedRecurrence(6, 5, 0.0, way),
    "decays from -1": lambda way: GatedRecurrence(6, 5, -1.0, way),
}
EACH = pytest.mark.parametrize("name", LAYERS)


def build(name, way="scan"):
    torch.manual_seed(0)
    return LAYERS[name](way).double()


def test_by_hand():
    decay, inputs = torch.tensor([[[0.5], [2.0], [0.0], [-1.0]]]), torch.tensor([[[8.0], [1.0], [3.0], [1.0]]])
    for way in (recur, scan, in_chunks):
        states, last = way(decay, inputs, torch.tensor([[4.0]]))
        assert states.flatten().tolist() == [10.0, 21.0, 3.0, -2.0]
        assert last.item() == -2.0
    products, ends = join_steps(decay, inputs)
    assert products.flatten().tolist() == [0.5, 1.0, 0.0, 0.0]
    assert ends.flatten().tolist() == [8.0, 17.0, 3.0, -2.0]


@pytest.mark.parametrize("tokens", [1, 2, 3, 8, 13])
@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128])
@pytest.mark.parametrize("shape", [(4,), (1,), (2, 3), (1, 1)])
def test_all_three_are_the_same_and_so_are_their_gradients(tokens, dtype, shape):
    torch.manual_seed(tokens)
    features = (4,) if len(shape) == 1 else (2, 3)
    decay = torch.randn(2, tokens, *shape, dtype=dtype, requires_grad=True)
    inputs = torch.randn(2, tokens, *features, dtype=dtype, requires_grad=True)
    state = torch.randn(2, *features, dtype=dtype, requires_grad=True)

    def everything(way, *arguments):
        states, last = way(decay, inputs, state, *arguments)
        loss = states.abs().pow(2).sum() + last.abs().pow(3).sum()
        return [states, last, *torch.autograd.grad(loss, [decay, inputs, state])]

    expected = everything(recur)
    for others in (everything(scan), *(everything(in_chunks, chunk) for chunk in (1, 3, 4, 32))):
        for one, other in zip(others, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def test_without_a_state_it_begins_at_zero():
    decay, inputs = torch.rand(2, 5, 3), torch.randn(2, 5, 3)
    for way in (recur, scan, in_chunks):
        torch.testing.assert_close(way(decay, inputs)[0], way(decay, inputs, torch.zeros(2, 3))[0])


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((2, 0, 3), (2, 0, 3)), "at least one token"),
        (((2, 5, 3), (2, 4, 3)), r"got \(2, 5, 3\) and \(2, 4, 3\)"),
        (((2, 4, 2), (2, 4, 3)), r"got \(2, 4, 2\) and \(2, 4, 3\)"),
        (((2, 4, 3), (2, 4, 3), (3, 3)), r"\(batch, features\) = \(2, 3\); got \(3, 3\).*same rows"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(shapes, message):
    steps = [torch.zeros(shape) for shape in shapes]
    with pytest.raises(ValueError, match=message):
        check_steps(steps[0], steps[1], steps[2] if len(steps) == 3 else None)


def test_no_way_reads_a_text_without_tokens():
    for way in (recur, scan, in_chunks):
        with pytest.raises(ValueError, match="at least one token"):
            way(torch.zeros(2, 0, 3), torch.zeros(2, 0, 3))


def test_a_chunk_without_tokens_is_refused():
    with pytest.raises(ValueError, match="at least 1 token; got 0"):
        in_chunks(torch.ones(1, 2, 1), torch.ones(1, 2, 1), None, 0)


@EACH
def test_the_layers_are_the_same_in_pieces_and_take_no_notice_of_padding(name):
    for way in WAYS:
        check_layer(build(name, way), 6)


@EACH
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_the_layers_have_the_same_gradients_by_each_way(name, dtype, tolerance):
    check_ways(lambda way: build(name, way), WAYS, 6, dtype, tolerance)


def test_min_gru_is_its_formula():
    layer = build("minGRU")
    x = torch.randn(1, 3, 6, dtype=torch.float64)
    output, (last,) = layer(x)
    hidden = torch.zeros(6, dtype=torch.float64)
    for token in x[0]:
        gate = layer.gate(token).sigmoid()
        hidden = (1 - gate) * hidden + gate * layer.candidate(token)
    torch.testing.assert_close(output[0, -1], hidden)
    torch.testing.assert_close(last[0], hidden)


@pytest.mark.parametrize("lowest", [0.0, -1.0, 0.25])
def test_decays_reach_both_ends_of_their_range(lowest):
    layer = GatedRecurrence(1, 1, lowest)
    with torch.no_grad():
        layer.decay.weight.fill_(1.0)
        layer.decay.bias.zero_()
        layer.input.weight.zero_()
    for logit, decay in ((-200.0, lowest), (0.0, (1 + lowest) / 2), (200.0, 1.0)):
        with torch.no_grad():
            layer.input.bias.zero_()
        _, (state,) = layer(torch.full((1, 1, 1), logit), (torch.ones(1, 1),))
        assert state.item() == pytest.approx(decay)


def test_decays_begin_short_and_long():
    begin = GatedRecurrence(64).decay.bias.sigmoid()
    assert 0.5 <= begin.min() < 0.6
    assert 0.95 < begin.max() < 0.983


def test_sizes_that_do_not_exist_are_refused():
    for sizes in ((0, 3, 0.0), (3, 0, 0.0), (3, 3, 1.0), (3, 3, -1.5)):
        with pytest.raises(ValueError, match="lowest from -1 to below 1; got"):
            GatedRecurrence(*sizes)
    with pytest.raises(ValueError, match="at least 1; got 0"):
        MinGRU(0)

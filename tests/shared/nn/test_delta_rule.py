import pytest
import torch
from sequence_layer_examples import check_layer, check_ways
from torch.nn import functional
from transformers.models.qwen3_next import modeling_qwen3_next as library

from shared.nn.delta_rule import GatedDelta, delta_by_scan, delta_by_tokens, delta_in_chunks

WAYS = ["tokens", "scan", "chunks"]


def draw(tokens, head_dim=4, features=3, dtype=torch.float64):
    """Return query, key of length 1, value, log_decay, beta and a state, with gradients."""
    torch.manual_seed(tokens)
    shapes = [(2, 2, tokens, head_dim)] * 2 + [(2, 2, tokens, features)]
    query, key, value = (torch.randn(shape, dtype=dtype) for shape in shapes)
    log_decay = -torch.rand(2, 2, tokens, dtype=dtype)
    beta = torch.rand(2, 2, tokens, dtype=dtype)
    state = torch.randn(2, 2, head_dim, features, dtype=dtype)
    given = [query, functional.normalize(key, dim=-1), value, log_decay, beta, state]
    return [tensor.requires_grad_() for tensor in given]


def everything(way, given, **options):
    output, last = way(*given, **options)
    loss = output.pow(3).mean() + last.pow(2).mean()
    return [output, last, *torch.autograd.grad(loss, given)]


@pytest.mark.parametrize("tokens", [1, 2, 5, 11])
def test_all_three_are_the_same_and_so_are_their_gradients(tokens):
    given = draw(tokens)
    expected = everything(delta_by_tokens, given)
    chunks = [everything(delta_in_chunks, given, chunk=chunk) for chunk in (1, 3, 4, 64)]
    for others in (everything(delta_by_scan, given), *chunks):
        for one, other in zip(others, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)


def by_the_library(function, given, **options):
    """Return what transformers makes of it: the tokens before the heads, and a scale that we leave to the layer."""
    query, key, value, log_decay, beta, state = given
    rows = [tensor.transpose(1, 2) for tensor in (query * query.shape[-1] ** 0.5, key, value, log_decay, beta)]
    output, last = function(*rows, initial_state=state, output_final_state=True, **options)
    return output.transpose(1, 2), last


@pytest.mark.parametrize("tokens", [1, 5, 70])
@pytest.mark.parametrize("ours", [delta_by_tokens, delta_in_chunks])
def test_equals_both_functions_of_transformers_in_outputs_and_all_gradients(tokens, ours):
    given = draw(tokens, dtype=torch.float32)
    mine = everything(ours, given)
    for function in (library.torch_recurrent_gated_delta_rule, library.torch_chunk_gated_delta_rule):
        theirs = everything(lambda *arguments, function=function: by_the_library(function, arguments), given)
        for one, other in zip(mine, theirs, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


def test_a_key_that_comes_again_is_replaced_and_not_added_to():
    key = torch.tensor([[1.0, 0], [0, 1], [1, 0]])[None, None]
    value, query = torch.tensor([[5.0], [7], [2]])[None, None], torch.tensor([[1.0, 1], [1, 1], [1, 1]])[None, None]
    never, whole = torch.zeros(1, 1, 3), torch.ones(1, 1, 3)
    for way in (delta_by_tokens, delta_by_scan, delta_in_chunks):
        output, last = way(query, key, value, never, whole)
        assert output.flatten().tolist() == [5.0, 12.0, 9.0]
        assert last.flatten().tolist() == [2.0, 7.0]


@pytest.mark.parametrize("beta_max", [1.0, 2.0])
def test_the_layer_is_the_same_in_pieces_and_takes_no_notice_of_padding(beta_max):
    torch.manual_seed(0)
    for way in WAYS:
        check_layer(GatedDelta(6, 2, beta_max, way).double(), 6)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5)])
def test_the_layer_has_the_same_gradients_by_each_way(dtype, tolerance):
    torch.manual_seed(0)
    check_ways(lambda way: GatedDelta(6, 2, way=way), WAYS, 6, dtype, tolerance)


def test_a_beta_of_two_turns_the_state_around():
    layer = GatedDelta(2, 1, beta_max=2.0)
    with torch.no_grad():
        layer.gates.weight.zero_()
        layer.gates.bias.fill_(50.0)  # beta is 2, and nothing fades
        layer.qkv.weight.zero_()
        layer.qkv.weight[2:4] = torch.eye(2)  # the key is the token, the value 0
    state = torch.tensor([[[[3.0, 4.0], [5.0, 6.0]]]])
    _, (turned,) = layer(torch.tensor([[[1.0, 0.0]]]), (state,))
    torch.testing.assert_close(turned, torch.tensor([[[[-3.0, -4.0], [5.0, 6.0]]]]))


def test_it_begins_by_writing_half_and_forgetting_little():
    begin = GatedDelta(64, 32).gates.bias.sigmoid()
    assert begin[:32].eq(0.5).all()
    assert 0.88 < begin[32:].min() < 0.95
    assert 0.99 < begin[32:].max() < 0.9991


def test_sizes_that_do_not_exist_are_refused():
    for sizes in ((6, 4), (0, 1), (6, 2, 2.5), (6, 2, 0.0)):
        with pytest.raises(ValueError, match="multiple of heads, and beta_max above 0, at most 2; got"):
            GatedDelta(*sizes)
    with pytest.raises(ValueError, match="the shapes"):
        GatedDelta(6, 2)(torch.zeros(2, 3, 6), (torch.zeros(1, 2, 3, 3),))

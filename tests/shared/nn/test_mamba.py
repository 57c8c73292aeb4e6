import pytest
import torch
from sequence_layer_examples import (
    check_layer,
    check_logits_and_gradients,
    check_padding,
    check_ways,
    no_zeros_and_no_ones,
    token_ids,
)
from torch.nn import functional
from transformers import GPT2Config, GPT2LMHeadModel, MambaConfig, MambaForCausalLM

from shared.checks.invariants import check_causality
from shared.checks.streaming import check_streaming
from shared.nn.mamba import (
    NAMES,
    Mamba,
    draw_time_steps,
    inverse_softplus,
    mamba_from_transformers,
    mamba_model,
    selective_scan,
)

WAYS = ["tokens", "scan", "chunks"]


def build_theirs(**changes):
    torch.manual_seed(0)
    options = {"vocab_size": 13, "hidden_size": 8, "state_size": 4, "num_hidden_layers": 2, "time_step_rank": 3}
    return no_zeros_and_no_ones(MambaForCausalLM(MambaConfig(**options | changes)))


@pytest.mark.parametrize("way", WAYS)
def test_equals_transformers_in_logits_and_every_gradient(way):
    theirs = build_theirs()
    check_logits_and_gradients(mamba_from_transformers(theirs, way), theirs, NAMES)


def test_padding_on_the_left_and_on_the_right_as_in_transformers():
    theirs = build_theirs()
    check_padding(mamba_from_transformers(theirs), theirs)


def test_the_ways_agree_in_double_precision():
    torch.manual_seed(1)
    x, step = torch.randn(2, 40, 6).double(), torch.rand(2, 40, 6).double()
    write, read, rate = torch.randn(2, 40, 4).double(), torch.randn(2, 40, 4).double(), -torch.rand(6, 4).double()
    state = torch.randn(2, 6, 4).double()
    mask = torch.rand(2, 40) > 0.3
    results = [selective_scan(x, step, rate, write, read, state, mask, way) for way in WAYS]
    for output, last in results[1:]:
        torch.testing.assert_close(output, results[0][0], atol=1e-10, rtol=0)
        torch.testing.assert_close(last, results[0][1], atol=1e-10, rtol=0)


def test_one_step_by_hand():
    one = torch.ones(1, 1, 1, dtype=torch.float64)
    rate = -torch.log(torch.tensor([[2.0]], dtype=torch.float64))  # a step of 1 halves the state
    output, state = selective_scan(3 * one, one, rate, 2 * one, 5 * one, state=4 * one, way="tokens")
    assert state.item() == pytest.approx(0.5 * 4 + 3 * 2)
    assert output.item() == pytest.approx(8 * 5)


@pytest.mark.parametrize("way", WAYS)
def test_the_layer_is_the_same_in_pieces_and_takes_no_notice_of_padding(way):
    torch.manual_seed(2)
    check_layer(Mamba(6, d_state=3, way=way).double(), 6)
    check_streaming(mamba_model(13, 8, 2, way=way), token_ids())


def test_the_layer_has_the_same_gradients_by_each_way():
    torch.manual_seed(2)
    check_ways(lambda way: Mamba(6, d_state=3, way=way), WAYS, 6)


def test_is_causal_and_its_state_does_not_grow():
    torch.manual_seed(4)
    model = mamba_model(13, 8, 1)
    check_causality(lambda ids: model(ids)[0], token_ids(), vocab_size=13)
    assert model.state_bytes(model(token_ids(length=3))[1]) == model.state_bytes(model(token_ids(length=9))[1])


def test_time_steps_begin_where_the_paper_has_them():
    torch.manual_seed(5)
    layer = Mamba(32)
    steps = functional.softplus(layer.time_step.bias)
    assert 0.001 <= steps.min() < 0.002
    assert 0.05 < steps.max() <= 0.1001
    bound = layer.rank**-0.5
    assert 0.9 * bound < layer.time_step.weight.max() <= bound
    assert -bound <= layer.time_step.weight.min() < -0.9 * bound
    assert layer.rank == 2  # d_model / 16
    drawn = draw_time_steps(1000)
    torch.testing.assert_close(functional.softplus(inverse_softplus(drawn)), drawn)
    torch.testing.assert_close(layer.log_rate.exp()[0], torch.arange(1.0, 17.0))


def test_what_does_not_fit_is_refused():
    layer = Mamba(6)
    with pytest.raises(ValueError, match="at least one token, of 6 features"):
        layer(torch.zeros(1, 0, 6))
    with pytest.raises(ValueError, match="give the state of the same rows"):
        layer(torch.zeros(2, 3, 6), layer(torch.zeros(1, 3, 6))[1])
    with pytest.raises(ValueError, match="all sizes must be at least 1"):
        Mamba(6, d_state=0)
    with pytest.raises(ValueError, match=r"this model has \{'use_bias': True\}"):
        mamba_from_transformers(build_theirs(use_bias=True))
    with pytest.raises(ValueError, match="must be a mamba; it is a gpt2"):
        mamba_from_transformers(GPT2LMHeadModel(GPT2Config(n_embd=8, n_layer=1, n_head=1, vocab_size=13)))

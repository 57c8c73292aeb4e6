import pytest
import torch
from torch.nn import functional
from transformers import MambaConfig, MambaForCausalLM

from shared.checks.invariants import check_causality
from shared.checks.streaming import check_streaming
from shared.nn.mamba import (
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
    theirs = MambaForCausalLM(MambaConfig(**options | changes)).eval()
    for parameter in theirs.parameters():  # no zeros and no ones: an exchanged weight would not be seen
        parameter.data += 0.1 * torch.randn_like(parameter)
    return theirs


def tokens(batch=2, length=9, vocab_size=13):
    return torch.randint(vocab_size, (batch, length), generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("way", WAYS)
def test_equals_transformers_in_logits_and_every_gradient(way):
    theirs = build_theirs()
    ours = mamba_from_transformers(theirs, way)
    ids, weight = tokens(), torch.randn(2, 9, 13)
    logits, _ = ours(ids)
    expected = theirs(ids, use_cache=False).logits
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=0)
    (logits * weight).sum().backward()
    (expected * weight).sum().backward()
    own = sum(parameter.grad.abs().sum().item() for parameter in ours.parameters())
    other = sum(parameter.grad.abs().sum().item() for parameter in theirs.parameters())
    assert own == pytest.approx(other, rel=1e-5)
    mixer, layer = theirs.backbone.layers[1].mixer, ours.layers[1].layer
    for mine, name in (
        ("input.weight", "in_proj.weight"), ("convolution.bias", "conv1d.bias"), ("selection.weight", "x_proj.weight"),
        ("time_step.weight", "dt_proj.weight"), ("time_step.bias", "dt_proj.bias"), ("log_rate", "A_log"),
        ("skip", "D"), ("output.weight", "out_proj.weight"),
    ):  # fmt: skip
        difference = layer.get_parameter(mine).grad - mixer.get_parameter(name).grad
        assert difference.abs().max() < 1e-5 * max(1, mixer.get_parameter(name).grad.abs().max()), mine
    torch.testing.assert_close(layer.convolution.weight.grad, mixer.conv1d.weight.grad[:, 0], atol=1e-4, rtol=1e-5)
    torch.testing.assert_close(ours.embedding.weight.grad, theirs.backbone.embeddings.weight.grad, atol=1e-4, rtol=1e-5)


def test_padding_on_the_left_and_on_the_right_as_in_transformers():
    theirs = build_theirs()
    ours = mamba_from_transformers(theirs)
    ids = tokens()
    for mask in (torch.tensor([[0, 0, 0, 1, 1, 1, 1, 1, 1], [1] * 9]), torch.tensor([[1] * 5 + [0] * 4, [1] * 9])):
        logits, _ = ours(ids, None, mask.bool())
        expected = theirs(ids, attention_mask=mask, use_cache=False).logits
        torch.testing.assert_close(logits[mask.bool()], expected[mask.bool()], atol=1e-5, rtol=0)


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
def test_cuts_make_no_difference(way):
    torch.manual_seed(2)
    layer = Mamba(6, d_state=3, way=way).double()
    check_streaming(layer, torch.randn(2, 9, 6, dtype=torch.float64), tolerance=1e-12)
    check_streaming(mamba_model(13, 8, 2, way=way), tokens())


def test_padding_leaves_the_state():
    torch.manual_seed(3)
    layer, x = Mamba(6).double(), torch.randn(1, 6, 6, dtype=torch.float64)
    alone, state = layer(x)
    padded = torch.cat([torch.randn_like(x[:, :2]), x, torch.randn_like(x[:, :3])], dim=1)
    mask = torch.tensor([[False] * 2 + [True] * 6 + [False] * 3])
    output, last = layer(padded, None, mask)
    torch.testing.assert_close(output[:, 2:8], alone)
    assert output[~mask].eq(0).all()
    for part, other in zip(state, last, strict=True):
        torch.testing.assert_close(part, other)


def test_is_causal_and_its_state_does_not_grow():
    torch.manual_seed(4)
    model = mamba_model(13, 8, 1)
    check_causality(lambda ids: model(ids)[0], tokens(), vocab_size=13)
    assert model.state_bytes(model(tokens(length=3))[1]) == model.state_bytes(model(tokens(length=9))[1])


def test_time_steps_begin_where_the_paper_has_them():
    torch.manual_seed(5)
    layer = Mamba(32)
    steps = functional.softplus(layer.time_step.bias)
    assert 0.001 <= steps.min() < 0.002
    assert 0.05 < steps.max() <= 0.1001
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

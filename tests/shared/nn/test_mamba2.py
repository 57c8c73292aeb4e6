import pytest
import torch
from transformers import Mamba2Config, Mamba2ForCausalLM

from shared.checks.invariants import check_causality
from shared.checks.streaming import check_streaming
from shared.nn.mamba2 import NAMES, Mamba2, mamba2_from_transformers

WAYS = ["tokens", "scan", "chunks"]


def build_theirs(**changes):
    torch.manual_seed(0)
    options = {
        "vocab_size": 13, "hidden_size": 8, "state_size": 4, "num_hidden_layers": 2, "num_heads": 4, "head_dim": 4,
        "n_groups": 2, "chunk_size": 4,
    }  # fmt: skip
    theirs = Mamba2ForCausalLM(Mamba2Config(**options | changes)).eval()
    for parameter in theirs.parameters():  # no zeros and no ones: an exchanged weight would not be seen
        parameter.data += 0.1 * torch.randn_like(parameter)
    return theirs


def tokens(batch=2, length=9, vocab_size=13):
    return torch.randint(vocab_size, (batch, length), generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("changes", [{}, {"tie_word_embeddings": True, "n_groups": 1, "time_step_limit": (0.01, 0.05)}])
def test_equals_transformers_in_logits_and_every_gradient(way, changes):
    theirs = build_theirs(**changes)
    ours = mamba2_from_transformers(theirs, way)
    ids, weight = tokens(), torch.randn(2, 9, 13)
    logits, _ = ours(ids)
    expected = theirs(ids, use_cache=False).logits
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=0)
    (logits * weight).sum().backward()
    (expected * weight).sum().backward()
    gradients = dict(theirs.named_parameters())
    compared = 0
    for index in range(2):
        for own, name in NAMES.items():
            gradient = gradients[f"backbone.layers.{index}.mixer.{name}"].grad
            mine = ours.layers[index].layer.get_parameter(own).grad
            torch.testing.assert_close(mine, gradient.view_as(mine), atol=1e-5 * max(1, gradient.abs().max()), rtol=0)
            compared += 1
    assert compared == 16
    torch.testing.assert_close(
        ours.embedding.weight.grad, gradients["backbone.embeddings.weight"].grad, atol=1e-4, rtol=1e-5
    )


def test_padding_on_the_left_and_on_the_right_as_in_transformers():
    theirs = build_theirs()
    ours = mamba2_from_transformers(theirs)
    for mask in (torch.tensor([[0, 0, 0, 1, 1, 1, 1, 1, 1], [1] * 9]), torch.tensor([[1] * 5 + [0] * 4, [1] * 9])):
        logits, _ = ours(tokens(), None, mask.bool())
        expected = theirs(tokens(), attention_mask=mask, use_cache=False).logits
        torch.testing.assert_close(logits[mask.bool()], expected[mask.bool()], atol=1e-5, rtol=0)


@pytest.mark.parametrize("way", WAYS)
def test_cuts_make_no_difference_and_the_ways_agree(way):
    torch.manual_seed(2)
    layer, x = Mamba2(6, heads=3, d_state=5, groups=3, chunk=4, way=way).double(), torch.randn(2, 9, 6).double()
    check_streaming(layer, x, tolerance=1e-12)
    output, state = layer(x)
    layer.way = "tokens"
    expected, last = layer(x)
    torch.testing.assert_close(output, expected, atol=1e-10, rtol=0)
    for part, other in zip(state, last, strict=True):
        torch.testing.assert_close(part, other, atol=1e-10, rtol=0)


@pytest.mark.parametrize("way", WAYS)
def test_padding_leaves_the_state(way):
    torch.manual_seed(3)
    layer, x = Mamba2(6, heads=2, d_state=5, chunk=4, way=way).double(), torch.randn(1, 6, 6).double()
    alone, state = layer(x)
    padded = torch.cat([torch.randn_like(x[:, :2]), x, torch.randn_like(x[:, :3])], dim=1)
    mask = torch.tensor([[False] * 2 + [True] * 6 + [False] * 3])
    output, last = layer(padded, None, mask)
    torch.testing.assert_close(output[:, 2:8], alone)
    assert output[~mask].eq(0).all()
    for part, other in zip(state, last, strict=True):
        torch.testing.assert_close(part, other)


def test_is_causal():
    model = mamba2_from_transformers(build_theirs())
    check_causality(lambda ids: model(ids)[0], tokens(), vocab_size=13)


def test_what_does_not_fit_is_refused():
    layer = Mamba2(6, heads=2)
    with pytest.raises(ValueError, match="at least one token, of 6 features"):
        layer(torch.zeros(1, 0, 6))
    with pytest.raises(ValueError, match="give the state of the same rows"):
        layer(torch.zeros(2, 3, 6), layer(torch.zeros(1, 3, 6))[1])
    with pytest.raises(ValueError, match="got 12 inner features, 5 heads"):
        Mamba2(6, heads=5)
    with pytest.raises(ValueError, match=r"this model has \{'use_conv_bias': False\}"):
        mamba2_from_transformers(build_theirs(use_conv_bias=False))

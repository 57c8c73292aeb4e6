"""The encoder-decoder is nn.Transformer, in outputs and gradients, and keeps the invariants."""

import pytest
import torch
from torch import nn

from shared.checks.invariants import check_causality, check_source_sensitivity
from shared.checks.sanity import check_gradients, check_initial_loss
from shared.nn.seq2seq import EncoderDecoder, Seq2SeqConfig
from shared.training.losses import next_token_loss
from tests.shared.nn.seq2seq_examples import SMALL, VARIANTS, build, mask, rows


@pytest.fixture(params=VARIANTS)
def model(request: pytest.FixtureRequest) -> EncoderDecoder:
    return build(VARIANTS[request.param])


def library(ours: EncoderDecoder) -> nn.Transformer:
    """Return PyTorch's module with the same weights."""
    size = ours.config
    theirs = nn.Transformer(
        size.d_model,
        size.heads,
        size.encoder_layers,
        size.decoder_layers,
        size.d_hidden,
        dropout=0.0,
        activation=size.activation,
        batch_first=True,
        norm_first=size.norm == "pre",
    )
    if size.norm == "post":  # its last norm is one more than the paper has
        theirs.encoder.norm = theirs.decoder.norm = None
    names = {
        "self_attention.qkv.": "self_attn.in_proj_",
        "self_attention.output": "self_attn.out_proj",
        "cross_attention.qkv.": "multihead_attn.in_proj_",
        "cross_attention.output": "multihead_attn.out_proj",
        "attention.qkv.": "self_attn.in_proj_",
        "attention.output": "self_attn.out_proj",
        "feed_forward.expand": "linear1",
        "feed_forward.contract": "linear2",
        "self_attention_norm": "norm1",
        "cross_attention_norm": "norm2",
        "attention_norm": "norm1",
        "blocks": "layers",
    }
    state = {}
    for name, parameter in ours.state_dict().items():
        last = "norm3" if name.startswith("decoder") else "norm2"
        name = name.replace("feed_forward_norm", last)
        for our_name, their_name in names.items():
            name = name.replace(our_name, their_name)
        if not name.startswith(("encoder.input", "decoder.input", "decoder.head")):
            state[name] = parameter
    theirs.load_state_dict(state)
    return theirs


@pytest.mark.parametrize("masked", [False, True])
def test_equals_nn_transformer(model: EncoderDecoder, masked: bool):
    with torch.no_grad():  # the initial norms and biases would hide a mistake
        for parameter in model.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(parameter.numel())) / 9)
    theirs = library(model)
    source, target = rows(11, 7), rows(9, 6)
    source_mask, target_mask = (mask(7, 4, 5), mask(6, 6, 3)) if masked else (None, None)
    ours = model(source, target, source_mask, target_mask)
    # Their masks mean the opposite: True hides.
    hidden = model.decoder.head(
        theirs(
            model.encoder.input(source),
            model.decoder.input(target),
            tgt_mask=~torch.ones(6, 6, dtype=torch.bool).tril(),
            src_key_padding_mask=None if source_mask is None else ~source_mask,
            tgt_key_padding_mask=None if target_mask is None else ~target_mask,
            memory_key_padding_mask=None if source_mask is None else ~source_mask,
        )
    )
    torch.testing.assert_close(ours, hidden, atol=1e-5, rtol=0)
    ours.sin().sum().backward()
    hidden.sin().sum().backward(inputs=list(theirs.parameters()))
    renamed = dict(theirs.named_parameters())
    for block, layer in (("encoder.blocks.1", "encoder.layers.1"), ("decoder.blocks.2", "decoder.layers.2")):
        parts = {
            "feed_forward.expand.weight": "linear1.weight",
            "feed_forward_norm.bias": "norm2.bias" if "encoder" in block else "norm3.bias",
        }
        for part, theirs_part in parts.items():
            gradient = model.get_parameter(f"{block}.{part}").grad
            torch.testing.assert_close(gradient, renamed[f"{layer}.{theirs_part}"].grad, atol=1e-5, rtol=1e-4)
    cross = model.decoder.blocks[0].cross_attention.qkv.weight.grad
    torch.testing.assert_close(
        cross, renamed["decoder.layers.0.multihead_attn.in_proj_weight"].grad, atol=1e-5, rtol=1e-4
    )


def test_the_library_agrees_on_the_gradient_of_every_parameter(model: EncoderDecoder):
    source, target, real = rows(11, 7), rows(9, 6), mask(7, 4, 5)
    model(source, target, real).sin().sum().backward()
    ours = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    theirs = library(model)
    copied = library(EncoderDecoder(model.config))
    hidden = theirs(
        model.encoder.input(source).detach(),
        model.decoder.input(target).detach(),
        tgt_mask=~torch.ones(6, 6, dtype=torch.bool).tril(),
        src_key_padding_mask=~real,
        memory_key_padding_mask=~real,
    )
    model.decoder.head(hidden).sin().sum().backward(inputs=list(theirs.parameters()))
    with torch.no_grad():  # a model whose weights are our gradients, translated as weights are
        carrier = EncoderDecoder(model.config)
        for name, parameter in carrier.named_parameters():
            parameter.copy_(ours[name])
        copied.load_state_dict(library(carrier).state_dict())
    for name, parameter in theirs.named_parameters():
        torch.testing.assert_close(copied.get_parameter(name), parameter.grad, atol=1e-5, rtol=1e-4, msg=name)


def test_invariants(model: EncoderDecoder):
    source, target = rows(11, 5), rows(9, 5)
    check_causality(lambda target: model(source, target), target, vocab_size=9)
    check_source_sensitivity(model, source, target, vocab_size=11)
    loss = next_token_loss(model(source, target), target)
    check_initial_loss(loss.item(), 9)
    check_gradients(model, next_token_loss(model(rows(11, 12, 16), rows(9, 10, 16)), rows(9, 10, 16)))


def test_padding_changes_nothing(model: EncoderDecoder):
    source, target = rows(11, 8), rows(9, 7)
    real, said = mask(8, 5, 2), mask(7, 3, 4)
    before = model(source, target, real, said)
    changed = model(source.where(real, 3), target.where(said, 5), real, said)
    torch.testing.assert_close(changed[said], before[said], atol=1e-6, rtol=0)
    alone = model(source[1:2, :5], target[1:2, :3])
    torch.testing.assert_close(before[1:2, :3], alone, atol=1e-5, rtol=0)
    # On the right, causality hides what pads the targets without a mask.
    torch.testing.assert_close(model(source, target, real)[said], before[said], atol=1e-5, rtol=0)


def test_same_generator_same_weights():
    one, two = build(), build()
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert one.parameter_count() == sum(parameter.numel() for parameter in one.parameters())


def test_wrong_sources_and_targets_are_refused():
    model, good = build(), rows(9, 4)
    with pytest.raises(ValueError, match="a source must have 1 to 12 tokens; got 0"):
        model(torch.zeros(2, 0, dtype=torch.long), good[:2])
    with pytest.raises(ValueError, match="a source must have 1 to 12 tokens; got 13"):
        model(rows(11, 13), good)
    with pytest.raises(ValueError, match="a target must have 1 to 10 tokens; got 11"):
        model(good, rows(9, 11))
    with pytest.raises(ValueError, match="tokens of a source must be from 0 to 10; got 0 to 11"):
        model(torch.tensor([[0, 11]]), good[:1])
    with pytest.raises(ValueError, match="tokens of a target must be from 0 to 8; got -1 to 3"):
        model(good[:1], torch.tensor([[3, -1]]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"encoder_layers": 0}, "encoder_layers=0"),
        ({"dropout": 1.0}, "below 1; got 1.0"),
        ({"positions": "none"}, "got 'none'"),
        ({"end_token": 9}, "among the 9 target tokens; got begin_token=1 and end_token=9"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_wrong_configurations_are_refused(change: dict, message: str):
    with pytest.raises(ValueError, match=message):
        Seq2SeqConfig(**{**vars(SMALL), **change})

"""Sprint 20, prepare and convert: converted = prepared, in every kind of model, and what is refused."""

import importlib.util
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from shared.nn.gpt import GPT, GPTConfig
from shared.nn.pretrained import load_causal_model, load_tokenizer

FOLDER = "20_quantization_aware_training"
FAMILIES = {"gpt2": (10, {"transformer.wpe"}), "llama": (16, set()), "ours": (10, {"positions"})}
# bits, per, activation_bits, learned
CONFIGS = [(4, "group", None, True), (8, "channel", None, False), ("ternary", "tensor", None, False),
           (2, "channel", 8, True), (8, "group", None, True)]  # fmt: skip
needs_torchao = pytest.mark.skipif(
    importlib.util.find_spec("torchao") is None, reason="torchao is missing: uv sync --group quantization"
)


@pytest.fixture
def aware(load_sprint) -> SimpleNamespace:
    """The functions of the package that this part adds."""
    parts = {name: load_sprint(f"{FOLDER}/aware/{name}.py") for name in ("prepare", "convert", "kernels", "layers")}
    return SimpleNamespace(**{name: value for part in parts.values() for name, value in vars(part).items()})


@pytest.fixture
def tokens() -> Tensor:
    return torch.randint(96, (2, 7), generator=torch.Generator().manual_seed(1))


def tiny(family: str) -> nn.Module:
    """Return a model of two blocks with weights as spread out as in a trained one, and no bias of 0."""
    torch.manual_seed(0)
    if family == "ours":
        model: nn.Module = GPT(GPTConfig(96, 16, 2, 2, 32, dropout=0.0))
    elif family == "gpt2":
        from transformers import GPT2Config, GPT2LMHeadModel

        size = GPT2Config(n_layer=2, n_embd=32, n_head=2, vocab_size=96, n_positions=16)
        size.bos_token_id = size.eos_token_id = 0
        model = GPT2LMHeadModel(size)
    else:
        from transformers import LlamaConfig, LlamaForCausalLM

        size = LlamaConfig(hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
                           num_key_value_heads=1, vocab_size=96, max_position_embeddings=16)  # fmt: skip
        model = LlamaForCausalLM(size)
    for parameter in model.parameters():
        parameter.data.mul_(3).add_(0.05 * torch.randn(parameter.shape))
    return model.eval()


def logits_of(model: nn.Module, tokens: Tensor) -> Tensor:
    returned = model(tokens)
    return returned if isinstance(returned, Tensor) else returned.logits


@pytest.mark.parametrize(("bits", "per", "activations", "learned"), CONFIGS)
@pytest.mark.parametrize("family", FAMILIES)
def test_the_converted_model_is_the_prepared_one(aware, tokens, family, bits, per, activations, learned):
    model = tiny(family)
    before = dict(model.named_parameters())
    report = aware.prepare(model, aware.AwareConfig(bits, per, 32, activations, learned))
    count, left = FAMILIES[family]
    assert (len(report.layers), set(report.left)) == (count, left)
    assert {name: p for name, p in model.named_parameters() if "quantizer" not in name}.keys() == before.keys()
    assert all(dict(model.named_parameters())[name] is parameter for name, parameter in before.items())
    with torch.no_grad():
        prepared = logits_of(model, tokens)
        converted = aware.convert(model)
        assert torch.equal(logits_of(converted, tokens), prepared)
        for name, layer in report.layers.items():
            held = converted.get_submodule(name)
            assert torch.equal(held.weight, layer.quantizer(aware.as_rows(layer)))
            assert held.stored.integers.dtype == torch.int8
        fast = aware.convert(model, kernels=True)
        assert (logits_of(fast, tokens) - prepared).abs().max() < 1e-3
    if (bits, per) != (8, "group"):
        kinds = (aware.Int8Kernel, aware.Int4Kernel, aware.IntegerProduct)
        assert sum(isinstance(module, kinds) for module in fast.modules()) == sum(
            isinstance(layer, aware.AwareLinear) for layer in report.layers.values()
        )
    if activations is None:
        assert torch.equal(logits_of(aware.dequantized(converted), tokens), prepared)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_parameter_moves_the_head_and_its_steps_too(aware, tokens, family):
    model = tiny(family)
    aware.prepare(model, aware.AwareConfig(group=32))
    groups = aware.parameter_groups(model, weight_decay=0.1, lr=1e-3)
    assert [group["weight_decay"] for group in groups] == [0.1, 0.0, 0.0]
    assert sum(len(group["params"]) for group in groups) == len(list(model.parameters()))
    optimizer = torch.optim.AdamW(groups, lr=1e-2)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    nn.functional.cross_entropy(logits_of(model, tokens).flatten(0, 1), tokens.flatten()).backward()
    optimizer.step()
    still = [name for name, parameter in model.named_parameters() if torch.equal(parameter, before[name])]
    assert still == []
    steps = aware.step_parameters(model)
    tied = family != "llama"
    assert len(steps) == FAMILIES[family][0] - tied, "a table that is the output layer too has one set of steps"
    assert (model.get_submodule("lm_head" if family != "ours" else "head").weight.grad is not None)  # fmt: skip


def test_a_conv1d_shares_steps_along_its_outputs(aware):
    model = tiny("gpt2")
    before = model.transformer.h[0].mlp.c_fc.weight.detach().clone()  # (inputs, outputs)
    aware.prepare(model, aware.AwareConfig(4, "channel", learned=False))
    layer = model.transformer.h[0].mlp.c_fc
    steps = (2 * before.abs().amax(0) / 15).half().float()  # one for each output, which is a column here
    expected = (before * (1 / steps)).round().clamp(-8, 7) * steps
    assert torch.equal(layer.quantizer(aware.as_rows(layer)).T, expected)


def test_eight_bits_change_little_and_two_change_much(aware, tokens):
    plain = logits_of(tiny("gpt2"), tokens)
    errors = []
    for bits in (8, 4, 2):
        model = tiny("gpt2")
        aware.prepare(model, aware.AwareConfig(bits, group=32))
        errors.append((logits_of(model, tokens) - plain).abs().mean().item())
    assert errors[0] < 0.1 * errors[1] < 0.1 * errors[2]


@needs_torchao
def test_torchao_prepares_and_converts_to_the_same_numbers(aware, tokens):
    from torchao.quantization import IntxWeightOnlyConfig, quantize_
    from torchao.quantization.granularity import PerGroup
    from torchao.quantization.qat import QATConfig

    ours, theirs = tiny("llama"), tiny("llama")
    aware.prepare(ours, aware.AwareConfig(group=32, learned=False))
    for layer in aware.prepared_layers(ours).values():
        layer.quantizer.step_dtype = torch.float32  # as theirs are
    tables = (nn.Linear, nn.Embedding)
    weights = IntxWeightOnlyConfig(torch.int4, PerGroup(32))  # ty: ignore[missing-attribute]
    quantize_(theirs, QATConfig(weights, step="prepare"), lambda module, _: isinstance(module, tables))
    prepared = logits_of(theirs, tokens)
    torch.testing.assert_close(logits_of(ours, tokens), prepared, rtol=0, atol=1e-5)
    quantize_(theirs, QATConfig(weights, step="convert"), lambda module, _: isinstance(module, tables))
    assert (logits_of(theirs, tokens) - prepared).abs().max() < 1e-5


@pytest.mark.parametrize(("family", "bits"), [("gpt2", 4), ("gpt2", 8), ("llama", 4)])
def test_saved_and_loaded_it_has_the_same_weights(aware, tokens, tmp_path, family, bits):
    model = tiny(family)
    aware.prepare(model, aware.AwareConfig(bits, group=32))
    converted = aware.convert(model)
    aware.save_converted(tmp_path / "model", converted, load_tokenizer())
    loaded, _ = load_causal_model(str(tmp_path / "model"))
    for name, layer in aware.converted_layers(converted).items():
        found = loaded.get_submodule(name)
        weight = found.weight if isinstance(found, nn.Linear | nn.Embedding) else found.weight.T
        assert torch.equal(weight, layer.weight), name
    torch.testing.assert_close(logits_of(loaded, tokens), logits_of(converted, tokens), rtol=0, atol=1e-5)


def test_what_is_left_is_said(aware):
    model = tiny("llama")
    report = aware.prepare(model, aware.AwareConfig(group=32, embeddings=False, head=False))
    assert report.left == {"model.embed_tokens": "embeddings=False", "lm_head": "head=False"}
    assert report.weights == sum(layer.weight.numel() for layer in report.layers.values())
    odd = nn.Sequential(nn.Linear(8, 8), nn.MultiheadAttention(8, 2))
    assert set(aware.prepare(odd, aware.AwareConfig(group=8)).left) == {"1", "1.out_proj"}


WRONG = {
    "bits must be 2 to 8: with 1 bit": {"bits": 1},
    "activation_bits must be 2 to 8": {"activation_bits": 16},
    "per tensor, channel or group": {"per": "row"},
    "of at least 1; got 'group' and 0": {"group": 0},
}


@pytest.mark.parametrize("sentence", WRONG)
def test_a_wrong_config_is_refused(aware, sentence):
    with pytest.raises(ValueError, match=sentence):
        aware.AwareConfig(**WRONG[sentence])


def test_what_cannot_be_prepared_is_refused_and_left_as_it_was(aware):
    model = tiny("gpt2")
    kinds = [type(module) for module in model.modules()]
    with pytest.raises(ValueError, match=r"groups of 64; transformer.wte has rows of 32: all rows divide .* 32, 16, 8"):
        aware.prepare(model, aware.AwareConfig())
    with pytest.raises(ValueError, match="are one table"):
        aware.prepare(model, aware.AwareConfig(group=32, head=False))
    with pytest.raises(ValueError, match="nothing to prepare: LayerNorm has no Linear"):
        aware.prepare(nn.LayerNorm(4), aware.AwareConfig())
    with pytest.raises(ValueError, match="nothing to convert"):
        aware.convert(model)
    assert [type(module) for module in model.modules()] == kinds
    aware.prepare(model, aware.AwareConfig(group=32, activation_bits=8))
    with pytest.raises(ValueError, match="prepared already"):
        aware.prepare(model, aware.AwareConfig(group=32))
    with pytest.raises(ValueError, match=r"lm_head|c_attn .* trained with rounded inputs"):
        aware.dequantized(aware.convert(model))

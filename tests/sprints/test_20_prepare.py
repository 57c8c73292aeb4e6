"""Sprint 20, prepare and convert: converted = prepared, in every kind of model, and what is refused."""

import importlib.util
import itertools
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
import torch
from lesson_texts import lesson_texts
from torch import Tensor, nn

from shared.nn.gpt import GPT, GPTConfig
from shared.nn.pretrained import load_causal_model, load_tokenizer

FOLDER = "20_quantization_aware_training"
EXERCISES = Path(__file__).parents[2] / "sprints" / FOLDER / "exercises"
FAMILIES = {"gpt2": (10, {"transformer.wpe"}), "llama": (16, set()), "ours": (10, {"positions"})}
# bits, per, activation_bits, learned
CONFIGS = [(8, "channel", None, False), ("ternary", "tensor", None, False), (8, "group", None, False)]
EVERYWHERE = [(4, "group", None, True), (2, "channel", 8, False)]
CASES = [("gpt2", *config) for config in CONFIGS] + [(one, *config) for one in FAMILIES for config in EVERYWHERE]
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


@pytest.mark.parametrize(("family", "bits", "per", "activations", "learned"), CASES)
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
        # Sums of integers are exact; sums of floating-point numbers in another order are not.
        assert (logits_of(fast, tokens) - prepared).abs().max() <= (1e-3 if activations is None else 0)
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


def test_sums_of_integers_have_the_gradients_of_rounded_numbers(aware):
    torch.manual_seed(0)
    linear, x = nn.Linear(8, 5), torch.randn(2, 3, 8, requires_grad=True)
    layer = aware.prepare(nn.Sequential(linear), aware.AwareConfig(4, "channel", activation_bits=8)).layers["0"]
    found = []
    for exact in (True, False):
        layer.integer_sums = exact
        y = layer(x)
        parameters = (x, layer.weight, layer.bias, *layer.quantizer.parameters())
        found.append((y, *torch.autograd.grad((y * torch.arange(5)).sum(), parameters)))
    for ours, expected in zip(*found, strict=True):
        torch.testing.assert_close(ours, expected)


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
        aware.prepare(model, aware.AwareConfig(bits, group=32, learned=False))
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


@pytest.mark.parametrize(("family", "bits"), [("gpt2", 4), ("llama", 8)])
def test_saved_and_loaded_it_has_the_same_weights(aware, tokens, tmp_path, family, bits):
    model = tiny(family)
    aware.prepare(model, aware.AwareConfig(bits, group=32, learned=False))
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
    with pytest.raises(ValueError, match="10 layers are prepared already"):
        aware.prepare(model, aware.AwareConfig(group=32))
    with pytest.raises(ValueError, match=r"lm_head|c_attn .* trained with rounded inputs"):
        aware.dequantized(aware.convert(model))


# Packing


@pytest.mark.parametrize(("bits", "lowest", "highest"), [(2, -2, 1), ("ternary", -1, 1)])
def test_packed_integers_come_back(load_sprint, bits, lowest, highest):
    packing = load_sprint(f"{FOLDER}/aware/packing.py")
    integers = torch.randint(lowest, highest + 1, (7, 9), generator=torch.Generator().manual_seed(0), dtype=torch.int8)
    packed = packing.pack_digits(integers, bits)
    assert len(packed) == -(-63 // (4 if bits == 2 else 5))
    assert torch.equal(packing.unpack_digits(packed, 63, bits).view(7, 9), integers)
    first = packing.pack_digits(torch.tensor([lowest, lowest + 1, lowest + 2], dtype=torch.int8), bits)
    assert first.tolist() == [0 + 1 * 4 + 2 * 16 if bits == 2 else 0 + 1 * 3 + 2 * 9], "the first is the lowest digit"
    with pytest.raises(ValueError, match=f"holds {lowest} to {highest}; got .* to {highest + 1}"):
        packing.pack_digits(torch.tensor([0, highest + 1], dtype=torch.int8), bits)
    with pytest.raises(ValueError, match="by pack; got 4"):
        packing.pack_digits(integers, 4)


# Scripts and notes


def test_the_table_of_two_words_by_hand(load_sprint):
    _, note = lesson_texts(FOLDER)
    script = load_sprint(f"{FOLDER}/prepare_by_hand.py")
    found = script.main(script.Config())
    assert found.integers == [[[2, -1], [3, 1]], [[2, -1], [3, 0]]]
    assert found.products == [5, 6]
    assert found.converted_logits == pytest.approx(found.logits[1])
    for loss in found.losses:
        assert f"{loss:.3f}" in note(4)
    for row in (*found.gradient_of_head, found.gradient_of_embedding[0], *found.tables[1]):
        assert f"({', '.join(f'{round(value, 6):g}' for value in row)})".replace("-", "−") in note(4)
    assert script.plot(found).axes


def test_a_table_prepared_twice_has_the_gradients_of_the_example(load_sprint, aware):
    script = load_sprint(f"{FOLDER}/prepare_by_hand.py")
    table = nn.Embedding(2, 2)
    head = nn.Linear(2, 2, bias=False)
    table.weight.data = torch.tensor(script.TABLE)
    head.weight = table.weight
    model = nn.Sequential()
    model.add_module("wte", table)
    model.add_module("lm_head", head)
    quantizer = aware.prepare(model, aware.AwareConfig(3, "tensor")).layers["wte"].quantizer
    quantizer.step.data.fill_(0.2)
    quantizer.step_dtype = torch.float32
    nn.functional.cross_entropy(model(torch.tensor([0])), torch.tensor([1])).backward()
    assert table.weight.grad is not None
    found = script.main(script.Config())
    both = torch.tensor(found.gradient_of_head) + torch.tensor(found.gradient_of_embedding)
    torch.testing.assert_close(table.weight.grad, both)


def test_sizes_by_formula(load_sprint, monkeypatch):
    _, note = lesson_texts(FOLDER)
    script = load_sprint(f"{FOLDER}/file_sizes.py")
    monkeypatch.setattr(script, "FORMATS", {"4 bits": 4, "ternary": "ternary"})
    found = script.main(script.Config())
    assert f"{found.gpt2_weights:,}" in note(10)
    assert f"{found.gpt2_rest:,}" in note(10)
    assert found.gpt2_weights + found.gpt2_rest == 124_439_808
    assert found.sizes["ternary"].least_bits == pytest.approx(1.585 + 16 / 64, abs=1e-3)
    four = found.sizes["4 bits"]
    assert f"{123_532_032 * 4.25 / 8e6:.1f} million bytes" in note(10)
    assert f"{four.gpt2_megabytes:.1f} MB" in note(10)
    for size in found.sizes.values():
        assert size.shipped_written == pytest.approx(size.shipped_megabytes, rel=0.01)
    assert script.plot(found).axes


def test_five_in_a_byte_as_the_note_has_it(load_sprint):
    _, note = lesson_texts(FOLDER)
    script = load_sprint(f"{FOLDER}/five_in_a_byte.py")
    found = script.main(script.Config())
    assert found.byte == sum(found.parts) == 156
    assert found.read == found.weights
    assert f"{' + '.join(map(str, found.parts))} = **156**" in note(10)
    assert (3**10, 3**10 < 2**16 < 3**11, 3**40 < 2**64 < 3**41) == (59_049, True, True)
    assert script.plot(found).axes


class FewRecipes:
    """Recipes of five tokens, for a model of 96."""

    def __init__(self, _: object) -> None:
        self.batches = [
            (torch.randint(96, (2, 6), generator=torch.Generator().manual_seed(seed)), None) for seed in (0, 1)
        ]

    def train_batches(self, _size: int, _start: int):
        return itertools.cycle(self.batches[:1])

    def held_out(self, _stream: str, _count: int) -> SimpleNamespace:
        tokens, mask = self.batches[1]
        return SimpleNamespace(batches=[SimpleBatch(tokens, mask)], optimum=0.0)


class SimpleBatch(NamedTuple):
    tokens: Tensor
    mask: Tensor | None


def test_what_is_forgotten_is_counted_and_rounded_after_training(load_sprint, monkeypatch):
    script = load_sprint(f"{FOLDER}/forgotten_head.py")
    monkeypatch.setattr(script, "load_causal_model", lambda: (tiny("gpt2"), None))
    monkeypatch.setattr(script, "Recipes", FewRecipes)
    found = script.main(script.Config(group=32, steps=1, seeds=1))
    assert [way.prepared_layers for way in found.ways.values()] == [10, 8, 2, 0]
    everything, table, conv1d, nothing = (way.prepared_weights for way in found.ways.values())
    assert everything == table + conv1d == found.weights
    assert nothing == 0
    first = found.ways["nothing forgotten"]
    assert first.trained == first.rounded
    assert all(way.trained != way.rounded for way in list(found.ways.values())[1:])
    assert script.plot(found).axes


@pytest.mark.parametrize(("family", "linears", "matrices"), [("gpt2", 1, 9), ("llama", 15, 15)])
def test_formats_are_compared(load_sprint, monkeypatch, family, linears, matrices):
    script = load_sprint(f"{FOLDER}/converted_equals_prepared.py")
    tokenizer = load_tokenizer()
    monkeypatch.setattr(script, "load_causal_model", lambda _: (tiny(family), tokenizer))
    monkeypatch.setattr(script, "Recipes", FewRecipes)
    few = ("4 bits in groups", "8 bits, inputs too")
    monkeypatch.setattr(script, "FORMATS", {name: script.FORMATS[name] for name in few})
    found = script.main(script.Config(group=32, steps=1))
    for format in found.formats.values():
        assert (format.weights_that_differ, format.logits_differ) == (0, 0.0)
        assert format.kernel_logits_differ < 1e-3
    assert [format.loaded_weights_that_differ for format in found.formats.values()] == [0, None]
    assert set(found.left) == FAMILIES[family][1]
    if found.torchao is not None:
        assert (found.torchao.prepared, found.torchao.of) == (linears, matrices)
        assert max(found.torchao.prepared_differ, found.torchao.converted_differ) < 1e-5


def test_one_integer_that_differs_is_counted(load_sprint, aware, tokens, monkeypatch):
    fidelity = load_sprint(f"{FOLDER}/aware/fidelity.py")

    def converted_but_for_one(model: nn.Module, *, kernels: bool = False) -> nn.Module:
        converted = aware.convert(model, kernels=kernels)
        converted.get_submodule("transformer.h.0.mlp.c_fc").stored.integers[0, 0] ^= 1
        return converted

    monkeypatch.setattr(fidelity, "convert", converted_but_for_one)
    model = tiny("gpt2")
    aware.prepare(model, aware.AwareConfig(group=32))
    found = fidelity.compare(model, load_tokenizer(), lambda one: logits_of(one, tokens))
    assert found.weights_that_differ == 1
    assert found.logits_differ > 0
    assert found.loaded_weights_that_differ == 0, "the file has the integer of the model that was saved"


def test_ways_of_decoding_are_timed(load_sprint, monkeypatch):
    script = load_sprint(f"{FOLDER}/decode_speed.py")
    config = script.Config(layers=1, d_model=64, vocab_size=96, new_tokens=1, turns=2)
    found = script.main(config)
    assert found.ways.keys() == script.WAYS.keys()
    assert script.plot(found).axes
    seconds = {"float32": 1.0, "as fast": 1.0, "in half the time": 0.5, "in twice the time": 2.0}
    monkeypatch.setattr(script, "WAYS", {name: lambda _, taken=taken: taken for name, taken in seconds.items()})
    monkeypatch.setattr(script, "decode_seconds", lambda taken, _prompt, _new_tokens: taken)
    ways = script.main(config).ways
    assert [way.times for way in ways.values()] == [1, 1, 2, 0.5]
    assert [way.verdict for way in ways.values()][1:] == ["no difference shown", "faster", "slower"]


def test_what_is_prepared_on_paper(aware):
    from transformers import GPT2Config, GPT2LMHeadModel

    with torch.device("meta"):
        model = GPT2LMHeadModel(GPT2Config(n_layer=6, n_embd=384, n_head=6, n_positions=512, vocab_size=8192))
    report = aware.prepare(model, aware.AwareConfig(learned=False))
    page = (EXERCISES / "README.md").read_text(encoding="utf-8")
    assert len(report.layers) == 26
    assert len({id(layer.quantizer) for layer in report.layers.values()}) == 25
    assert f"13,762,560 weights. With 4 bits: 4.25 bits a weight, {report.weights * 4.25 / 8e6:.2f} MB" in (
        page.replace("\n", " ")
    )
    assert report.weights == 13_762_560
    assert f"{report.weights * 1.85 / 8e6:.2f} MB" in page
    assert model.transformer.wpe.weight.numel() == 196_608

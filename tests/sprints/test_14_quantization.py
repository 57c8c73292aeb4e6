"""Sprint 14's claims, at a small size."""

import copy
import importlib.util
import math
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from shared.checks.invariants import InvariantError, check_causality
from shared.lab.config import parse_config
from shared.nn import integer_grid
from shared.nn.model_folders import seal
from shared.nn.pretrained import load_causal_model, load_tokenizer

FOLDER = "14_quantization"
PARTS = (
    "activations",
    "converted",
    "eager_mode",
    "passages",
    "packed_linear",
    "weight_formats",
    "timed_turns",
    "logit_errors",
    "machine_limits",
)
WITHOUT_TORCHAO = ("float32", "linear", "bfloat16", "dynamic", "static", "int8-kernel", "int4-kernel")
needs_torchao = pytest.mark.skipif(
    importlib.util.find_spec("torchao") is None, reason="torchao is missing: uv sync --group quantization"
)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def parts(load_sprint) -> SimpleNamespace:
    """The parts of the sprint, as its scripts see them."""
    for script in ("quality", "roofline", "activation_outliers"):
        load_sprint(f"{FOLDER}/{script}.py")
    found = SimpleNamespace(**{name: sys.modules[f"quantizing.{name}"] for name in PARTS})
    found.eager_mode.use_engine()
    return found


@pytest.fixture
def tiny(parts):
    """A GPT-2 with two blocks: eight Conv1D and the head, nine matrices in all."""
    torch.manual_seed(0)
    model = parts.timed_turns.random_gpt2(2, 64, 96)
    for parameter in model.parameters():  # as spread out as in a trained model, and no bias 0
        parameter.data.mul_(4).add_(0.05 * torch.randn(parameter.shape))
    return model


@pytest.fixture
def tokens(generator) -> torch.Tensor:
    return torch.randint(96, (2, 12), generator=generator)


def logits_of(model: nn.Module, tokens: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return model(tokens, use_cache=False).logits.float()


def static(parts, model: nn.Module, tokens: torch.Tensor, **options) -> nn.Module:
    prepared = parts.eager_mode.prepare_static(model, **options)
    parts.eager_mode.calibrate(prepared, [tokens])
    return parts.eager_mode.convert_static(prepared)


# Ranges


def test_a_bit_is_worth_six_decibel(load_sprint):
    script = load_sprint(f"{FOLDER}/quantize_tensors.py")
    config = script.Config(bits=(7, 8, 9), numbers=50_000)
    results = script.main(config)
    for name, slope in results.decibel_per_bit.items():
        assert slope == pytest.approx(6.02, abs=0.15), name
    assert results.decibel["uniform numbers"] == pytest.approx(results.formula_uniform, abs=0.1)
    assert results.decibel["Gaussian numbers"] == pytest.approx(results.formula_gaussian, abs=0.1)
    assert max(results.difference_to_torch.values()) < 1e-7
    channel, matrix = (results.decibel[name] for name in ("weights, a grid for each channel", "weights, one grid"))
    assert all(one > other for one, other in zip(channel, matrix, strict=True))
    assert results.affine_integers == [0, 2, 3, 4, 9, 15]
    assert results.saturated == pytest.approx(1.0)
    assert results.stochastic_mean == pytest.approx(0.3, abs=4 * results.stochastic_standard_error)
    assert script.main(config) == results, "same seed, same results"
    with pytest.raises(ValueError, match=r"--matrix must be one of transformer\.wte\.weight"):
        script.main(script.Config(matrix="head"))


def test_clipping_helps_small_integers_and_channels_keep_an_outlier_to_themselves(load_sprint):
    script = load_sprint(f"{FOLDER}/ranges_and_outliers.py")
    results = script.main(script.Config(numbers=20_000))
    for found in results.decibel.values():
        for sizes in found.values():
            assert sizes["least squared error"] >= max(sizes.values()) - 0.3, "up to the steps of the search"
    gaussian = results.decibel["Gaussian"]
    assert gaussian["8"]["min-max"] > gaussian["8"]["99 % of the numbers"]
    assert gaussian["4"]["min-max"] < gaussian["4"]["99 % of the numbers"]
    assert results.rest_per_tensor[-1] < results.rest_per_channel[-1] - 10 < results.rest_per_group[-1] - 10
    x = torch.arange(1001.0)[None] - 500
    low, high = integer_grid.percentile(0.5)(x, 8, False)
    assert (low.item(), high.item()) == (-250, 250)


# Number formats


def test_formats_lose_what_the_readme_says(load_sprint):
    script = load_sprint(f"{FOLDER}/number_formats.py")
    config = script.Config(additions=2000, repeats=50)
    results = script.main(config)
    assert {name: found.counts_to for name, found in results.formats.items()} == {
        "float32": 2**24,
        "float16": 2**11,
        "bfloat16": 2**8,
    }
    assert {name: found.square_of_300 for name, found in results.formats.items()} == {
        "float32": "90,000",
        "float16": "inf",
        "bfloat16": "90,112",
    }
    bfloat16, float16, float32 = (results.formats[name] for name in ("bfloat16", "float16", "float32"))
    assert (bfloat16.exponent_bits, float16.exponent_bits, float32.exponent_bits) == (8, 5, 8)
    assert bfloat16.sum_of_thousandths == 0.5, "from there on, 0.001 is less than half a spacing"
    assert float32.sum_of_thousandths == pytest.approx(2, rel=1e-4)
    assert results.stochastic_sum == pytest.approx(2, abs=4 * results.stochastic_standard_error)
    assert bfloat16.updates_lost > float16.updates_lost > float32.updates_lost
    assert script.main(config) == results, "same seed, same results"


def test_rounding_to_bfloat16_at_random_gives_neighbours_with_the_right_mean(load_sprint, generator):
    rounded = load_sprint(f"{FOLDER}/number_formats.py").round_stochastically
    exact = torch.tensor([1.0, -0.15625, 3.5])
    assert torch.equal(rounded(exact, generator).float(), exact)
    for below, above in ((1.0, 1.0078125), (1.0078125, 1.015625)):  # an even mantissa and an odd one
        drawn = rounded(torch.full((20_000,), below + 0.25 * (above - below)), generator).float()
        assert set(drawn.tolist()) == {below, above}
        assert (drawn == above).float().mean().item() == pytest.approx(0.25, abs=0.015)


def test_scaling_the_loss_saves_float16_gradients_and_bfloat16_needs_none(load_sprint):
    script = load_sprint(f"{FOLDER}/loss_scaling.py")
    results = script.main(script.Config(texts=2, powers=(0, 16, 40)))
    lost = results.vanish["float16"]
    assert lost[0] > 0.01 > lost[1] > lost[2]
    assert results.overflow["float16"][-1] > 0.01
    assert max(*results.vanish["bfloat16"], *results.overflow["bfloat16"]) == 0
    assert sum(results.log2_counts) == pytest.approx(results.gradients, rel=0.01)


# Eager mode


def test_conv1d_becomes_the_linear_that_computes_the_same(parts, tiny, tokens):
    module = parts.converted
    assert module.linear_layers(tiny) == 9
    linear = copy.deepcopy(tiny)
    assert module.conv1d_to_linear(linear) == 8
    assert module.conv1d_to_linear(linear) == 0
    assert module.linear_layers(linear) == 9
    assert not linear.transformer.h[0].mlp.c_fc.training
    torch.testing.assert_close(logits_of(linear, tokens), logits_of(tiny, tokens), rtol=1e-5, atol=1e-5)
    assert module.linear_layers(tiny) == 9, "the original is left as it was"


def test_dynamic_layers_multiply_rounded_inputs_with_rounded_weights(parts, tiny, generator):
    grid = integer_grid
    for per_channel in (True, False):
        model = parts.eager_mode.quantize_dynamically(tiny, per_channel=per_channel)
        layer, conv = model.transformer.h[0].mlp.c_fc, tiny.transformer.h[0].mlp.c_fc
        weight = grid.fake_quantize(conv.weight.detach().T.contiguous(), 8, "channel" if per_channel else "tensor")
        torch.testing.assert_close(layer.weight().dequantize(), weight)
        x = torch.randn(5, 64, generator=generator)
        # PyTorch keeps one bit of the activations in reserve, so that sums of two products fit into 16 bits.
        steps = grid.make_grid(x.min(), x.max(), 7, symmetric=False)
        expected = grid.dequantize(grid.quantize(x, steps), steps) @ weight.T + conv.bias
        torch.testing.assert_close(layer(x), expected, rtol=1e-4, atol=1e-4)


def test_static_layers_use_the_ranges_that_they_were_shown(parts, tiny, tokens, generator):
    grid = integer_grid
    model = static(parts, tiny, tokens)
    wrapper, conv = model.transformer.h[0].mlp.c_fc, tiny.transformer.h[0].mlp.c_fc
    seen: list[torch.Tensor] = []
    hook = conv.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    logits_of(tiny, tokens)
    hook.remove()
    # What comes before this layer is quantized too, so the range differs a little.
    assert wrapper.quant.scale.item() == pytest.approx((seen[0].max() - seen[0].min()).item() / 127, rel=0.05)
    # The range was measured out in 127 steps, and the integers go on to 255: twice the range until they saturate.
    inputs = grid.Grid(wrapper.quant.scale, wrapper.quant.zero_point, 0, 255)
    outputs = grid.Grid(torch.tensor(wrapper.module.scale), torch.tensor(wrapper.module.zero_point), 0, 255)
    weight = grid.fake_quantize(conv.weight.detach().T.contiguous(), 8, "channel")
    # The second is far outside of the range: it saturates. Processors without VNNI add two products of 8 bits in 16,
    # which the upper half of the range overflows: that is why the range was measured out in 127 steps.
    for size in (1, 100) if torch.cpu.get_capabilities().get("avx512_vnni") else (1,):
        x = size * torch.randn(50, 64, generator=generator)
        y = grid.dequantize(grid.quantize(x, inputs), inputs) @ weight.T + conv.bias
        expected = grid.dequantize(grid.quantize(y, outputs), outputs)
        difference = (wrapper(x) - expected).abs()
        assert difference.max() <= 1.01 * outputs.scale, "at most one step, where the rounding is a tie"
        assert (difference > 1e-4).float().mean() < 0.02


def test_everything_is_converted_and_counted(parts, tiny, tokens, monkeypatch):
    texts = [tokens]
    for name in WITHOUT_TORCHAO:
        model = parts.weight_formats.in_format(name, tiny, texts)
        expected = 0 if name in parts.weight_formats.FLOATING else 9
        assert parts.converted.converted_layers(model) == expected, name
        expected = logits_of(tiny, tokens)
        error = ((logits_of(model, tokens) - expected).norm() / expected.norm()).item()
        assert error > 1e-4 or name in ("float32", "linear"), "a quantized model differs"
        assert error < (0.6 if "int4" in name else 0.15), name
    assert parts.converted.linear_layers(tiny) == 9, "the original is left as it was"
    monkeypatch.setitem(parts.weight_formats.MAKERS, "dynamic", lambda model, _: copy.deepcopy(model))
    with pytest.raises(ValueError, match="9 layers were to be quantized, 0 were; left alone: Conv1D, Linear"):
        parts.weight_formats.in_format("dynamic", tiny, texts)
    half = static(parts, tiny, tokens, head=False)
    assert parts.converted.converted_layers(half) == 9
    assert type(half.lm_head) is not type(static(parts, tiny, tokens).lm_head)


def test_a_model_must_see_text_before_it_is_converted(parts, tiny):
    with pytest.raises(ValueError, match=r"Call calibrate\(model, batches\) first"):
        parts.eager_mode.convert_static(parts.eager_mode.prepare_static(tiny))
    with pytest.raises(ValueError, match="no observers"):
        parts.eager_mode.convert_static(tiny)
    other = SimpleNamespace(config=SimpleNamespace(model_type="bert"))
    for act in (parts.eager_mode.prepare_static, parts.eager_mode.quantize_dynamically):
        with pytest.raises(ValueError, match="only a GPT-2 or a Llama is quantized here; the model is of type 'bert'"):
            act(other)
    with pytest.raises(ValueError, match="an observer must be one of min-max, moving average, histogram; got 'eye'"):
        parts.eager_mode.prepare_static(tiny, "eye")


def test_an_engine_that_is_not_here_names_those_that_are(parts):
    here = [engine for engine in torch.backends.quantized.supported_engines if engine != "none"]
    with pytest.raises(ValueError, match=f"one that is here \\({', '.join(here)}\\); got 'abacus'"):
        parts.eager_mode.use_engine("abacus")
    assert parts.eager_mode.use_engine() in here
    assert parts.eager_mode.use_engine(here[-1]) == here[-1] == torch.backends.quantized.engine


def test_without_linear_nearly_nothing_is_converted_and_the_check_says_so(load_sprint):
    script = load_sprint(f"{FOLDER}/forgotten_conv1d.py")
    results = script.main(script.Config(layers=2, d_model=64, vocab_size=96, turns=2, new_tokens=2))
    found = results.outcomes
    assert {name: outcome.converted for name, outcome in found.items()} == {
        "float32": 0,
        "dynamic, as it is": 1,
        "static, as it is": 0,
        "dynamic, Linear": 9,
        "static, Linear": 9,
    }
    assert found["static, as it is"].logit_difference == 0
    assert found["static, as it is"].megabytes == pytest.approx(found["float32"].megabytes, rel=0.01)
    assert found["dynamic, as it is"].logit_difference > 0, "a difference alone proves little"
    assert found["dynamic, as it is"].megabytes > found["float32"].megabytes, "the shared embedding is there twice"
    for name in ("dynamic, as it is", "static, as it is"):
        assert "left alone: Conv1D" in found[name].caught
    assert found["dynamic, Linear"].caught == "nothing to object to"
    assert "None of the submodule got qconfig applied" in results.warning
    for name in ("dynamic, Linear", "static, Linear"):
        assert found[name].logit_difference > 0
        assert found[name].megabytes < 0.65 * found["float32"].megabytes


def test_a_dynamic_model_sees_a_little_of_the_future(parts, tiny, tokens):
    for name in ("float32", "static", "int8-kernel"):
        model = parts.weight_formats.in_format(name, tiny, [tokens])
        check_causality(lambda x, model=model: logits_of(model, x), tokens, vocab_size=96)
        assert parts.logit_errors.future_moves(model, tokens[:1], torch.arange(32)) < 1e-5
    dynamic = parts.weight_formats.in_format("dynamic", tiny, [])
    assert parts.logit_errors.future_moves(dynamic, tokens[:1], torch.arange(32)) > 1e-4
    with pytest.raises(InvariantError, match="reads the future"):
        check_causality(lambda x: logits_of(dynamic, x), tokens, vocab_size=96)


# Weights alone


@pytest.mark.parametrize("outputs", [32, 37])
def test_packed_layers_compute_with_the_rounded_weights(parts, generator, outputs):
    linear = nn.Linear(64, outputs)
    x = torch.randn(2, 3, 64, generator=generator)
    fake = integer_grid.fake_quantize
    for packed, weight in (
        (parts.packed_linear.Int8Linear(linear), fake(linear.weight.detach(), 8, "channel")),
        (parts.packed_linear.Int4Linear(linear, group=32), fake(linear.weight.detach(), 4, "group", group=32)),
    ):
        torch.testing.assert_close(packed(x), x @ weight.T + linear.bias, rtol=1e-4, atol=1e-4)
    half = linear.to(torch.bfloat16)
    assert parts.packed_linear.Int8Linear(half)(x.bfloat16()).dtype == torch.bfloat16


@needs_torchao
def test_torchao_rounds_as_we_do(parts, tiny, tokens):
    weight = tiny.transformer.h[0].mlp.c_fc.weight.detach().T.contiguous().bfloat16()
    int8, int4 = (parts.weight_formats.in_format(name, tiny, []) for name in ("torchao-int8", "torchao-int4"))
    assert parts.converted.converted_layers(int8) == 9
    assert parts.converted.converted_layers(int4) == 8, "the head stays in bfloat16"
    theirs = int8.transformer.h[0].mlp.c_fc.weight
    grid = integer_grid.make_grid(*integer_grid.min_max(weight.float(), 8, True), 8, symmetric=True)
    # They compute the scale in the type of the weight; bfloat16 has eight binary digits.
    torch.testing.assert_close(theirs.scale, grid.scale, rtol=2**-8, atol=0)
    assert (theirs.qdata - integer_grid.quantize(weight.float(), grid)).abs().max() <= 1
    expected = logits_of(tiny, tokens)
    for model, most in ((int8, 0.15), (int4, 0.6)):
        assert 1e-4 < (logits_of(model, tokens) - expected).norm() / expected.norm() < most
    assert parts.converted.saved_bytes(int4) < parts.converted.saved_bytes(int8)


def test_a_missing_torchao_is_an_error_that_names_the_command(parts, monkeypatch):
    monkeypatch.setattr(parts.weight_formats, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match=r"uv run --group quantization sprints/14_quantization/speed\.py") as error:
        parts.weight_formats.check_formats(("float32", "dynamic", "torchao-int4"), "speed")
    assert "--ways float32 dynamic" in str(error.value)
    parts.weight_formats.check_formats(WITHOUT_TORCHAO, "speed")
    with pytest.raises(ValueError, match="must be among float32, linear"):
        parts.weight_formats.check_formats(("int3",), "speed")


def test_fewer_bits_cost_more_and_finer_grids_less(load_sprint):
    script = load_sprint(f"{FOLDER}/perplexity_against_bits.py")
    config = script.Config(bits=(8, 3), texts=4)
    results = script.main(config)
    found = results.perplexity
    assert results.optimum < results.float32
    assert all(eight < 1.01 * results.float32 for eight, _ in found.values())
    assert all(eight < three for eight, three in found.values())
    assert found["a grid for each group"][1] < found["a grid for each channel"][1] < found["one grid for a matrix"][1]
    assert found["channel, least squared error"][1] < found["a grid for each channel"][1]
    assert results.bits_with_scales["a grid for each group"] == [8.25, 3.25]
    assert results.bits_with_scales["group, affine"] == [8 + 24 / 64, 3 + 19 / 64], (
        "a zero point has the bits of a weight"
    )
    # Rows of 192 weights have a twelfth of a bit for each, rows of 768 a quarter of that.
    assert 8 + 16 / 768 < results.bits_with_scales["a grid for each channel"][0] < 8 + 16 / 192
    again = script.main(replace(config, bits=(3,)))
    assert {name: values[1:] for name, values in found.items()} == again.perplexity, "same seed, same results"


# The shipped model


def test_eight_bits_cost_less_than_a_percent_of_perplexity(load_sprint, parts):
    script = load_sprint(f"{FOLDER}/quality.py")
    config = script.Config(ways=WITHOUT_TORCHAO, texts=5, calibration=2, replacements=8)
    results = script.main(config)
    found = results.ways
    assert results.linear_layers == 17
    for name, quality in found.items():
        assert quality.converted == (0 if name in parts.weight_formats.FLOATING else 17)
        assert quality.excess < (0.02 if name == "int4-kernel" else 0.01), name
        assert quality.perplexity > results.optimum * 0.99
        assert quality.excess == pytest.approx(quality.perplexity / found["float32"].perplexity - 1, abs=1e-6)
        assert quality.agreement <= quality.agreement_when_sure
    assert found["float32"].largest_logit_error == found["float32"].kl == found["float32"].future_moves == 0
    assert found["float32"].agreement == 1
    for name in ("dynamic", "static", "int8-kernel", "int4-kernel"):
        assert found[name].largest_logit_error > found[name].mean_logit_error > 0
        assert found[name].kl > 0
    assert found["dynamic"].future_moves > 1e-3 > 1e-4 > found["static"].future_moves
    assert "deprecated" in results.deprecation
    again = script.main(replace(config, ways=("dynamic", "static"))).ways
    assert all(again[name] == found[name] for name in again), "same seed, same results"


def test_logit_errors_are_those_of_a_plain_loop(parts, generator):
    reference, ours = torch.randn(2, 2, 5, 7, generator=generator).unbind(0)
    tokens = torch.randint(7, (2, 5), generator=generator)
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2])
    tally = parts.logit_errors.Tally([])
    batch = sys.modules["shared.text.batches"].Batch(tokens, mask)
    tally.add(ours, reference, batch)
    pairs = [
        (reference[row, place], ours[row, place]) for row, place in ((0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1))
    ]
    assert tally.error == pytest.approx(sum((b - a).abs().mean().item() for a, b in pairs), rel=1e-5)
    assert tally.largest == pytest.approx(max((b - a).abs().max().item() for a, b in pairs))
    divergence = sum((a.softmax(0) * (a.log_softmax(0) - b.log_softmax(0))).sum().item() for a, b in pairs)
    assert tally.kl == pytest.approx(divergence, rel=1e-5)
    assert tally.same == sum(int(a.argmax() == b.argmax()) for a, b in pairs)
    assert tally.sure == sum(int(a.softmax(0).max() > 0.5) for a, _ in pairs)


def test_observers_on_a_little_text(load_sprint):
    script = load_sprint(f"{FOLDER}/static_observers.py")
    results = script.main(script.Config(texts=2, calibration=(1,)))
    assert len(results.excess) == 6
    assert all(abs(found[0]) < 0.02 for found in results.excess.values())


# Options

WIDTHS = ("--layers 0", "--d-model 0", "--d-model 100", "--vocab-size 0")
WRONG_OPTIONS = {
    "file_size": WIDTHS,
    "forgotten_conv1d": (*WIDTHS, "--turns 0", "--new-tokens 0", "--new-tokens 2000"),
    "loss_scaling": ("--texts 0", "--block 1", "--powers 2000", "--powers"),
    "number_formats": ("--update 0", "--update inf", "--additions 0", "--repeats 1"),
    "perplexity_against_bits": ("--bits 1", "--bits 17", "--group 0", "--texts 0"),
    "quality": ("--ways int3", "--texts 1", "--calibration 0", "--replacements 0"),
    "quantize_tensors": ("--bits 8", "--bits 8 8", "--bits 9 8", "--bits 1 8", "--numbers 0"),
    "ranges_and_outliers": ("--bits 0", "--numbers 0", "--numbers 20000000", "--outlier 0", "--channels 0"),
    "roofline": (*WIDTHS, "--megabytes 0", "--batches 0", "--turns 0", "--new-tokens 0"),
    "speed": (*WIDTHS, "--ways int3", "--turns 0", "--prompt 0", "--prompt 2000", "--new-tokens 0"),
    "static_observers": ("--texts 0", "--calibration 0"),
    "activation_outliers": ("--bits 1", "--texts 0", "--left-out 0"),
    "bits_of_a_number": ("--number 0", "--number inf"),
    "number_line": ("--bits 1", "--bits 6", "--low 2"),
    "three_ways": ("--seen 0",),
    "who_shares_a_grid": ("--bits 1", "--bits 9"),
}


@pytest.mark.parametrize("name", WRONG_OPTIONS)
def test_options_out_of_range_are_refused(load_sprint, capsys, name):
    config = load_sprint(f"{FOLDER}/{name}.py").Config
    for words in WRONG_OPTIONS[name]:
        with pytest.raises(SystemExit) as end:
            parse_config(config, words.split())
        assert end.value.code == 2, words
        assert words.split()[0] in capsys.readouterr().err, words


def test_a_group_that_divides_no_row_is_refused_before_the_first_model(load_sprint, monkeypatch):
    script = load_sprint(f"{FOLDER}/perplexity_against_bits.py")
    monkeypatch.setattr(script, "rounded", None)
    with pytest.raises(ValueError, match=r"got --group 100 for (\d+) weights: \1 fits"):
        script.main(script.Config(group=100))


# Bytes and seconds


def test_files_are_as_large_as_computed_and_an_int8_embedding_brings_them_below_a_third(load_sprint):
    script = load_sprint(f"{FOLDER}/file_size.py")
    results = script.main(script.Config(layers=2, d_model=256, vocab_size=5001))
    for name, size in results.sizes.items():
        assert size.computed == pytest.approx(sum(size.megabytes.values()))
        if size.saved is not None:
            assert size.saved == pytest.approx(size.computed, rel=0.03), name
    assert results.sizes["int8, embedding float32"].of_float32 > 0.5
    assert results.sizes["int8, embedding int8"].of_float32 < 0.45
    assert results.sizes["int4 kernel, embedding bfloat16"].megabytes["output layer"] == pytest.approx(
        5001 * 256 * (0.5 + 4 / 64) / 1e6
    )


def test_gpt2_small_needs_less_than_035_of_its_bytes(load_sprint):
    script = load_sprint(f"{FOLDER}/file_size.py")
    d_model, vocab, layers = 768, 50_257, 12
    count = {"blocks": 12 * layers * d_model**2, "output layer": vocab * d_model, "token embedding": vocab * d_model}
    count["positions, norms and biases"] = 124_439_808 - count["blocks"] - count["output layer"]
    channels = {"blocks": layers * 9 * d_model, "output layer": vocab}
    sizes = {name: sum(script.bytes_of(count, channels, name).values()) for name in script.MAKERS}
    assert sizes["float32"] == 4 * 124_439_808
    assert sizes["int8, embedding int8"] < 0.35 * sizes["float32"] < sizes["int8, embedding float32"]


def test_ratios_claim_only_what_their_interval_shows(parts, generator):
    ratio = parts.timed_turns.ratio
    faster = ratio([2.0, 2.2, 2.1, 1.9] * 5, [1.0, 1.1, 1.0, 1.0] * 5, generator)
    assert faster.low <= faster.estimate <= faster.high
    assert faster.low > 1.8
    assert faster.verdict == "faster"
    assert ratio([1.0] * 20, [2.0] * 20, generator).verdict == "slower"
    assert ratio([1.0, 2.0] * 10, [2.0, 1.0] * 10, generator).verdict == "no difference shown"
    assert ratio([0.9, 1.2] * 10, [1.0] * 20, generator).verdict == "no difference shown"
    assert ratio([3.0] * 5, [1.0] * 5, generator).estimate == 3
    with pytest.raises(ValueError, match="got 2 and 1 turns"):
        ratio([1.0, 2.0], [1.0], generator)


def test_turns_alternate_and_the_warm_up_does_not_count(parts):
    order: list[str] = []

    def contender(name):
        return lambda: order.append(name) or float(len(order))

    seconds = parts.timed_turns.take_turns({"a": contender("a"), "b": contender("b")}, turns=3, warm_up=1)
    assert {name: len(found) for name, found in seconds.items()} == {"a": 3, "b": 3}
    assert order == ["a", "b", "b", "a", "a", "b", "b", "a"]
    assert seconds["a"][0] == 4, "the first turn was for warming up"


def test_our_decoding_loop_writes_what_generate_writes(parts, tiny, tokens, monkeypatch):
    written = []
    forward = type(tiny).forward

    def watched(self, *arguments, **options):
        output = forward(self, *arguments, **options)
        written.append(output.logits[:, -1].argmax(-1).item())
        return output

    monkeypatch.setattr(type(tiny), "forward", watched)
    parts.timed_turns.decode_seconds(tiny, tokens[:1], 6)
    ours, written = written.copy(), []
    theirs = tiny.generate(
        tokens[:1], attention_mask=torch.ones_like(tokens[:1]), do_sample=False, max_new_tokens=7, pad_token_id=0
    )
    assert ours == theirs[0, tokens.shape[1] :].tolist()


def test_speed_compares_all_formats(load_sprint):
    script = load_sprint(f"{FOLDER}/speed.py")
    results = script.main(
        script.Config(
            ways=WITHOUT_TORCHAO, layers=1, d_model=64, vocab_size=96, turns=2, prompt=20, new_tokens=2, engine="auto"
        )
    )
    assert list(results.ways) == list(WITHOUT_TORCHAO)
    base = results.ways["float32"]
    assert base.decode.estimate == base.prefill.estimate == base.of_float32 == 1
    assert base.decode.verdict == "no difference shown"
    for speed in results.ways.values():
        assert speed.decode_tokens_per_second > 0
        assert speed.decode.low <= speed.decode.estimate <= speed.decode.high
    assert script.plot(results).axes


def test_the_limit_is_the_bandwidth_by_the_bytes_of_a_token(load_sprint, parts, monkeypatch):
    monkeypatch.setattr(parts.machine_limits, "SQUARE", 64)
    script = load_sprint(f"{FOLDER}/roofline.py")
    config = script.Config(layers=1, d_model=64, vocab_size=96, megabytes=(1, 4), batches=(1, 4), turns=1, new_tokens=2)
    results = script.main(config)
    assert results.weights_per_token == 12 * 64**2 + 96 * 64
    for name, roof in results.roofs.items():
        assert roof.bytes_per_token == script.FORMATS[name][0] * results.weights_per_token
        assert roof.limit_tokens_per_second == pytest.approx(roof.bandwidth * 1e9 / roof.bytes_per_token)
        assert roof.intensities == [2 / script.FORMATS[name][0], 8 / script.FORMATS[name][0]]
        assert all(math.isfinite(rate) and rate > 0 for rate in roof.gflops)
    assert script.plot(results).axes


# Models of both families, and text of one's own


@pytest.fixture(params=["gpt2", "llama"])
def folder(request, tmp_path):
    """A random model of two blocks in a folder of transformers, with the tokenizer of the shipped one, and a text."""
    tokenizer = load_tokenizer()
    torch.manual_seed(0)
    if request.param == "gpt2":
        model = GPT2LMHeadModel(GPT2Config(n_layer=2, n_embd=64, n_head=1, vocab_size=len(tokenizer), n_positions=64))
    else:
        size = {
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "max_position_embeddings": 64,
        }
        shape = {"hidden_size": 64, "intermediate_size": 128, "vocab_size": len(tokenizer), "tie_word_embeddings": True}
        model = LlamaForCausalLM(LlamaConfig(**size, **shape))
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    seal(tmp_path / "model")
    steps = " ".join(f"Step {number}: chop the garlic and heat the oil." for number in range(300))
    (tmp_path / "text.txt").write_text(steps, encoding="utf-8")
    layers = {"gpt2": 9, "llama": 15}[request.param]
    return SimpleNamespace(model=str(tmp_path / "model"), text=str(tmp_path / "text.txt"), layers=layers)


def test_scripts_take_a_gpt2_and_a_llama_and_a_text_of_ones_own(load_sprint, folder):
    read = {"model": folder.model, "text": folder.text, "block": 16}
    quality = load_sprint(f"{FOLDER}/quality.py")
    options = {"ways": WITHOUT_TORCHAO, "texts": 2, "calibration": 1, "replacements": 2}
    results = quality.main(quality.Config(**read, **options))
    assert results.linear_layers == folder.layers
    assert ("linear" in results.ways) == (folder.layers == 9), "a Llama has no Conv1D to turn"
    assert results.optimum is None
    assert results.tokens == 2 * 15
    for name in ("dynamic", "static", "int8-kernel", "int4-kernel"):
        assert results.ways[name].converted == folder.layers
        assert results.ways[name].kl > 0
    speed = load_sprint(f"{FOLDER}/speed.py")
    timing = {"ways": ("float32", "dynamic"), "turns": 2, "prompt": 20, "new_tokens": 2}
    timed = speed.main(speed.Config(model=folder.model, **timing))
    assert timed.linear_layers == timed.ways["dynamic"].converted == folder.layers
    with pytest.raises(
        ValueError, match="looks at 64 tokens: --prompt may be at most 64, --new-tokens 48; got 65 and 2"
    ):
        speed.main(speed.Config(model=folder.model, **timing | {"prompt": 65}))


def test_weights_gradients_and_activations_of_both_families(load_sprint, folder):
    read = {"model": folder.model, "text": folder.text, "block": 16}
    bits = load_sprint(f"{FOLDER}/perplexity_against_bits.py")
    found = bits.main(bits.Config(**read, bits=(8, 2), group=32, texts=1))
    assert found.optimum is None
    assert all(eight != two for eight, two in found.perplexity.values())
    observers = load_sprint(f"{FOLDER}/static_observers.py")
    assert len(observers.main(observers.Config(**read, texts=1, calibration=(1,))).excess) == 6
    scaling = load_sprint(f"{FOLDER}/loss_scaling.py")
    assert scaling.main(scaling.Config(**read, texts=2, powers=(0, 40))).overflow["float16"][1] > 0
    tensors = load_sprint(f"{FOLDER}/quantize_tensors.py")
    assert len(tensors.main(tensors.Config(model=folder.model, bits=(4, 8), numbers=100)).decibel) == 5
    outliers = load_sprint(f"{FOLDER}/activation_outliers.py")
    seen = outliers.main(outliers.Config(**read, texts=2, left_out=(1, 99)))
    assert len(seen.layers) == folder.layers
    assert {layer.block for layer in seen.layers} == {0, 1, None}
    everything = f"the same, without the worst {folder.layers}"
    assert seen.loss[everything] == seen.float32 != seen.loss["a grid for each token"]
    with pytest.raises(ValueError, match="--block must be at most what the model can look at, 64 tokens; got 65"):
        outliers.main(outliers.Config(**read | {"block": 65}))
    with pytest.raises(ValueError, match="give a longer --text, or a shorter --block"):
        outliers.main(outliers.Config(**read, texts=10_000))


def test_passages_of_a_text_share_nothing(parts, folder):
    model, tokenizer = load_causal_model(folder.model)
    passages = parts.passages.passages_for(model, tokenizer, folder.model, folder.text, 8)
    text = Path(folder.text).read_text(encoding="utf-8")
    said = {
        part: tokenizer.decode([token for batch in passages.batches(part, 0, 10) for token in batch.tokens[0].tolist()])
        for part in ("train", "validation", "test")
    }
    for part, (start, end) in parts.passages.ENDS.items():
        first = text.index(said[part].strip())
        assert start * len(text) - 1 <= first <= first + len(said[part]) <= end * len(text) + 1, part
        assert first - start * len(text) < 20, "the first passage begins where the part does"
    assert parts.passages.passages_for(model, tokenizer, "cookbook", None, None).text is None
    with pytest.raises(ValueError, match="cannot read nowhere"):
        parts.passages.passages_for(model, tokenizer, folder.model, "nowhere", 8)


# One large activation


def test_one_large_token_spoils_a_grid_for_all_and_no_other_grid(parts, generator):
    x = torch.randn(1, 6, 8, generator=generator)
    x[0, 0, 3] = 500.0
    rounded = {per: parts.activations.round_activations(x, 7, per) for per in ("tensor", "token")}
    assert rounded["tensor"][0, 1:].abs().max() <= 4, "a step is 4: all that is left is a step or nothing"
    errors = {per: (rounded[per] - x)[0, 1:].norm() / x[0, 1:].norm() for per in rounded}
    assert errors["token"] < 0.02
    assert errors["tensor"] > 0.5
    calm = x[:, 1:]
    moved = calm.clone()
    moved[0, -1] *= 50
    for per, stays in (("token", True), ("tensor", False)):
        before, after = (parts.activations.round_activations(inputs, 7, per)[0, :-1] for inputs in (calm, moved))
        assert torch.equal(before, after) == stays, "a later token moves the others where all share a grid"


def test_inputs_are_met_and_sizes_remembered(parts, tiny, tokens):
    met: list[str] = []
    sizes = parts.activations.InputSizes()
    with parts.activations.meeting_inputs(tiny, lambda name, _: met.append(name)):
        logits_of(tiny, tokens)
    assert len(met) == 9
    with parts.activations.meeting_inputs(tiny, lambda _, x: torch.zeros_like(x)):
        changed = logits_of(tiny, tokens)
    assert not torch.equal(changed, logits_of(tiny, tokens))
    assert len(met) == 9, "nobody watches afterwards"
    x = torch.ones(1, 3, 4)
    x[0, 1, 2] = -7
    sizes.add(x)
    assert (sizes.largest, sizes.place, sizes.feature, sizes.usual()) == (7, 1, 2, 1)

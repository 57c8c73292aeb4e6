"""Sprint 14: outliers moved, GPTQ, and a quantized model that is saved and loaded."""

import contextlib
import itertools
import sys
from types import SimpleNamespace

import pytest
import torch
from lesson_texts import lesson_texts
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from shared.lab.config import parse_config
from shared.nn.integer_grid import Grid
from shared.nn.model_folders import seal
from shared.nn.pretrained import load_tokenizer
from shared.text.batches import pad_rows

FOLDER = "14_quantization"
_, note = lesson_texts(FOLDER, minus="-")


@pytest.fixture
def scripts(load_sprint) -> SimpleNamespace:
    names = ("tame_outliers", "gptq_against_rounding", "save_quantized", "move_an_outlier", "two_weights", "pack_a_row")
    return SimpleNamespace(**{name: load_sprint(f"{FOLDER}/{name}.py") for name in names})


@pytest.fixture
def parts(scripts) -> SimpleNamespace:  # noqa: ARG001 (the scripts put the package on the path)
    names = ("activations", "converted", "eager_mode", "gptq", "layer_by_layer", "smoothing")
    found = SimpleNamespace(**{name: sys.modules[f"quantizing.{name}"] for name in names})
    found.eager_mode.use_engine()
    return found


def random_model(family: str, vocab_size: int = 60):
    torch.manual_seed(0)
    if family == "gpt2":
        model = GPT2LMHeadModel(
            GPT2Config(n_layer=2, n_embd=32, n_head=2, vocab_size=vocab_size, n_positions=32, initializer_range=0.2)
        )
    else:
        shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
        size = {"num_key_value_heads": 1, "max_position_embeddings": 32, "initializer_range": 0.2}
        model = LlamaForCausalLM(LlamaConfig(**shape, **size, vocab_size=vocab_size, tie_word_embeddings=True))
    for name, parameter in model.named_parameters():
        if parameter.dim() == 1:  # norms and biases that are not all 1 and 0
            parameter.data.copy_((0.0 if "bias" in name else 1.0) + 0.2 * torch.randn_like(parameter))
    return model.eval()


@pytest.fixture(params=["gpt2", "llama"])
def model(request):
    return random_model(request.param)


@pytest.fixture
def batches():
    generator = torch.Generator().manual_seed(1)
    return [pad_rows(torch.randint(60, (1, 24), generator=generator).tolist()) for _ in range(6)]


def logits_of(model: nn.Module, batches) -> torch.Tensor:
    with torch.no_grad():
        return torch.cat([model(input_ids=batch.tokens, use_cache=False).logits for batch in batches])


def with_outliers(parts, model):
    """Return a model that computes the same with a large feature behind each norm: smoothing the wrong way round."""
    found = parts.converted.with_linears(model)
    parts.smoothing.own_head(found)
    with torch.no_grad():
        for producer, readers in parts.smoothing.folds(found):
            by = torch.ones(found.get_submodule(readers[0]).in_features)
            by[3] = 1 / 300
            parts.smoothing.divide_outputs(found.get_submodule(producer), by)
            for name in readers:
                found.get_submodule(name).weight *= by
    return found


# Outliers


def test_smoothing_changes_no_logit_and_evens_out_the_largest(parts, model, batches):
    before, state = logits_of(model, batches), {name: x.clone() for name, x in model.state_dict().items()}
    largest = parts.activations.largest_inputs(model, batches)
    smoothed = parts.smoothing.smooth(model, largest, 0.5)
    torch.testing.assert_close(logits_of(smoothed, batches), before, rtol=1e-4, atol=1e-4)
    assert all(torch.equal(x, model.state_dict()[name]) for name, x in state.items()), "the model itself stays"
    after = parts.activations.largest_inputs(smoothed, batches)
    folds = parts.smoothing.folds(model)
    assert len(folds) == {"gpt2": 2 * 2, "llama": 2 * 3}[model.config.model_type] + 1
    linear = parts.converted.with_linears(model)
    for producer, readers in folds:
        weights = torch.cat([linear.get_submodule(name).weight for name in readers]).abs().amax(0)  # of all readers
        equal_share = (largest[readers[0]] * weights).sqrt()
        torch.testing.assert_close(after[readers[0]], equal_share, rtol=1e-3, atol=1e-4, msg=producer)
    head = smoothed.get_submodule("lm_head").weight.abs().amax(0)
    torch.testing.assert_close(after["lm_head"], head, rtol=1e-3, atol=1e-4)
    assert smoothed.get_input_embeddings().weight is not smoothed.get_submodule("lm_head").weight
    with pytest.raises(ValueError, match="alpha must be between 0"):
        parts.smoothing.smooth(model, largest, 1.5)


def test_smoothing_saves_what_outliers_break(parts, model, batches):
    broken = with_outliers(parts, model)
    exact = logits_of(model, batches)
    torch.testing.assert_close(logits_of(broken, batches), exact, rtol=1e-3, atol=1e-3)
    smoothed = parts.smoothing.smooth(broken, parts.activations.largest_inputs(broken, batches), 0.5)

    def error(made):
        return (logits_of(parts.eager_mode.quantize_dynamically(made), batches) - exact).square().mean().item()

    assert error(smoothed) < 0.2 * error(broken)
    assert error(smoothed) < 5 * error(model)


def test_features_that_are_kept_stay_and_do_not_count(parts):
    x = torch.tensor([[500.0, 0.5, -0.3], [-400.0, 0.2, 0.1]])
    kept = torch.tensor([True, False, False])
    rounded = parts.activations.round_all_but(x, 7, "tensor", kept)
    assert torch.equal(rounded[:, 0], x[:, 0])
    assert torch.equal(rounded[:, 1:], parts.activations.round_activations(x[:, 1:], 7, "tensor"))
    assert (rounded - x).abs().max() < 0.8 / 127


def test_ways_of_dynamic_int8_meet_their_outliers(parts, scripts, batches):
    tame = scripts.tame_outliers
    broken = with_outliers(parts, random_model("gpt2"))
    float32 = tame.loss_on(broken, batches)

    def rise(**way):
        return tame.loss_in(tame.Way(**way), 7, broken, batches, batches) - float32

    layers = parts.converted.linear_layers(broken)
    plain = abs(rise(per="tensor"))
    assert tame.loss_in(tame.Way("tensor", layers=layers), 7, broken, batches, batches) == float32
    assert abs(rise(per=None)) < 0.2 * plain
    assert abs(rise(per="tensor", features=1)) < 0.2 * plain
    assert abs(rise(per="tensor", alpha=0.5)) < 0.2 * plain
    assert abs(rise(per="token")) > 0.2 * plain, "every token has the outlier: a grid for each does not help"


def test_the_worst_layer_is_the_one_with_a_token_far_above_the_median(scripts, monkeypatch):
    calm, large, wild = torch.ones(1, 5, 3), torch.full((1, 5, 3), 500.0), torch.ones(1, 5, 3)
    wild[0, 0, 1] = -100  # smaller than what is large everywhere

    @contextlib.contextmanager
    def meeting(_, meet):
        for name, x in (("calm", calm), ("wild", wild), ("large", large)):
            meet(name, x)
        yield

    monkeypatch.setattr(scripts.tame_outliers, "meeting_inputs", meeting)
    monkeypatch.setattr(scripts.tame_outliers, "loss_on", lambda *_: 0.0)
    assert scripts.tame_outliers.worst_layers(nn.Module(), [], 1) == {"wild"}


def test_note_11_moves_an_outlier_by_hand(scripts, parts):
    found = scripts.move_an_outlier.main(scripts.move_an_outlier.Config())
    assert found.factors == [8, 1]
    assert found.after.tokens == [[2, 0.5], [-1.5, pytest.approx(-0.4)]]
    assert found.after.weights == [[2, 0.5]]
    for before, after in zip(found.before.outputs, found.after.outputs, strict=True):
        assert before == pytest.approx(after)
    assert f"28 / 15 = {found.before.step:.2f}" in note(11)
    assert f"3.5 / 15 = {found.after.step:.3f}" in note(11)
    assert [row[1] for row in found.before.rounded] == [0, 0], "the second feature is gone"
    assert f"{found.after.rounded[0][1]:.2f} and {found.after.rounded[1][1]:.2f}" in note(11)
    for output in found.before.outputs:
        assert f"{output[0]:g}" in note(11)
    assert scripts.move_an_outlier.plot(found).axes
    alone = parts.activations.round_activations(torch.tensor([[16.0, 0.5]]), 4, "token")
    assert f"a step of {16 / 15:.2f}" in note(11)
    assert alone[0, 1] == 0, "a grid for the token alone does not help"
    evened = parts.smoothing.factors(torch.tensor([16.0, 0.5]), torch.tensor([0.25, 0.5]), 0.0)
    assert (evened.tolist(), (torch.tensor([16.0, 0.5]) / evened).tolist()) == ([4, 2], [4, 0.25])


# GPTQ


def test_each_column_is_rounded_from_the_best_answer_to_those_before(parts):
    generator = torch.Generator().manual_seed(0)
    mixed = torch.randn(12, 12, generator=generator).double()
    inputs = torch.randn(50, 12, generator=generator).double() @ mixed  # (tokens, inputs)
    weight = torch.randn(5, 12, generator=generator).double()
    made = parts.gptq.gptq(weight, inputs.T @ inputs, 4, 4, damping=0.0)
    rounded = made.to_float().double()
    nearest = parts.gptq.round_to_nearest(weight, 4, 4)
    assert not torch.equal(made.integers, nearest.integers)
    for row, column in itertools.product(range(5), range(12)):
        wanted = inputs @ weight[row] - inputs[:, :column] @ rounded[row, :column]
        best = torch.linalg.lstsq(inputs[:, column:], wanted).solution  # of the remaining weights
        if column % 4 == 0:
            step = (2 * best[:4].abs().max() / 15).half()
            assert made.scales[row, column // 4] == step, "a group's scale is that of its weights when they are reached"
        step = made.scales[row, column // 4].double()
        assert made.integers[row, column] == (best[0] / step).round().clamp(-8, 7), (row, column)


def test_two_weights_are_never_worse_than_to_the_nearest_and_three_can_be(parts):
    generator = torch.Generator().manual_seed(0)
    grid = Grid(torch.ones(1, 1).double(), torch.zeros(1, 1).double(), -8, 7)

    def errors(weight, inputs):
        row, found = weight.clone(), []
        factor = parts.gptq.inverse_factor(inputs.T @ inputs, 0.0)
        for column in range(len(weight[0])):
            found.append(parts.gptq.round_column(row, factor, column, grid)[1].item())
        there = torch.tensor(found).double()
        return [(inputs @ (weight[0] - to)).square().sum().item() for to in (weight[0].round(), there)]

    for _ in range(200):
        nearest, gptq = errors(
            torch.randn(1, 2, generator=generator).double(), torch.randn(6, 2, generator=generator).double()
        )
        assert gptq <= nearest + 1e-9
    inputs = torch.tensor([[1, 0, 0], [0, 0, 1], [1, -1, -1]]).double()
    nearest, gptq = errors(torch.tensor([[0.7, 0.3, 0.6]]).double(), inputs)
    assert (round(nearest, 6), round(gptq, 6)) == (0.29, 0.49)
    assert "0.29" in note(12)
    assert "0.49" in note(12)


def test_note_12_rounds_two_weights_by_hand(scripts):
    found = scripts.two_weights.main(scripts.two_weights.Config())
    assert found.hessian == [[4, 4], [4, 5]]
    assert found.moved == pytest.approx(0.62)
    assert (found.nearest, found.gptq) == ([0, 0], [0, 1])
    assert "0.3 + (4 / 5) · 0.4 = 0.62" in note(12)
    for corner, error in found.errors.items():
        assert f"| ({corner}) |" in note(12)
        assert f"| {error:.2f} |" in note(12)
    assert scripts.two_weights.plot(found).axes


def test_every_layer_of_a_model_is_rounded_and_its_outputs_are_nearer(parts, model, batches):
    before = logits_of(model, batches)
    made = parts.layer_by_layer.gptq_all(model, batches, 4, 16)
    nearest = parts.layer_by_layer.round_all(model, 4, 16)
    assert len(made.errors) == parts.converted.linear_layers(model) == len(made.weights) == len(nearest.weights)
    for layer in made.errors:
        assert layer.gptq < layer.nearest, layer.name
    for quantized in (made, nearest):
        parameters = dict(quantized.model.named_parameters())
        for name, weight in quantized.weights.items():
            assert torch.equal(parameters[name], weight.to_float()), name
            assert weight.integers.min() >= -8
            assert weight.integers.max() <= 7
    assert torch.equal(logits_of(model, batches), before), "the model itself stays"
    errors = [(logits_of(quantized.model, batches) - before).square().mean() for quantized in (made, nearest)]
    assert errors[0] < errors[1]


def test_a_block_sees_what_the_blocks_before_it_make_of_text(parts, model, batches):
    made = parts.layer_by_layer.gptq_all(model, batches, 3, 16)
    _, blocks = parts.layer_by_layer.blocks_of(made.model)
    first = next(name for name, module in blocks[1].named_modules() if isinstance(module, nn.Linear))
    with torch.no_grad():
        products = parts.layer_by_layer.input_products(made.model, lambda: logits_of(made.model, batches))
        exact = parts.converted.with_linears(model)
        name = f"{parts.layer_by_layer.blocks_of(model)[0]}.1.{first}"
        weight = exact.get_submodule(name).weight
        expected = parts.gptq.gptq(weight, products[name], 3, 16)
    agree = (made.weights[f"{name}.weight"].integers == expected.integers).float().mean()
    assert agree > 0.99


def test_note_13_packs_a_row_by_hand(scripts, parts):
    script = scripts.pack_a_row
    found = script.main(script.Config())
    assert found.integers == [6, -4, 2, 7]
    assert found.packed == [78, 250]
    assert f"2 · 0.4 / 15 = {found.scale:.4f}" in note(13)
    for pair, byte in zip(((6, -4), (2, 7)), found.packed, strict=True):
        low, high = (number + 8 for number in pair)
        assert f"| {pair[0]}, {pair[1]} | {low}, {high} | {low} + 16 · {high} = {byte} |" in note(13)
    assert found.read == pytest.approx([found.scale * integer for integer in found.integers])
    again = parts.gptq.round_to_nearest(torch.tensor([found.read]), 4, 4)
    assert again.scales.item() == pytest.approx(14 / 15 * found.scale, rel=1e-3)
    assert again.to_float()[0].tolist() != pytest.approx(found.read, rel=1e-3), "new errors"
    assert script.plot(found).axes


def test_inputs_that_fill_no_space_are_refused(parts):
    with pytest.raises(ValueError, match="give more --calibration, or more damping"):
        parts.gptq.gptq(torch.ones(2, 4), torch.zeros(4, 4), 4, 2)
    with pytest.raises(ValueError, match="must divide into groups of 3"):
        parts.gptq.gptq(torch.ones(2, 4), torch.eye(4), 4, 3)


# Scripts


@pytest.fixture(params=["gpt2", "llama"])
def folder(request, tmp_path):
    tokenizer = load_tokenizer()
    random_model(request.param, len(tokenizer)).save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    seal(tmp_path / "model")
    steps = " ".join(f"Step {number}: chop the garlic and heat the oil." for number in range(300))
    (tmp_path / "text.txt").write_text(steps, encoding="utf-8")
    return SimpleNamespace(read={"model": str(tmp_path / "model"), "text": str(tmp_path / "text.txt"), "block": 16})


def test_scripts_take_models_of_both_families(scripts, folder, tmp_path):
    few = folder.read | {"texts": 1, "calibration": 3}
    tame = scripts.tame_outliers
    found = tame.main(tame.Config(**few, alphas=(0.5,), layers=2, features=2))
    assert len(found.loss) == 8
    assert found.test["float32"] == pytest.approx(found.test["float32, smoothed"], rel=1e-4)
    assert found.test["int8, dynamic"] != found.test["int8, dynamic, smoothed"]
    assert tame.plot(found).axes
    against = scripts.gptq_against_rounding
    rounded = against.main(against.Config(**few, bits=(4, 3), group=16))
    assert rounded.tokens_seen == 48
    assert len(rounded.layers) == found.linear_layers
    assert against.plot(rounded).axes
    save = scripts.save_quantized
    for options in ({"bits": 4}, {"bits": 8, "gptq": False}):
        saved = save.main(save.Config(**few, **options, group=16, out=tmp_path))
        assert saved.weights_that_differ == 0
        assert saved.loss["quantized"] == pytest.approx(saved.loss["saved and loaded"], rel=1e-5)
        assert saved.bits_per_weight == options["bits"] + 1
        assert saved.megabytes < saved.megabytes_float32 * (options["bits"] + 2) / 32
        assert "is not as it was written" in saved.refused["one bit flipped"]
        assert "says 'affine'" in saved.refused["another scheme"]


WRONG_OPTIONS = {
    "move_an_outlier": ("--alpha 2",),
    "tame_outliers": ("--alphas", "--alphas 2", "--bits 1", "--layers 0", "--features 0", "--texts 0"),
    "two_weights": ("--first 2",),
    "gptq_against_rounding": ("--bits", "--bits 9", "--group 0", "--damping 0", "--calibration 0"),
    "pack_a_row": ("--weights", "--weights 1 2 3", "--weights 0 0 0 0", "--weights 1 2 3 1000"),
    "save_quantized": ("--bits 3", "--group 0", "--calibration 0"),
}


@pytest.mark.parametrize("name", WRONG_OPTIONS)
def test_options_out_of_range_are_refused(load_sprint, capsys, name):
    config = load_sprint(f"{FOLDER}/{name}.py").Config
    for words in WRONG_OPTIONS[name]:
        with pytest.raises(SystemExit) as end:
            parse_config(config, words.split())
        assert end.value.code == 2, words
        assert words.split()[0] in capsys.readouterr().err, words

"""Sprint 21's methods on weights: what they leave alone, how much they train, what is refused."""

import json
import math
from pathlib import Path
from types import ModuleType

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

SPRINT = "21_adapters_and_prompts"


@pytest.fixture
def methods(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/adaptation/methods.py")


@pytest.fixture
def layer(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/adaptation/adapted_layer.py")


@pytest.fixture
def beside(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/adaptation/beside_peft.py")


def logits(beside: ModuleType, model: nn.Module) -> Tensor:
    return model(input_ids=beside.TOKENS).logits


WEIGHTS = ("houlsby", "ia3", "bitfit", "vera", "lora+", "dora")


@pytest.mark.parametrize("name", WEIGHTS)
def test_what_every_method_leaves_alone(methods, beside, load_sprint, tmp_path: Path, name: str):
    files, method, model = (
        load_sprint(f"{SPRINT}/adaptation/files.py"),
        methods.METHODS[name],
        beside.tiny_model("gpt2"),
    )
    before, weights = (
        logits(beside, model).detach(),
        {path: weight.clone() for path, weight in model.named_parameters()},
    )
    config = method.config(model, 2)
    adapted = method.inject(model, config, torch.Generator().manual_seed(0))
    torch.testing.assert_close(logits(beside, adapted), before, atol=1e-6, rtol=0)  # the identity at the start
    groups = method.groups(adapted, 0.03)
    assert {id(weight) for group in groups for weight in group["params"]} == {
        id(weight) for weight in methods.trainable(adapted).values()
    }
    start = {path: weight.clone() for path, weight in methods.trainable(adapted).items()}
    optimizer = torch.optim.AdamW(groups)
    for _ in range(3):  # of two factors one begins to move in the second step
        optimizer.zero_grad()
        adapted(input_ids=beside.TOKENS, labels=beside.TOKENS).loss.backward()
        optimizer.step()
    assert not [path for path, weight in methods.trainable(adapted).items() if torch.equal(weight, start[path])]
    after = logits(beside, adapted).detach()
    files.save(adapted, config, tmp_path, "base")
    again = beside.tiny_model("gpt2")
    files.load(again, tmp_path, "models/base")
    assert torch.equal(logits(beside, again), after)
    method.remove(adapted)
    assert torch.equal(logits(beside, model), before)
    assert dict(model.named_parameters()).keys() == weights.keys()
    assert all(torch.equal(weight, weights[path]) for path, weight in model.named_parameters())
    assert all(weight.requires_grad for weight in model.parameters())
    if method.merge is not None:
        torch.testing.assert_close(logits(beside, method.merge(again)), after, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", ["houlsby", "ia3", "bitfit", "vera", "dora"])
def test_a_base_in_bfloat16_is_trained_in_float32(methods, beside, name: str):
    method, model = methods.METHODS[name], beside.tiny_model("gpt2").bfloat16()
    before = logits(beside, model).detach()
    adapted = method.inject(model, method.config(model, 2))
    assert {weight.dtype for weight in methods.trainable(adapted).values()} == {torch.float32}
    torch.testing.assert_close(logits(beside, adapted), before, atol=0.1, rtol=0)
    if method.merge is not None:
        assert {weight.dtype for weight in method.merge(adapted).parameters()} == {torch.bfloat16}


def test_vera_starts_as_pefts_does(methods, beside):
    import peft

    ours = methods.vera.inject(beside.tiny_model("llama"), beside.our_config("vera", "llama"))
    theirs = peft.get_peft_model(beside.tiny_model("llama"), beside.peft_config("vera", "llama"))
    there = dict(theirs.named_parameters())
    for path, weight in methods.trainable(ours).items():
        name = {"inner": "vera_lambda_d", "outer": "vera_lambda_b"}[path.rpartition(".")[2]]
        assert torch.equal(weight, there[f"base_model.model.{path.rpartition('.')[0]}.{name}.default"]), path


def test_parameters_are_counted_by_formula(methods, layer, beside):
    d, r, layers = 16, 3, 2  # the tiny GPT-2
    shapes = [(d, 3 * d), (d, d), (d, 4 * d), (4 * d, d)]  # (in, out) of a block's linear layers
    formulas = {
        "houlsby": 2 * layers * (2 * d * r + r + d),
        "pfeiffer": layers * (2 * d * r + r + d),
        "ia3": layers * (3 * d + 4 * d),
        "bitfit": layers * sum(out for _, out in shapes) + (2 * layers + 1) * d,
        "vera": layers * sum(r + out for _, out in shapes),
        "lora": layers * sum(r * (inner + out) for inner, out in shapes),
        "dora": layers * sum(r * (inner + out) + out for inner, out in shapes),
    }
    for name, formula in formulas.items():
        model, method = beside.tiny_model("gpt2"), methods.METHODS[name]
        assert layer.count(method.inject(model, method.config(model, r))) == formula, name


def test_bottlenecks_stand_behind_the_outputs_before_the_residual_is_added(methods, layer, beside):
    """No library here has them: hooks that add a small network by PyTorch's own layers are the reference."""
    ours, theirs = beside.tiny_model("gpt2"), beside.tiny_model("gpt2")
    methods.METHODS["houlsby"].inject(ours, methods.METHODS["houlsby"].config(ours, 3))
    layer.perturb(ours, generator=torch.Generator().manual_seed(1))
    networks = {}
    for path, adapted in layer.adapted_layers(ours).items():
        networks[path] = nn.Sequential(nn.Linear(16, 3), nn.GELU(), nn.Linear(3, 16))
        for weight, value in zip(
            networks[path].parameters(), (adapted.down, adapted.down_bias, adapted.up, adapted.up_bias), strict=True
        ):
            weight.data.copy_(value.data)
        theirs.get_submodule(path).register_forward_hook(lambda _, __, y, net=networks[path]: y + net(y))
    torch.testing.assert_close(logits(beside, ours), logits(beside, theirs), atol=1e-5, rtol=0)
    for model in (ours, theirs):
        model(input_ids=beside.TOKENS, labels=beside.TOKENS).loss.backward()
    for path, adapted in layer.adapted_layers(ours).items():
        gradients = [weight.grad for weight in (adapted.down, adapted.down_bias, adapted.up, adapted.up_bias)]
        for gradient, weight in zip(gradients, networks[path].parameters(), strict=True):
            torch.testing.assert_close(gradient, weight.grad, atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match="no matrix; keep it"):
        layer.merge(ours)


def test_what_is_refused(methods, layer, beside, load_sprint, tmp_path: Path):
    files, model = load_sprint(f"{SPRINT}/adaptation/files.py"), beside.tiny_model("gpt2")
    ia3, vera, dora, bottleneck = (getattr(methods, name) for name in ("ia3", "vera", "dora", "bottleneck"))
    cases = [
        (lambda: methods.find("prayer"), "methods are houlsby"),
        (lambda: ia3.inject(model, ia3.IA3Config(("k_proj",))), "no module k_proj .* there are: .*c_attn"),
        (lambda: ia3.inject(model, ia3.IA3Config(())), "needs targets"),
        (lambda: ia3.inject(model, ia3.IA3Config(("c_attn",), ("c_fc",))), "must be targets as well"),
        (lambda: dora.inject(model, dora.DoRAConfig(("wte",))), "is an embedding"),
        (lambda: vera.VeRAConfig(("c_attn",), rank=0), "at least 1; got 0"),
        (lambda: dora.DoRAConfig(("c_attn",), alpha=float("nan")), "finite number"),
        (lambda: bottleneck.BottleneckConfig(("c_attn",), 0), "at least 1 feature"),
        (lambda: bottleneck.BottleneckConfig(("c_attn",), activation="gleu"), "relu.*got 'gleu'"),
        (
            lambda: methods.METHODS["bitfit"].inject(nn.Linear(2, 2, bias=False), methods.bitfit.BitFitConfig()),
            "no bias",
        ),
        (lambda: methods.bitfit.inject(model, methods.bitfit.BitFitConfig(("wte",))), "no module wte with a bias"),
        (lambda: methods.places_of(nn.Linear(2, 2)), "GPT-2 and Llama"),
        (lambda: methods.lora_plus.two_rates(model, 0.1), "has none"),
        (lambda: methods.lora_plus.two_rates(model, 0.1, 0.5), "at least 1"),
        (lambda: layer.merge(model), "inject one first"),
        (lambda: files.load(model, tmp_path), "there is no adapter"),
    ]
    for call, words in cases:
        with pytest.raises(ValueError, match=words):
            call()
    before = logits(beside, model)
    other = methods.METHODS["ia3"].inject(beside.tiny_model("llama"), ia3.IA3Config(("down_proj",), ("down_proj",)))
    with pytest.raises(ValueError, match="has an adapter"):
        ia3.inject(other, ia3.IA3Config(("up_proj",)))
    files.save(other, ia3.IA3Config(("down_proj",), ("down_proj",)), tmp_path, "llama")
    with pytest.raises(ValueError, match="trained on llama, this is gpt2"):
        files.load(model, tmp_path, "gpt2")
    with pytest.raises(ValueError, match="no module down_proj"):
        files.load(model, tmp_path)
    changed = beside.tiny_model("llama")
    changed.model.norm.weight.data += 0.5
    with pytest.raises(ValueError, match="trained on other weights"):
        files.load(changed, tmp_path)
    assert not layer.adapted_layers(changed)
    config = (tmp_path / "adapter_config.json").read_text()
    for old, new, words in (('"IA3"', '"TREE"', "holds a TREE"), ('"none"', '"all"', "more than this method")):
        (tmp_path / "adapter_config.json").write_text(config.replace(old, new))
        with pytest.raises(ValueError, match=words):
            files.load(beside.tiny_model("llama"), tmp_path)
    assert torch.equal(logits(beside, model), before)


def test_files_that_are_not_what_they_were_are_refused(methods, layer, beside, load_sprint, tmp_path: Path):
    files, ia3 = load_sprint(f"{SPRINT}/adaptation/files.py"), methods.ia3
    config = ia3.IA3Config(("down_proj",), ("down_proj",))
    files.save(ia3.inject(beside.tiny_model("llama"), config), config, tmp_path, "base")
    weights, options = tmp_path / files.WEIGHTS_FILE, tmp_path / files.CONFIG_FILE
    tensors, content = load_file(weights), json.loads(options.read_text())
    with safe_open(weights, "pt") as file:
        metadata = file.metadata()
    first = min(tensors)
    without = {key: value for key, value in content.items() if key != "feedforward_modules"}
    unsigned = {"format": "pt"}  # as peft writes it
    cases = [
        ({first: tensors[first] + 1}, content, metadata, "is not as it was written"),
        ({first: tensors[first] * math.nan}, content, unsigned, "infinite or no numbers"),
        ({first: torch.ones(1, 25)}, content, unsigned, r"has the shape \(1, 25\), this model needs \(1, 24\)"),
        ({}, without, unsigned, "lacks feedforward_modules"),
        ({}, content | {"target_modules": ".*down_proj"}, unsigned, "as a pattern"),
    ]
    for changed, said, made_of, words in cases:
        save_file(tensors | changed, weights, metadata=made_of)
        options.write_text(json.dumps(said))
        model = beside.tiny_model("llama")
        with pytest.raises(ValueError, match=words):
            files.load(model, tmp_path)
        assert not layer.adapted_layers(model), words


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_places_are_those_of_the_family(methods, beside, family: str):
    from peft.utils import constants

    model = beside.tiny_model(family)
    places = methods.places_of(model)
    linear = [path for path, module in model.named_modules() if type(module).__name__ in ("Linear", "Conv1D")]
    ends = {path: [end for end in places.linear if f".{path}".endswith(f".{end}")] for path in linear}
    assert [path for path, found in ends.items() if len(found) != 1] == ["lm_head"]
    assert list(places.scaled) == constants.TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING[family]
    assert list(places.hidden) == constants.TRANSFORMERS_MODELS_TO_IA3_FEEDFORWARD_MODULES_MAPPING[family]
    last = [path for path, module in model.named_modules() if path.endswith(places.outputs)]
    assert len(last) == 4, "two in each of two blocks"
    pfeiffer = methods.METHODS["pfeiffer"].config(model, 3)
    assert (pfeiffer.targets, pfeiffer.activation) == (places.hidden, "relu")  # behind the feed-forward network

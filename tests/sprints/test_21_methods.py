"""Sprint 21's methods on weights: equal to peft with every parameter perturbed, and what they leave alone."""

import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

SPRINT = "21_adapters_and_prompts"
TOKENS = torch.arange(14).view(2, 7)
LINEAR = {"gpt2": ["c_attn", "attn.c_proj", "c_fc", "mlp.c_proj"], "llama": ["q_proj", "o_proj", "down_proj"]}
SCALED = {
    "gpt2": (["c_attn", "mlp.c_proj"], ["mlp.c_proj"]),
    "llama": (["k_proj", "v_proj", "down_proj"], ["down_proj"]),
}
# Ours after peft: `base.` goes, and each trained number has peft's name.
NAMES = {
    "ia3": {"factors": "ia3_l"},
    "vera": {"outer": "vera_lambda_b", "inner": "vera_lambda_d"},
    "lora": {"down": "lora_A", "up": "lora_B"},
    "dora": {"down": "lora_A", "up": "lora_B", "length": "lora_magnitude_vector"},
}


@pytest.fixture
def methods(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/adaptation/methods.py")


@pytest.fixture
def layer(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/adaptation/adapted_layer.py")


def tiny(family: str) -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    shape = {"vocab_size": 20, "bos_token_id": 0, "eos_token_id": 0}
    if family == "gpt2":
        model = GPT2LMHeadModel(GPT2Config(n_positions=8, n_embd=16, n_layer=2, n_head=2, **shape))
    else:
        config = LlamaConfig(
            hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
            max_position_embeddings=8, attention_bias=True, **shape,
        )  # fmt: skip
        model = LlamaForCausalLM(config)
    with torch.no_grad():  # biases begin at zero, and would hide what a method does with them
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn(parameter.shape)
    return model.eval()


def logits(model: nn.Module) -> Tensor:
    return model(input_ids=TOKENS).logits


def peft_config(name: str, family: str) -> Any:
    import peft

    targets, inputs = SCALED[family]
    transposed = family == "gpt2"
    if name == "ia3":
        return peft.IA3Config(target_modules=targets, feedforward_modules=inputs, fan_in_fan_out=transposed)
    if name == "vera":
        return peft.VeraConfig(r=5, target_modules=LINEAR[family], projection_prng_key=3, fan_in_fan_out=transposed)
    return peft.LoraConfig(
        r=3, lora_alpha=6, target_modules=LINEAR[family], use_dora=name == "dora", fan_in_fan_out=transposed
    )


def our_config(methods: ModuleType, name: str, family: str) -> Any:
    targets, inputs = SCALED[family]
    if name == "ia3":
        return methods.ia3.IA3Config(tuple(targets), tuple(inputs))
    if name == "vera":
        return methods.vera.VeRAConfig(tuple(LINEAR[family]), rank=5, key=3)
    kind = methods.dora.DoRAConfig if name == "dora" else methods.LoRAConfig
    return kind(tuple(LINEAR[family]), rank=3, alpha=6)


def twins(methods: ModuleType, layer: ModuleType, name: str, family: str) -> tuple[nn.Module, Any, dict[str, str]]:
    """Return our model, perturbed, peft's with the same numbers, and which parameter of ours is which of peft's."""
    import peft

    ours = methods.METHODS[name].inject(tiny(family), our_config(methods, name, family))
    layer.perturb(ours, generator=torch.Generator().manual_seed(1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = peft.get_peft_model(tiny(family), peft_config(name, family))
    there = dict(theirs.named_parameters())
    pairs = {}
    for path, parameter in methods.trainable(ours).items():
        parts = path.split(".")
        at = next(index for index, part in enumerate(parts) if part in NAMES[name])
        stem = f"base_model.model.{'.'.join(parts[:at])}.{NAMES[name][parts[at]]}.default"
        pairs[path] = stem if stem in there else f"{stem}.weight"
        there[pairs[path]].data.copy_(parameter.data.view_as(there[pairs[path]]))
    assert set(pairs.values()) == {path for path, parameter in there.items() if parameter.requires_grad}
    return ours, theirs, pairs


@pytest.mark.parametrize("family", ["gpt2", "llama"])
@pytest.mark.parametrize("name", NAMES)
def test_outputs_gradients_and_merged_models_are_pefts(methods, layer, name: str, family: str):
    ours, theirs, pairs = twins(methods, layer, name, family)
    base = logits(tiny(family))
    out = logits(ours)
    assert (out - base).abs().max() > 0.1, "a perturbed method changes something"
    torch.testing.assert_close(out, logits(theirs), atol=1e-5, rtol=0)
    for model in (ours, theirs):
        model(input_ids=TOKENS, labels=TOKENS).loss.backward()
    here, there = methods.trainable(ours), dict(theirs.named_parameters())
    for path, twin in pairs.items():
        assert here[path].grad.abs().sum() > 0, path
        torch.testing.assert_close(here[path].grad, there[twin].grad.view_as(here[path]), atol=1e-5, rtol=0)
    merged = methods.METHODS[name].merge(ours)
    assert type(merged) is type(tiny(family))
    assert not layer.adapted_layers(merged)
    torch.testing.assert_close(logits(merged), out, atol=1e-5, rtol=0)
    for (path, weight), other in zip(merged.named_parameters(), theirs.merge_and_unload().parameters(), strict=True):
        torch.testing.assert_close(weight, other, atol=1e-5, rtol=0, msg=path)


@pytest.mark.parametrize(("name", "family"), [("ia3", "gpt2"), ("vera", "llama"), ("dora", "gpt2")])
def test_files_both_ways(methods, layer, load_sprint, tmp_path: Path, name: str, family: str):
    import peft

    files = load_sprint(f"{SPRINT}/adaptation/files.py")
    ours, theirs, _ = twins(methods, layer, name, family)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        files.save(ours, our_config(methods, name, family), tmp_path / "ours", "base")
        read = peft.PeftModel.from_pretrained(tiny(family), tmp_path / "ours")
        theirs.save_pretrained(tmp_path / "theirs")
    torch.testing.assert_close(logits(read), logits(ours), atol=1e-5, rtol=0)
    for folder in ("ours", "theirs"):
        again = tiny(family)
        config = files.load(again, tmp_path / folder)
        assert set(config.targets) == set(our_config(methods, name, family).targets)
        torch.testing.assert_close(logits(again), logits(ours), atol=1e-5, rtol=0)


WEIGHTS = ("houlsby", "pfeiffer", "ia3", "bitfit", "vera", "lora", "lora+", "dora")


@pytest.mark.parametrize("name", WEIGHTS)
def test_what_every_method_leaves_alone(methods, load_sprint, tmp_path: Path, name: str):
    files, method, model = load_sprint(f"{SPRINT}/adaptation/files.py"), methods.METHODS[name], tiny("gpt2")
    before, weights = logits(model).detach(), {path: weight.clone() for path, weight in model.named_parameters()}
    config = method.config(model, 2)
    adapted = method.inject(model, config, torch.Generator().manual_seed(0))
    torch.testing.assert_close(logits(adapted), before, atol=1e-6, rtol=0)  # the identity at the start
    groups = method.groups(adapted, 0.03)
    assert {id(weight) for group in groups for weight in group["params"]} == {
        id(weight) for weight in methods.trainable(adapted).values()
    }
    start = {path: weight.clone() for path, weight in methods.trainable(adapted).items()}
    optimizer = torch.optim.AdamW(groups)
    for _ in range(3):  # of two factors one begins to move in the second step
        optimizer.zero_grad()
        adapted(input_ids=TOKENS, labels=TOKENS).loss.backward()
        optimizer.step()
    assert not [path for path, weight in methods.trainable(adapted).items() if torch.equal(weight, start[path])]
    after = logits(adapted).detach()
    files.save(adapted, config, tmp_path, "base")
    again = tiny("gpt2")
    files.load(again, tmp_path, "models/base")
    assert torch.equal(logits(again), after)
    method.remove(adapted)
    assert torch.equal(logits(model), before)
    assert dict(model.named_parameters()).keys() == weights.keys()
    assert all(torch.equal(weight, weights[path]) for path, weight in model.named_parameters())
    assert all(weight.requires_grad for weight in model.parameters())
    if method.merge is not None:
        torch.testing.assert_close(logits(method.merge(again)), after, atol=1e-5, rtol=0)


def test_parameters_are_counted_by_formula(methods, layer):
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
        model, method = tiny("gpt2"), methods.METHODS[name]
        assert layer.count(method.inject(model, method.config(model, r))) == formula, name


def test_bottlenecks_stand_behind_the_outputs_before_the_residual_is_added(methods, layer):
    """No library here has them: hooks that add a small network by PyTorch's own layers are the reference."""
    ours, theirs = tiny("gpt2"), tiny("gpt2")
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
    torch.testing.assert_close(logits(ours), logits(theirs), atol=1e-5, rtol=0)
    for model in (ours, theirs):
        model(input_ids=TOKENS, labels=TOKENS).loss.backward()
    for path, adapted in layer.adapted_layers(ours).items():
        gradients = [weight.grad for weight in (adapted.down, adapted.down_bias, adapted.up, adapted.up_bias)]
        for gradient, weight in zip(gradients, networks[path].parameters(), strict=True):
            torch.testing.assert_close(gradient, weight.grad, atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match="no matrix; keep it"):
        layer.merge(ours)


def test_bitfit_trains_as_peft_trains_biases(methods, layer):
    """peft has no BitFit, but LoRA with bias="all", which unfreezes them: here beside adapters that change nothing."""
    import peft

    ours = methods.METHODS["bitfit"].inject(tiny("gpt2"), methods.bitfit.BitFitConfig())
    theirs = peft.get_peft_model(
        tiny("gpt2"), peft.LoraConfig(r=1, target_modules=["c_attn"], bias="all", fan_in_fan_out=True)
    )
    for model in (ours, theirs):
        model(input_ids=TOKENS, labels=TOKENS).loss.backward()
    biases = {name: weight for name, weight in theirs.named_parameters() if weight.requires_grad and "bias" in name}
    changes = {path: adapted.change for path, adapted in layer.adapted_layers(ours).items()}
    assert len(biases) == len(changes)
    for path, change in changes.items():
        (twin,) = (
            weight
            for name, weight in biases.items()
            if name.replace("base_layer.", "") == f"base_model.model.{path}.bias"
        )
        torch.testing.assert_close(change.grad, twin.grad, atol=1e-6, rtol=0)


def test_lora_plus_trains_as_pefts_optimizer_does(methods, layer):
    from peft.optimizers import create_loraplus_optimizer

    ours, theirs, pairs = twins(methods, layer, "lora", "gpt2")
    optimizers = (
        torch.optim.AdamW(methods.lora_plus.two_rates(ours, 1e-3, 8.0), weight_decay=0.0),
        create_loraplus_optimizer(theirs, torch.optim.AdamW, lr=1e-3, loraplus_lr_ratio=8.0),
    )
    for _ in range(3):
        for model, optimizer in zip((ours, theirs), optimizers, strict=True):
            optimizer.zero_grad()
            model(input_ids=TOKENS, labels=TOKENS).loss.backward()
            optimizer.step()
    there = dict(theirs.named_parameters())
    for path, weight in methods.trainable(ours).items():
        torch.testing.assert_close(weight, there[pairs[path]].view_as(weight), atol=1e-5, rtol=0)


def test_what_is_refused(methods, layer, load_sprint, tmp_path: Path):
    files, model = load_sprint(f"{SPRINT}/adaptation/files.py"), tiny("gpt2")
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
    before = logits(model)
    other = methods.METHODS["ia3"].inject(tiny("llama"), ia3.IA3Config(("down_proj",), ("down_proj",)))
    with pytest.raises(ValueError, match="has an adapter"):
        ia3.inject(other, ia3.IA3Config(("up_proj",)))
    files.save(other, ia3.IA3Config(("down_proj",), ("down_proj",)), tmp_path, "llama")
    with pytest.raises(ValueError, match="trained on llama, this is gpt2"):
        files.load(model, tmp_path, "gpt2")
    with pytest.raises(ValueError, match="no module down_proj"):
        files.load(model, tmp_path)
    changed = tiny("llama")
    changed.model.norm.weight.data += 0.5
    with pytest.raises(ValueError, match="trained on other weights"):
        files.load(changed, tmp_path)
    assert not layer.adapted_layers(changed)
    config = (tmp_path / "adapter_config.json").read_text()
    for old, new, words in (('"IA3"', '"TREE"', "holds a TREE"), ('"none"', '"all"', "more than this method")):
        (tmp_path / "adapter_config.json").write_text(config.replace(old, new))
        with pytest.raises(ValueError, match=words):
            files.load(tiny("llama"), tmp_path)
    assert torch.equal(logits(model), before)

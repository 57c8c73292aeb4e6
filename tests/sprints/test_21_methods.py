"""Sprint 21's methods on weights: equal to peft with every parameter perturbed, and what they leave alone."""

import warnings
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn

SPRINT = "21_adapters_and_prompts"
NAMES = ("ia3", "vera", "lora", "dora")


@pytest.fixture
def methods(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/adaptation/methods.py")


@pytest.fixture
def layer(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/adaptation/adapted_layer.py")


@pytest.fixture
def beside(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/adaptation/beside_peft.py")


@pytest.mark.parametrize("family", ["gpt2", "llama"])
@pytest.mark.parametrize("name", NAMES)
def test_outputs_gradients_and_merged_models_are_pefts(methods, layer, beside, name: str, family: str):
    pair = beside.twins(name, family)
    out, twin = pair.outputs()
    assert (out - logits(beside, beside.tiny_model(family))).abs().max() > 0.1, "a perturbed method changes something"
    torch.testing.assert_close(out, twin, atol=1e-5, rtol=0)
    gradients = pair.gradients()
    assert gradients.keys() == methods.trainable(pair.ours).keys()
    for path, (ours, theirs) in gradients.items():
        assert ours.abs().sum() > 0, path
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    merged = methods.METHODS[name].merge(pair.ours)
    assert type(merged) is type(pair.theirs.base_model.model)
    assert not layer.adapted_layers(merged)
    torch.testing.assert_close(logits(beside, merged), out, atol=1e-5, rtol=0)
    for (path, weight), other in zip(
        merged.named_parameters(), pair.theirs.merge_and_unload().parameters(), strict=True
    ):
        torch.testing.assert_close(weight, other, atol=1e-5, rtol=0, msg=path)


@pytest.mark.parametrize(("name", "family"), [("ia3", "gpt2"), ("vera", "llama"), ("dora", "gpt2")])
def test_files_both_ways(beside, load_sprint, tmp_path: Path, name: str, family: str):
    import peft

    files = load_sprint(f"{SPRINT}/adaptation/files.py")
    pair = beside.twins(name, family)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        files.save(pair.ours, beside.our_config(name, family), tmp_path / "ours", "base")
        read = peft.PeftModel.from_pretrained(beside.tiny_model(family), tmp_path / "ours")
        pair.theirs.save_pretrained(tmp_path / "theirs")
    torch.testing.assert_close(logits(beside, read), pair.outputs()[0], atol=1e-5, rtol=0)
    for folder in ("ours", "theirs"):
        again = beside.tiny_model(family)
        config = files.load(again, tmp_path / folder)
        assert set(config.targets) == set(beside.our_config(name, family).targets)
        torch.testing.assert_close(logits(beside, again), pair.outputs()[0], atol=1e-5, rtol=0)


def test_random_matrices_need_no_place_in_a_file(methods, beside, load_sprint, tmp_path: Path):
    files, config = load_sprint(f"{SPRINT}/adaptation/files.py"), methods.vera.VeRAConfig(("c_attn",), 4, key=7)
    model = methods.vera.inject(beside.tiny_model("gpt2"), config)
    for parameter in methods.trainable(model).values():
        torch.nn.init.normal_(parameter)
    whole, short = (files.save(model, config, tmp_path / str(kept), "base", kept) for kept in (True, False))
    assert whole - short > 4 * 4 * (16 + 48)  # float32
    again = beside.tiny_model("gpt2")
    files.load(again, tmp_path / "False")
    assert torch.equal(logits(beside, again), logits(beside, model))


def test_lora_plus_trains_as_pefts_optimizer_does(methods, beside):
    from peft.optimizers import create_loraplus_optimizer

    pair = beside.twins("lora", "gpt2")
    optimizers = (
        torch.optim.AdamW(methods.lora_plus.two_rates(pair.ours, 1e-3, 8.0), weight_decay=0.0),
        create_loraplus_optimizer(pair.theirs, torch.optim.AdamW, lr=1e-3, loraplus_lr_ratio=8.0),
    )
    for _ in range(3):
        pair.gradients()
        for optimizer in optimizers:
            optimizer.step()
    there = dict(pair.theirs.named_parameters())
    for path, weight in methods.trainable(pair.ours).items():
        torch.testing.assert_close(weight, there[pair.pairs[path]].view_as(weight), atol=1e-5, rtol=0)


def test_lora_plus_is_fast_in_the_factor_that_begins_with_zero(methods, beside):
    model = methods.lora_plus.inject(beside.tiny_model("gpt2"), methods.LoRAConfig(("c_attn", "wte"), rank=2))
    slow, fast = methods.lora_plus.two_rates(model, 0.1, 4.0)
    assert (slow["lr"], fast["lr"]) == (0.1, 0.4)
    assert [bool((weight != 0).any()) for group in (slow, fast) for weight in group["params"]] == [True] * 3 + [
        False
    ] * 3


def test_bitfit_trains_as_peft_trains_biases(methods, layer, beside):
    """peft has no BitFit, but LoRA with bias="all", which unfreezes them: here beside adapters that change nothing."""
    import peft

    ours = methods.METHODS["bitfit"].inject(beside.tiny_model("gpt2"), methods.bitfit.BitFitConfig())
    theirs = peft.get_peft_model(
        beside.tiny_model("gpt2"), peft.LoraConfig(r=1, target_modules=["c_attn"], bias="all", fan_in_fan_out=True)
    )
    for model in (ours, theirs):
        model(input_ids=beside.TOKENS, labels=beside.TOKENS).loss.backward()
    biases = {
        name.replace("base_layer.", "").removeprefix("base_model.model.").removesuffix(".bias"): weight.grad
        for name, weight in theirs.named_parameters()
        if weight.requires_grad and "bias" in name
    }
    changes = {path: adapted.change.grad for path, adapted in layer.adapted_layers(ours).items()}
    assert changes.keys() == biases.keys()
    for path, gradient in changes.items():
        torch.testing.assert_close(gradient, biases[path], atol=1e-6, rtol=0)
    keys = changes["transformer.h.0.attn.c_attn"][16:32]  # softmax does not see what all scores have in common
    assert keys.abs().max() < 1e-7 < changes["transformer.h.0.attn.c_attn"][:16].abs().max()


def logits(beside: ModuleType, model: nn.Module) -> Tensor:
    return model(input_ids=beside.TOKENS).logits

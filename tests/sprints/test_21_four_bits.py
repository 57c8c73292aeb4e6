"""Four bits of sprint 21: NF4 as published and as torchao has it, LoRA beside it, and what is refused."""

from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

SPRINT = "21_adapters_and_prompts"
# Dettmers et al. 2023, appendix E, in the digits of bitsandbytes.
PUBLISHED = (
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0,
)  # fmt: skip


@pytest.fixture
def four_bits(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/adaptation/four_bits.py")


@pytest.fixture
def qlora(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/adaptation/qlora.py")


def gaussian(*shape: int) -> torch.Tensor:
    return 0.05 * torch.randn(shape, generator=torch.Generator().manual_seed(0))


def tiny() -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    shape = {"vocab_size": 20, "bos_token_id": 0, "eos_token_id": 0}
    model = GPT2LMHeadModel(GPT2Config(n_positions=8, n_embd=16, n_layer=2, n_head=2, **shape)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.1 * torch.randn(parameter.shape)
    return model


def test_levels_are_those_that_were_published(four_bits):
    torch.testing.assert_close(four_bits.normal_float_levels(), torch.tensor(PUBLISHED), atol=1e-6, rtol=0)


@pytest.mark.parametrize("double", [True, False])
def test_every_number_becomes_its_nearest_level_and_comes_back(four_bits, double: bool):
    weight = gaussian(33, 64)
    kept = four_bits.to_four_bits(weight, 32, double)
    blocks = weight.view(-1, 32)
    constants = blocks.abs().amax(dim=1, keepdim=True)
    distance = (blocks[..., None] / constants[..., None] - torch.tensor(PUBLISHED)).abs()
    assert torch.equal(four_bits.unpack(kept.packed).view(-1, 32).long(), distance.argmin(dim=-1))
    exact = torch.tensor(PUBLISHED)[distance.argmin(dim=-1)] * constants
    half_step = (constants.max() - constants.min()).item() / 256 * 2  # of the constants, if they are rounded
    torch.testing.assert_close(kept.numbers(), exact.view(33, 64), atol=half_step if double else 1e-6, rtol=0)
    assert kept.bytes == 33 * 32 + (66 + 4 + 4 if double else 66 * 4)
    zeros = four_bits.to_four_bits(torch.zeros(2, 64), double=double).numbers()
    assert torch.equal(zeros, torch.zeros(2, 64))


def test_int4_is_the_symmetric_grid_of_sprint_14(four_bits):
    from shared.nn.integer_grid import dequantize, make_grid, quantize

    weight = gaussian(8, 64)
    low = -weight.abs().amax(dim=1, keepdim=True)
    grid = make_grid(low, -low, 4, symmetric=True)
    expected = dequantize(quantize(weight, grid), grid)
    kept = four_bits.to_four_bits(weight, 64, double=False, levels=four_bits.LEVELS["int4"])
    torch.testing.assert_close(kept.numbers(), expected, atol=1e-6, rtol=0)


def test_torchao_keeps_the_same(four_bits):
    """Codes bit for bit, numbers to 1e-5; torchao prints the levels with four digits, so ours get the same."""
    nf4 = pytest.importorskip("torchao.quantization.quantize_.workflows.nf4.nf4_tensor", reason="needs torchao")
    weight = gaussian(64, 512)
    theirs = nf4.NF4Tensor.from_tensor(weight, block_size=64, scaler_block_size=256)
    ours = four_bits.to_four_bits(weight, levels=theirs.nf4)
    assert torch.equal(ours.packed, theirs.quantized_data)
    assert torch.equal(ours.constants.integers, theirs.quantized_scalers)
    torch.testing.assert_close(ours.numbers(), theirs.get_original_weight(), atol=1e-5, rtol=0)
    x = gaussian(3, 512).requires_grad_()
    expected = nf4.linear_nf4(x, theirs)
    torch.testing.assert_close(x @ ours.numbers().mT, expected, atol=1e-5, rtol=0)


def test_lora_on_four_bits_is_lora_on_what_they_stand_for(four_bits, qlora, load_sprint):
    """Outputs, gradients of A, B and of the inputs, merged weights: beside our LoRA on the rounded weights."""
    layer = load_sprint(f"{SPRINT}/adaptation/adapted_layer.py")
    lora = load_sprint(f"{SPRINT}/adaptation/lora_plus.py")
    config = qlora.QLoRAConfig(("c_attn", "mlp.c_proj"), rank=3, alpha=6)
    ours, theirs, tokens = tiny(), tiny(), torch.arange(14).view(2, 7)
    before = base_before = sum(weight.numel() * 4 for weight in ours.parameters())
    layer.perturb(qlora.inject(ours, config), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        for name, module in theirs.named_modules():
            if name.endswith(config.targets):
                module.weight.copy_(four_bits.to_four_bits(module.weight).numbers())
    lora.inject(theirs, lora.LoRAConfig(config.targets, 3, 6))
    pairs = list(zip(layer.trainable(ours).values(), layer.trainable(theirs).values(), strict=True))
    for own, other in pairs:
        other.data.copy_(own.data)
    out = ours(input_ids=tokens).logits
    torch.testing.assert_close(out, theirs(input_ids=tokens).logits, atol=1e-5, rtol=0)
    for model in (ours, theirs):
        model(input_ids=tokens, labels=tokens).loss.backward()
    for own, other in pairs:
        assert own.grad.abs().sum() > 0
        torch.testing.assert_close(own.grad, other.grad, atol=1e-5, rtol=0)
    numbers = 2 * (16 * 48 + 64 * 16)
    blocks = numbers // 64
    assert qlora.base_bytes(ours) == before - 4 * numbers + numbers // 2 + blocks + 4 * (4 + 4)
    torch.testing.assert_close(qlora.merge(ours)(input_ids=tokens).logits, out, atol=1e-5, rtol=0)
    assert sum(weight.numel() * 4 for weight in ours.parameters()) == base_before
    with pytest.raises(ValueError, match="no layers in four bits"):
        qlora.remove(ours)


@pytest.mark.parametrize("keep", [True, False])
def test_what_is_removed(qlora, four_bits, keep: bool):
    model = tiny()
    weight = model.transformer.h[0].attn.c_attn.weight.detach().clone()
    qlora.remove(qlora.inject(model, qlora.QLoRAConfig(("c_attn",), keep=keep)))
    left = model.transformer.h[0].attn.c_attn.weight
    assert torch.equal(left, weight if keep else four_bits.to_four_bits(weight).numbers())


def test_linear_and_its_input(qlora, four_bits):
    """A Linear has its weight the other way round than Conv1D; the gradient that goes on to the layer below."""
    model = nn.Sequential(nn.Linear(64, 8))
    weight = four_bits.to_four_bits(model[0].weight).numbers()
    qlora.inject(model, qlora.QLoRAConfig(("0",)))
    x, twin = gaussian(2, 64).requires_grad_(), gaussian(2, 64).requires_grad_()
    model(x).square().sum().backward()
    nn.functional.linear(twin, weight, model[0].bias).square().sum().backward()
    torch.testing.assert_close(x.grad, twin.grad, atol=1e-5, rtol=0)


def test_what_is_refused(qlora, four_bits):
    weight = torch.randn(3, 50)
    cases = [
        (lambda: four_bits.to_four_bits(weight), "blocks of 64 for 150 numbers"),
        (lambda: four_bits.to_four_bits(weight, 3), "must be even"),
        (lambda: four_bits.to_four_bits(weight, 50, levels=torch.tensor([1.0, 0.0])), "rising order"),
        (lambda: four_bits.to_four_bits(weight / 0, 50), "not finite"),
        (lambda: qlora.QLoRAConfig(("c_attn",), rank=0), "at least 1; got 0"),
        (lambda: qlora.QLoRAConfig(("c_attn",), alpha=float("inf")), "finite number"),
        (lambda: qlora.QLoRAConfig(("c_attn",), levels="nf5"), "levels are nf4 and int4"),
        (lambda: qlora.inject(tiny(), qlora.QLoRAConfig(("wte",))), "is an embedding"),
        (lambda: qlora.merge(tiny()), "no layers in four bits"),
    ]
    for call, words in cases:
        with pytest.raises(ValueError, match=words):
            call()

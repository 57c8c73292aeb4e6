"""Sprint 20, rounding: fake quantization with its gradient, learned steps, ternary weights, and the scripts on them."""

import importlib.util
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor

FOLDER = "20_quantization_aware_training"
needs_torchao = pytest.mark.skipif(
    importlib.util.find_spec("torchao") is None, reason="torchao is missing: uv sync --group quantization"
)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def part(load_sprint) -> SimpleNamespace:
    return load_sprint(f"{FOLDER}/aware/fake_quantize.py")


def gradients(value: Tensor, upstream: Tensor, *leaves: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(value, leaves, upstream))


@pytest.mark.parametrize(("bits", "zero_point"), [(2, 0), (4, 0), (8, 0), (4, 5), (8, 200)])
def test_fake_quantization_is_that_of_pytorch_with_its_gradient(part, generator, bits, zero_point):
    lowest, highest = (0, 2**bits - 1) if zero_point else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    x = (3 * torch.randn(6, 400, generator=generator)).requires_grad_()
    scale = torch.linspace(0.02, 0.5, 6)
    zeros = torch.full((6,), zero_point, dtype=torch.int32)
    upstream = torch.randn(6, 400, generator=generator)
    ours = part.fake_quantize(x, scale[:, None], zeros[:, None], lowest, highest)
    theirs = torch.fake_quantize_per_channel_affine(x, scale, zeros, 0, lowest, highest)
    assert torch.equal(ours, theirs)
    (to_x,), (expected,) = gradients(ours, upstream, x), gradients(theirs, upstream, x)
    torch.testing.assert_close(to_x, expected)
    assert 0 < (to_x == 0).float().mean() < 1, "some lie outside"


def test_gradients_inside_at_and_outside(part):
    # In steps from the lowest integer to beyond: at an end the integer is on the grid, so the gradient goes through.
    places = torch.tensor([-9, -8.6, -8.4, -8, -7.75, 0.3, 6.75, 7, 7.25, 7.6, 9])
    x = (0.5 * places).requires_grad_()
    scale = torch.tensor(0.5, requires_grad=True)
    y = part.fake_quantize(x, scale, 0, -8, 7)
    assert gradients(y, torch.ones(11), x)[0].tolist() == [0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0]
    per_number = [torch.autograd.grad(part.fake_quantize(one, scale, 0, -8, 7), scale)[0].item() for one in x.detach()]
    assert per_number == pytest.approx([-8, -8, 0.4, 0, -0.25, -0.3, 0.25, 0, -0.25, 7, 7], abs=1e-6)


@pytest.mark.parametrize("per_channel", [False, True])
def test_learned_steps_are_those_of_pytorch(part, generator, per_channel):
    from torch.ao.quantization._learnable_fake_quantize import _LearnableFakeQuantize
    from torch.ao.quantization.observer import MovingAverageMinMaxObserver, MovingAveragePerChannelMinMaxObserver

    channels = 5 if per_channel else 1
    observer = MovingAveragePerChannelMinMaxObserver if per_channel else MovingAverageMinMaxObserver
    scheme = torch.per_channel_symmetric if per_channel else torch.per_tensor_symmetric
    length = {"channel_len": channels} if per_channel else {}
    theirs = _LearnableFakeQuantize(
        observer, -8, 7, scale=0.2, use_grad_scaling=True, dtype=torch.qint8, qscheme=scheme, **length
    ).enable_param_learning()
    theirs.scale.data = torch.linspace(0.1, 0.4, channels)
    x = torch.randn(5, 300, generator=generator).requires_grad_()
    scale = theirs.scale.detach().clone().unsqueeze(-1).requires_grad_()  # (channels, 1)
    upstream = torch.randn(5, 300, generator=generator)
    ours, expected = part.learned_step(x, scale, -8, 7), theirs(x)
    assert torch.equal(ours, expected)
    (to_x, to_scale), (x_expected, scale_expected) = (
        gradients(ours, upstream, x, scale),
        gradients(expected, upstream, x, theirs.scale),
    )
    torch.testing.assert_close(to_x, x_expected)
    # They count the numbers of the whole tensor even if each channel has a step of its own; the paper counts a step's.
    torch.testing.assert_close(to_scale.flatten() * channels**-0.5, scale_expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("per", ["tensor", "channel", "group"])
@pytest.mark.parametrize("bits", [2, 3, 4, 8, "ternary"])
def test_stored_integers_are_what_was_computed_with(part, generator, bits, per):
    weight = torch.randn(4, 32, generator=generator)
    for learned in (False, True):
        quantizer = part.WeightQuantizer(weight, bits, per, group=8, learned=learned)
        rounded = quantizer(weight)
        integers, steps = quantizer.stored(weight)
        assert steps.shape == (4, 4 if per == "group" else 1)
        assert torch.equal(steps.half().float(), steps), "steps lose nothing when they are stored in half precision"
        again = (integers.float().unflatten(1, (steps.shape[1], -1)) * steps.unsqueeze(-1)).flatten(1)
        assert torch.equal(again, rounded)
        assert set(integers.flatten().tolist()) <= set(range(quantizer.lowest, quantizer.highest + 1))
        if learned:
            (gradient,) = gradients(rounded, torch.randn(4, 32, generator=generator), quantizer.step)
            assert gradient.abs().min() > 0, "every step moves"
            error = (part.WeightQuantizer(weight, bits, per, group=8)(weight) - weight).square().sum()
            assert (rounded - weight).square().sum() < 1.02 * error, "the least squares, up to half precision"


def test_ternary_weights_and_tokens_are_those_of_transformers(part, generator):
    # `transformers.integrations.bitnet` compiles its functions where they are defined: here are its lines.
    weight = torch.randn(6, 50, generator=generator).requires_grad_()
    size = 1.0 / weight.detach().abs().mean().clamp(min=1e-5)
    expected = (weight.detach() * size).round().clamp(-1, 1) / size
    ours = part.ternary(weight.reshape(1, -1)).reshape(weight.shape)
    torch.testing.assert_close(ours, expected)
    assert torch.equal(gradients(ours, torch.ones_like(ours), weight)[0], torch.ones_like(ours))
    quantizer = part.WeightQuantizer(weight, "ternary", "tensor", step_dtype=torch.float32)
    assert torch.equal(quantizer(weight), ours)
    x = torch.randn(3, 7, 40, generator=generator).requires_grad_()
    size = 127 / x.detach().abs().amax(-1, keepdim=True).clamp(min=1e-5)
    tokens = part.activations_per_token(x)
    torch.testing.assert_close(tokens, (x.detach() * size).round().clamp(-128, 127) / size)
    torch.testing.assert_close(gradients(tokens, torch.ones_like(x), x)[0], torch.ones_like(x))
    assert not part.activations_per_token(torch.zeros(1, 4)).any()
    assert not part.ternary(torch.zeros(1, 4)).any()


@needs_torchao
@pytest.mark.parametrize("per", ["channel", "group"])
@pytest.mark.parametrize("bits", [2, 4, 8])
def test_weights_are_rounded_as_torchao_rounds_them(part, generator, bits, per):
    from torchao.quantization.qat import IntxFakeQuantizeConfig, IntxFakeQuantizer

    dtype = getattr(torch, f"int{bits}")
    sharing = {"granularity": "per_channel"} if per == "channel" else {"group_size": 16}
    theirs = IntxFakeQuantizer(IntxFakeQuantizeConfig(dtype, **sharing))
    quantizer = part.WeightQuantizer(torch.zeros(5, 64), bits, per, group=16, step_dtype=torch.float32)
    weight = torch.randn(5, 64, generator=generator).requires_grad_()
    upstream = torch.randn(5, 64, generator=generator)
    ours, expected = quantizer(weight), theirs(weight)
    torch.testing.assert_close(ours, expected)
    (to_weight,), (weight_expected,) = gradients(ours, upstream, weight), gradients(expected, upstream, weight)
    # Where the integer is an end of the grid they clamp, and the gradient is whatever this PyTorch has there.
    integers = quantizer.stored(weight)[0]
    between = (integers > quantizer.lowest) & (integers < quantizer.highest)
    torch.testing.assert_close(to_weight[between], weight_expected[between])


def test_a_step_that_an_update_took_below_zero_waits_above_it(part, generator):
    weight = torch.randn(2, 8, generator=generator)
    quantizer = part.WeightQuantizer(weight, 4, learned=True)
    quantizer.step.data[0] = -0.3
    rounded = quantizer(weight)
    assert quantizer.step.min() > 0
    assert rounded.isfinite().all()
    assert quantizer.stored(weight)[1].min() > 0
    # Whatever lies outside pulls the step up again: the sum of -8 and 7 is what its gradient is made of.
    (gradient,) = gradients(rounded, -weight.sign(), quantizer.step)
    assert gradient[0] < 0


@pytest.mark.usefixtures("unchecked")
def test_bad_settings_are_refused(part):
    weight = torch.zeros(2, 10)
    for bits in (1, 9, 0):
        with pytest.raises(ValueError, match=f"2 to 8 bits .* got {bits}"):
            part.WeightQuantizer(weight, bits)
    with pytest.raises(ValueError, match="tensor, channel or group; got 'row'"):
        part.WeightQuantizer(weight, 4, "row")
    for group in (4, 0):
        with pytest.raises(ValueError, match=f"groups of {group}; it has 10"):
            part.WeightQuantizer(weight, 4, "group", group=group)
    for learned in (False, True):
        assert not part.WeightQuantizer(weight, 4, learned=learned)(weight).any(), "a range of zeros"


def test_the_least_squares_step_may_be_wider_than_the_range(part):
    # At 2 bits half the range is 1.5 steps, and the grid ends at 1: sprint 14 searches narrower ranges only.
    four = torch.tensor([[-0.9, -0.2, 0.3, 1.1], [1.0, -1.0, 1.0, 0.0]])
    best = part.least_squares_step(four, -2, 1)
    assert best.flatten().tolist() == pytest.approx([1.0, 1.0], abs=0.03)
    assert (best > part.widest_step(four, -2, 1)).all()
    assert part.fake_quantize(four[1:], best[1:], 0, -2, 1).flatten().tolist() == [1, -1, 1, 0]

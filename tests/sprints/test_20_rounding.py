"""Sprint 20, rounding: fake quantization with its gradient, learned steps, ternary weights, and the scripts on them."""

import importlib.util
from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import pytest
import torch
from lesson_texts import lesson_texts, shown
from torch import Tensor

from shared.nn import integer_grid

FOLDER = "20_quantization_aware_training"
PAGE, note = lesson_texts(FOLDER)
needs_torchao = pytest.mark.skipif(
    importlib.util.find_spec("torchao") is None, reason="torchao is missing: uv sync --group quantization"
)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def part(load_sprint) -> SimpleNamespace:
    return load_sprint(f"{FOLDER}/aware/fake_quantize.py")


@pytest.fixture
def script(load_sprint) -> Callable[[str], ModuleType]:
    return lambda name: load_sprint(f"{FOLDER}/{name}.py")


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
    tie = part.fake_quantize(torch.tensor([0.25]), torch.tensor(0.5), 1, 0, 7)
    assert tie.item() == 0, "rounded before the zero point is added: half a step to the even 0"
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
    if bits != "ternary":
        exact = part.WeightQuantizer(weight, bits, per, group=8, step_dtype=torch.float32)
        torch.testing.assert_close(exact(weight), integer_grid.fake_quantize(weight, bits, per, group=8))
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
    assert torch.equal(gradients(quantizer(weight), torch.ones_like(ours), weight)[0], torch.ones_like(ours))
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


@needs_torchao
def test_torchao_lets_a_learnt_step_below_zero():
    from torchao.quantization.qat import IntxFakeQuantizeConfig, IntxFakeQuantizer

    config = IntxFakeQuantizeConfig(torch.int4, group_size=8, is_dynamic=False, range_learning=True)  # ty: ignore[missing-attribute]
    quantizer = IntxFakeQuantizer(config)
    quantizer._initialized = True
    quantizer.scale, quantizer.zero_point = torch.nn.Parameter(torch.full((1, 1), -0.1)), torch.zeros(1, 1)
    quantizer(torch.randn(1, 8))
    assert quantizer.scale.item() < 0


def test_adam_does_not_see_the_factor(part, generator):
    x = torch.randn(1, 256, generator=generator)
    moved = []
    for rounded in (part.learned_step, lambda x, s, low, high: part.fake_quantize(x, s, 0, low, high)):
        step = torch.full((1, 1), 0.1, requires_grad=True)
        optimizer = torch.optim.Adam([step], lr=1e-3)
        for _ in range(20):
            optimizer.zero_grad()
            (rounded(x, step, -8, 7) - x).square().sum().backward()
            optimizer.step()
        moved.append(step.item())
    assert moved[0] == pytest.approx(moved[1], rel=1e-4)
    assert abs(moved[0] - 0.1) > 1e-3


# The scripts, and what the notes work out by hand


def test_note_1_by_hand(script):
    results = script("rounding_by_hand").main(script("rounding_by_hand").Config())
    rows = zip(results.numbers, results.integers, results.back, results.on_the_grid, results.clamped_after, strict=True)
    table = note(1).replace("**", "")
    for number, integer, back, ours, clamped in rows:
        moved = "" if -4 <= integer <= 3 else f", moved to {max(-4, min(3, integer))}"
        strict = int(-4 < number / 0.5 < 3)  # the paper's: by the number, not by its integer
        row = f"| {number:.1f} | {number / 0.5:.1f} | {integer}{moved} | {back:.1f} | 0 | {ours:.0f} | {strict} | "
        assert f"{row}{clamped:.0f} |".replace("-", "−") in table
    walk = list(zip(range(8), results.weights, results.rounded, results.gradients, strict=False))
    for step, weight, rounded, gradient in walk:
        assert f"| {step} | {weight:.2f} | {rounded:.0f} | {gradient:+.1f} |".replace("-", "−") in note(1)
    assert results.mean_rounded == pytest.approx(0.8)
    assert not any(results.true_gradient)
    for target in (0.3, 1.0):
        config = script("rounding_by_hand").Config(target=target, learning_rate=0.02, steps=160)
        assert script("rounding_by_hand").main(config).mean_rounded == pytest.approx(target, abs=0.02)
    scale = torch.tensor(1.4 / 3)
    late = (torch.tensor(0.0) / scale + 0.4 / scale).round()
    shown(note(1), scale.item(), 0.4 / scale.item(), ((late - 0.4 / scale) * scale).item())


def test_a_weight_beyond_the_grid_comes_late_or_never(script):
    results = script("out_of_range").main(script("out_of_range").Config())
    stuck, late, learnt = results.courses.values()
    assert stuck.late is None
    assert max(late.weights) > 3
    assert late.late > 3 * learnt.late
    assert max(stuck.weights) < 0.8


def test_ends_without_a_gradient_cost_at_two_bits(script):
    module = script("wrong_gradient")
    config = module.Config(bits=(2,), outputs=32, examples=128, rates=(1e-3,), steps=40, seeds=3)
    results = module.main(config).rules["2"]
    assert results["not at the ends"].of_on_the_grid[0] > 1.02
    assert results[module.AFTERWARDS].of_on_the_grid[0] > 1.1
    assert results["on the grid"].of_on_the_grid == (1.0, 0.0)


def test_note_2_by_hand(script, part, generator):
    results = script("step_by_hand").main(script("step_by_hand").Config())
    shown(note(2), *results.slopes[:3], form="+.1f")
    shown(note(2), *results.places, form=".1f")
    shown(note(2), results.loss, results.gradient, form=".2f")
    assert results.best_step == pytest.approx(1.0, abs=0.01)
    assert f"{results.best_loss:.2f}" == "0.15"
    assert all(0.68 < step < 0.76 for step in results.steps[20:]), "around 1.1 / 1.5 = 0.73"
    assert results.euler == pytest.approx(results.back, abs=1e-6)
    doubled = (2 * torch.tensor([-0.9, -0.2, 0.3, 1.1]), torch.tensor([1.0], requires_grad=True))
    loss = (part.fake_quantize(*doubled, 0, -2, 1) - doubled[0]).square().sum()
    shown(note(2), torch.autograd.grad(loss, doubled[1])[0].item(), form=".2f")
    # The last section: mean and scatter of the true derivative and of LSQ's, for many numbers.
    x = torch.randn(400_000, generator=generator).double()
    step = 1.4 * part.least_squares_step(x[None, :20_000], -8, 7)[0]
    places = x / step
    integers = places.round().clamp(-8, 7)
    for change, scatter in (
        (integers, "0.59"),
        (torch.where(places.round() == integers, integers - places, integers), "0.12"),
    ):
        slopes = 2 * (integers * step - x) * change
        assert slopes.mean().item() == pytest.approx(0.080, abs=0.003)
        assert scatter in note(2)
        assert slopes.std().item() == pytest.approx(float(scatter), abs=0.02)


def test_the_rule_for_the_step_is_the_only_one_that_fits(part, generator):
    x = (2 * torch.randn(500, generator=generator)).requires_grad_()
    for low, high in ((-2, 1), (-8, 7), (0, 15)):
        step = torch.rand(500, generator=generator).add(0.05).requires_grad_()
        rounded = part.fake_quantize(x, step, 0, low, high)
        to_x, to_step = torch.autograd.grad(rounded.sum(), (x, step))
        torch.testing.assert_close(x * to_x + step * to_step, rounded, rtol=1e-4, atol=1e-4)


def test_steps_move_at_the_pace_of_weights_with_the_factor(script):
    module = script("step_gradient_size")
    results = module.main(module.Config(bits=(2, 4), sharing=(16, 256), draws=20))
    for bits, sizes in results.without.items():
        assert sizes[1] > 1.5 * sizes[0] > 1.5, "the more numbers, the larger the sum"
        assert all(0.2 < size < 5 for size in results.with_factor[bits])


def test_below_zero_activations_are_lost_and_weights_are_not(script):
    module = script("negative_steps")
    results = module.main(module.Config(numbers=100, rates=(1.0,), updates=40, seeds=2))
    negative = [step < 0 for step in results.steps]
    assert all(error == 1 for error, below in zip(results.activations, negative, strict=True) if below)
    least = min(error for error, below in zip(results.weights, negative, strict=True) if below)
    assert least < 0.02
    assert results.went_below["1"] == 2


def test_note_3_by_hand(script):
    module = script("ternary_by_hand")
    results = module.main(module.Config())
    shown(note(3), results.mean_size.error, form=".2f")
    shown(note(3), results.same_integers.step, results.best.step, results.best.error)
    shown(note(3), results.same_integers.error, form=".4f")
    assert str(results.mean_size.integers)[1:-1].replace("-", "−") in note(3).replace(" (moved from −2)", "")
    assert str(results.best.integers)[1:-1].replace("-", "−") in note(3)
    assert results.gaussian_best == pytest.approx(0.1902, abs=1e-4), "Max 1960: three levels"
    x = torch.randn(200_000, generator=torch.Generator().manual_seed(0))
    step = x.abs().mean()
    error = ((x / step).round().clamp(-1, 1) * step - x).square().mean().item()
    assert results.gaussian_mean_size == pytest.approx(error, abs=0.005)
    with pytest.raises(ValueError, match="must not be 0"):
        module.Config(weights=(0.0, 0.0)).check()


def test_training_beats_rounding_for_every_sharing(script):
    module = script("sharing")
    config = module.Config(schemes=("2", "bitnet"), sharings=("group",), inputs=32, outputs=8, examples=64,
                           rates=(3e-3,), steps=40, seeds=2)  # fmt: skip
    for rows in module.main(config).found.values():
        assert all(row.of_afterwards[0] < 0.95 for row in rows.values())
    assert module.bits_of(config, "bitnet", "group") == pytest.approx(1.6 + 1)
    with pytest.raises(ValueError, match="--group 5"):
        module.Config(group=5).check()


@needs_torchao
def test_libraries_round_as_we_do_and_one_forgets_the_ends(script):
    module = script("equals_the_library")
    results = module.main(module.Config(channels=16, inputs=32))
    assert all(row.values < 1e-6 and row.except_at_the_ends < 1e-5 for row in results.agreements.values())
    assert results.without_gradient["2"] > 2 * results.ours_without_gradient["2"]


def test_the_exercises_on_paper(part):
    x = torch.tensor([-1.0, -0.85, -0.35, 0.11, 0.75])
    step = torch.full((5,), 0.2, requires_grad=True)
    (changes,) = torch.autograd.grad(part.fake_quantize(x, step, 0, -4, 3).sum(), step)
    assert ", ".join(f"{change:g}" for change in changes.mul(100).round().div(100).tolist()).replace("-", "−") in PAGE
    total = changes.sum().item()
    shown(PAGE, total, form=".2f")
    shown(PAGE, (5 * 3) ** -0.5, total * (5 * 3) ** -0.5)
    weight, rounded = torch.tensor(2.4, requires_grad=True), []
    for _ in range(1000):
        y = part.round_through(weight)
        rounded.append(y.item())
        weight.data -= 0.01 * torch.autograd.grad((y - 2.6).square(), weight)[0]
    above = torch.tensor(rounded[500:]) == 3
    assert weight.item() == pytest.approx(2.5, abs=0.02)
    assert f"f = {above.float().mean().item():.0%}".replace("%", " %") in PAGE
    assert f"= {(torch.tensor(rounded[500:]) - 2.6).square().mean():.2f}. Resting" in PAGE

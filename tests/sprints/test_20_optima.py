"""Sprint 20, optima and activations: all codes tried, quantizers of a Gaussian, rounded inputs, and their scripts."""

import math

import numpy as np
import pytest
import torch
from lesson_texts import lesson_texts, shown
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.stats import norm

FOLDER = "20_quantization_aware_training"
PAGE, note = lesson_texts(FOLDER)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def part(load_sprint):
    return load_sprint(f"{FOLDER}/aware/least_squares.py")


@pytest.fixture
def gaussian(load_sprint):
    return load_sprint(f"{FOLDER}/aware/gaussian.py")


def test_the_best_step_is_the_one_that_a_search_finds_and_never_negative(part, generator):
    weight, hessian = (each[0] for each in part.draw_problems(1, 3, 16, 0.9, generator))
    codes = part.all_codes(3, 2)
    assert len(codes) == 64
    steps = part.best_steps(weight, hessian, codes)
    errors = part.output_error(weight, hessian, steps[:, None] * codes)
    for code, step, error in zip(codes[::7], steps[::7], errors[::7], strict=True):

        def squared(tried, code=code):
            difference = weight - tried * code
            return (difference @ hessian @ difference / (weight @ hessian @ weight)).item()

        found = minimize_scalar(squared, bounds=(0, 20), method="bounded", options={"xatol": 1e-9})
        assert error.item() == pytest.approx(min(found.fun, squared(0.0)), abs=1e-6)
        assert step >= 0
    assert steps[(codes == 0).all(1)].item() == 0
    assert (steps == 0).sum() > 1  # of codes that point away


def test_without_correlation_the_best_codes_are_rounded_weights_and_nothing_is_below_them(part, generator):
    problems = part.draw_problems(3, 4, 8, 0.0, generator)
    problems = problems._replace(hessian=torch.eye(4).double().expand(3, 4, 4))
    steps = part.steps_to_try(problems.weight, 2, 4000)
    by_rounding = part.output_error(*problems, part.rounded_to(problems.weight, steps, 2)).amin(1)
    codes = part.all_codes(4, 2)
    for index, (weight, hessian) in enumerate(zip(*problems, strict=True)):
        best = part.output_error(weight, hessian, part.best_steps(weight, hessian, codes)[:, None] * codes).min()
        assert best <= by_rounding[index] + 1e-12
        assert by_rounding[index].item() == pytest.approx(best.item(), abs=1e-4)
    # GPTQ has nothing to hand on, and is rounding.
    assert torch.allclose(part.gptq(problems, steps[:, ::400], 2), part.rounded_to(problems.weight, steps[:, ::400], 2))


def test_gptq_is_least_squares_solved_anew_for_each_column(part, generator):
    problems, steps = part.draw_problems(1, 5, 20, 0.9, generator), torch.tensor([[0.4]]).double()
    weight, hessian = problems.weight[0], problems.hessian[0]
    current = weight.clone()
    for column in range(5):
        current[column] = (current[column] / 0.4).round().clamp(-2, 1) * 0.4
        done, rest = slice(0, column + 1), slice(column + 1, 5)
        pull = hessian[rest, done] @ (weight[done] - current[done])
        current[rest] = weight[rest] + torch.linalg.solve(hessian[rest, rest], pull)
    assert torch.allclose(part.gptq(problems, steps, 2)[0, 0], current)


@pytest.mark.parametrize("learned", [False, True])
def test_training_keeps_the_best_on_its_way_and_problems_do_not_meet(part, generator, learned):
    problems = part.draw_problems(3, 4, 16, 0.9, generator)
    start = problems.weight.abs().amax(-1, keepdim=True) / 1.5
    trained = part.train(problems, start, 2, 0.05, 12, learned=learned)
    assert trained.errors.shape == (3, 13)
    assert torch.allclose(part.output_error(*problems, trained.best.unsqueeze(1)).squeeze(1), trained.errors.amin(1))
    assert torch.allclose(part.output_error(*problems, trained.ended.unsqueeze(1)).squeeze(1), trained.errors[:, -1])
    assert (trained.errors[:, 0] > trained.errors.amin(1)).any()
    alone = part.Problems(*(each[1:2] for each in problems))
    again = part.train(alone, start[1:2], 2, 0.05, 12, learned=learned)
    assert torch.allclose(again.errors[0], trained.errors[1])


def test_moments_are_integrals_and_max_s_quantizers_come_out(gaussian):
    points = np.array([-1.0, 0.3, 2.0])
    expected, _ = quad(lambda x: np.square(points - x).min() * norm.pdf(x), -9, 9, points=[-0.35, 1.15], limit=200)
    assert gaussian.mean_squared_error(points) == pytest.approx(expected, abs=1e-8)
    # Max 1960, tables I and II
    for bits, uniform, best in ((2, 0.1188, 0.1175), (3, 0.03744, 0.03454), (4, 0.01154, 0.009497)):
        step = gaussian.best_step(bits, "half steps")
        assert gaussian.mean_squared_error(gaussian.uniform_points(step, bits, "half steps")) == pytest.approx(
            uniform, abs=6e-5
        )
        assert gaussian.mean_squared_error(gaussian.lloyd_max(bits, 400)) == pytest.approx(best, abs=6e-5)


def test_points_that_are_means_leave_an_error_of_one_less_their_mean_square(gaussian):
    points = gaussian.lloyd_max(2)
    mass, first, _ = gaussian.moments(gaussian.borders_of(points))
    assert np.allclose(first / mass, points, atol=1e-8)
    assert gaussian.mean_squared_error(points) == pytest.approx(1 - (mass * points**2).sum(), abs=1e-8)
    assert gaussian.mean_squared_error(points) > 4.0**-2


def test_a_learned_step_rests_where_autograd_has_no_gradient_left(load_sprint, gaussian):
    learned_step = load_sprint(f"{FOLDER}/aware/fake_quantize.py").learned_step
    quantiles = torch.from_numpy(norm.ppf((np.arange(40_000) + 0.5) / 40_000))
    for step in (0.7, gaussian.resting_step(2), 1.4):
        scale = torch.tensor([step], dtype=torch.double, requires_grad=True)
        (learned_step(quantiles, scale, -2, 1) - quantiles).square().mean().backward()
        factor = (40_000 * 1) ** -0.5
        assert scale.grad is not None
        assert scale.grad.item() / factor / 2 == pytest.approx(gaussian.pull_on_learned_step(step, 2), abs=2e-4)
    assert gaussian.pull_on_learned_step(gaussian.best_step(2, "with zero"), 2) > 0.01


def test_the_scripts_on_optima_say_what_they_found(load_sprint, capsys):
    script = load_sprint(f"{FOLDER}/best_of_all_codes.py")
    results = script.main(script.Config(problems=3, inputs=3, tokens=8, steps=60, rates=(0.03,), updates=6))
    assert results.codes == 64
    for method in results.methods.values():
        assert min(method.ratios) >= 1 - 1e-9
        assert method.with_best_step[0] <= method.mean[0] + 1e-9
    assert script.plot(results) is not None
    script = load_sprint(f"{FOLDER}/gaussian.py")
    config = script.Config(bits=(2,), numbers=400, rates=(0.1,), updates=60, seeds=2)
    kept = script.main(config).bits["2"]
    assert kept.bound < kept.lloyd_max < kept.half_steps < kept.with_zero < kept.learned[0] < 1.2 * kept.with_zero
    assert script.main(config) == script.main(config)
    assert "2 bits" in capsys.readouterr().out


def test_note_5_two_weights_and_one(load_sprint):
    script = load_sprint(f"{FOLDER}/codes_by_hand.py")
    results = script.main(script.Config())
    assert results.best == [1, 0]
    of_code = dict(zip(map(tuple, results.codes), zip(results.steps, results.errors, strict=True), strict=True))
    text = note(5)
    for code, form in (((1, -1), ".2f"), ((1, 0), ".3f"), ((1, 1), ".2f"), ((0, 1), ".3f")):
        shown(text, of_code[code][1], form=form)
    shown(text, of_code[1, 0][0], form=".2f")
    assert results.rounded[1:6] == [0, 1, 0, 1, 0]
    assert results.mean == pytest.approx(0.4)
    assert script.plot(results) is not None
    # the best of rounding with one step for both, over all steps
    weight, hessian = torch.tensor(script.WEIGHT).double(), torch.tensor(results.hessian).double()
    steps = torch.linspace(0.05, 2, 8000).double()
    rounded = (weight / steps[:, None]).round().clamp(-2, 1) * steps[:, None]
    squared = ((weight - rounded) @ hessian * (weight - rounded)).sum(1)
    assert squared.min().item() == pytest.approx(0.26, abs=1e-3)
    assert steps[squared.argmin()].item() == pytest.approx(0.6, abs=1e-3)
    shown(text, 0.26, form=".2f")


def test_note_6_one_bit(gaussian):
    point = math.sqrt(2 / math.pi)
    assert gaussian.best_step(1, "half steps") / 2 == pytest.approx(point, abs=1e-6)
    assert gaussian.mean_squared_error(np.array([-point, point])) == pytest.approx(1 - 2 / math.pi)
    shown(note(6), point, 1 - 2 / math.pi, gaussian.mean_squared_error(gaussian.uniform_points(1.224, 1, "with zero")))
    grid = gaussian.mean_squared_error(gaussian.uniform_points(gaussian.best_step(1, "with zero"), 1, "with zero"))
    shown(note(6), 1 - grid, 2 / math.pi)
    assert (2 / math.pi - (1 - grid)) / (2 / math.pi) > 1 / 3  # more than a third of it is lost
    three = minimize_scalar(lambda step: gaussian.mean_squared_error(step * np.arange(-1.0, 2)), bounds=(0.5, 3))
    shown(note(6), three.fun)


def test_note_6_a_turn_of_lloyd_and_max_and_its_end(gaussian):
    mass, first, _ = gaussian.moments(gaussian.borders_of(np.array([-1.5, -0.5, 0.5, 1.5])))
    turned = (first / mass)[2:]
    ended = gaussian.lloyd_max(2)[2:]
    shown(note(6), *turned, *ended)
    shown(note(6), turned.round(3).mean() - 1e-6)
    shown(note(6), 10 * math.log10(1 / 0.0374), form=".1f")
    shown(note(6), 1 - gaussian.mean_squared_error(gaussian.lloyd_max(2)), form=".4f")


def test_the_paper_exercise_on_codes(part):
    weight, hessian = torch.tensor([0.8, -0.6]).double(), torch.tensor([[1.0, 1], [1, 2]]).double()
    codes = torch.tensor([[1.0, -1], [1, -2], [-1, 1]]).double()
    steps = part.best_steps(weight, hessian, codes)
    assert steps.tolist() == pytest.approx([0.6, 0.2, 0.0])
    errors = part.output_error(weight, hessian, steps[:, None] * codes) * (weight @ hessian @ weight)
    assert errors.tolist() == pytest.approx([0.04, 0.20, 0.40])
    shown(PAGE, *steps[:2].tolist(), form=".1f")
    shown(PAGE, *errors.tolist(), form=".2f")


# Inputs


@pytest.fixture
def rounded_inputs(load_sprint):
    return load_sprint(f"{FOLDER}/aware/rounded_inputs.py")


def tiny_gpt2(vocab_size=11):
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    sizes = {"n_positions": 256, "n_embd": 16, "n_layer": 2, "n_head": 2}
    return GPT2LMHeadModel(GPT2Config(vocab_size=vocab_size, resid_pdrop=0, embd_pdrop=0, attn_pdrop=0, **sizes)).eval()


def test_an_input_quantizer_is_pytorch_s_and_looks_at_one_token_at_a_time(rounded_inputs, generator):
    x = 2 * torch.randn(2, 5, 6, generator=generator)
    theirs = torch.fake_quantize_per_tensor_affine(x, 0.3, 0, -8, 7)
    assert torch.equal(rounded_inputs.InputQuantizer(4, 0.3)(x), theirs)
    learned = rounded_inputs.InputQuantizer(4, 0.3, learned=True)
    assert torch.equal(learned(x).detach(), theirs)
    learned(x).sum().backward()
    assert learned.step.grad.abs() > 0
    by_token = rounded_inputs.InputQuantizer(4)
    changed = torch.cat([x[:, :3], 50 * x[:, 3:]], dim=1)
    assert torch.equal(by_token(changed)[:, :3], by_token(x)[:, :3])
    assert not list(by_token.parameters())
    learned.step.data.fill_(-1.0)
    assert learned(x).isfinite().all()
    assert learned.step > 0
    for bits, step, learn, words in ((1, 0.1, False, "2 to 8 bits"), (4, None, True, "needs a start")):
        with pytest.raises(ValueError, match=words):
            rounded_inputs.InputQuantizer(bits, step, learned=learn)


def test_the_inputs_of_all_layers_are_met_and_rounded_once(rounded_inputs, generator):
    from shared.nn.pretrained import Logits
    from shared.text.batches import pad_rows

    model, batch = Logits(tiny_gpt2()), pad_rows([[1, 4, 2, 9, 3]])
    met = rounded_inputs.meet_inputs(model, [batch], generator)
    assert len(met) == 9  # 8 Conv1D and the head
    last = model.model.transformer(batch.tokens)[0].detach()
    assert met["model.lm_head"].largest == pytest.approx(last.abs().max().item(), rel=1e-5)
    assert met["model.lm_head"].usual == pytest.approx(last.abs().amax(-1).median().item(), rel=1e-5)
    before = model(batch.tokens)
    widest, least = (rounded_inputs.steps_of(met, 8, widest=widest) for widest in (True, False))
    assert all(0 < least[name] <= 1.6 * widest[name] for name in met)
    steps = rounded_inputs.round_inputs(model, 8, least, learned=True)
    assert len(steps) == 9
    after = model(batch.tokens)
    assert 0 < (after - before).abs().max() < 0.02 * before.abs().max()
    first = "model.transformer.h.0.attn.c_attn"  # no layer before it is rounded, and its inputs are met as they are
    assert rounded_inputs.meet_inputs(model, [batch], generator)[first].largest == met[first].largest
    (after**2).sum().backward()
    assert all(step.grad is not None and step.grad.abs() > 0 for step in steps)
    for again, chosen, words in (
        (model, None, "rounded already"),
        (torch.nn.Embedding(3, 4), None, "no linear layers"),
        (tiny_gpt2(), {"lm_head": 0.1}, "each layer needs a step"),
    ):
        with pytest.raises(ValueError, match=words):
            rounded_inputs.round_inputs(again, 4, chosen)


def test_the_script_on_activations_repairs_and_repeats(load_sprint, monkeypatch):
    from shared.nn.pretrained import load_tokenizer

    script = load_sprint(f"{FOLDER}/activations.py")
    monkeypatch.setattr(script, "load_causal_model", lambda _: (tiny_gpt2(2048), load_tokenizer()))
    few = {"bits": (8, 2), "trained_bits": 2, "calibration": 1, "texts": 1, "rates": (3e-3,), "updates": 2, "seeds": 1}
    config = script.Config(arms=("weights and steps",), **few)
    results = script.main(config)
    for way in script.WAYS:
        assert abs(results.untrained[way]["8"]) < 0.01
    assert results.optimum < results.float32
    assert results.trained["weights and steps"].outliers[0] > 1
    assert script.main(config) == results
    assert script.plot(results) is not None


def test_note_9_three_tokens(load_sprint):
    script = load_sprint(f"{FOLDER}/inputs_by_hand.py")
    for third in (0.05, 1.0):
        results = script.main(script.Config(third=third))
        shown(note(9), *results.errors.values(), form=".3f" if third < 1 else ".2f")
        if third < 1:
            shown(note(9), *results.outputs)
            for outputs in results.rounded_outputs.values():
                shown(note(9), *outputs[:1], form=".3f" if outputs[0] > 0.9 else ".2f")

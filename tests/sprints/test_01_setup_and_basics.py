"""Sprint 1's claims, at a small size."""

import importlib.metadata
import itertools
import json
import math
import random
import runpy
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn import functional

from shared.lab.paths import ROOT

SPRINT = "01_setup_and_basics"


def load(load_sprint, name):
    return load_sprint(f"{SPRINT}/{name}.py")


@pytest.mark.parametrize(
    ("name", "words", "sentence"),
    [
        ("broadcast_by_accident", "--examples 1", "--examples: must be greater than or equal to 2; got 1"),
        ("broadcast_by_accident", "--noise -1", "--noise: must be greater than or equal to 0; got -1"),
        ("broadcasting", "--size 0", "--size: must be greater than or equal to 1; got 0"),
        ("check_environment", "--device cpu:7", "device must be auto or one that is present"),
        ("creating_tensors", "--draws 1", "--draws: must be greater than or equal to 2; got 1"),
        ("decision_boundary", "--noise 0", "--noise: must be greater than 0; got 0.0"),
        ("decision_boundary", "--widths 4 0", "--widths: must be greater than or equal to 1; got (4, 0)"),
        ("dtypes_and_memory", "--elements 9", "--elements: must be greater than or equal to 10; got 9"),
        ("forgotten_zero_grad", "--examples 2", "--examples: must be greater than or equal to 3; got 2"),
        ("forgotten_zero_grad", "--learning-rate inf", "--learning-rate must be a finite number; got inf"),
        ("gradient_on_every_edge", "--w 1e300", "--w: must be less than or equal to 1000000; got 1e+300"),
        ("gradient_on_every_edge", "--learning-rate -1", "--learning-rate: must be greater than or equal to 0; got -1"),
        ("gradients", "--examples 7", "--examples: must be greater than or equal to 8; got 7"),
        ("higher_order_gradients", "--orders 5", "--orders: must be less than or equal to 4; got 5"),
        ("indexing", "--bins 0", "--bins: must be greater than or equal to 1; got 0"),
        ("network_by_hand", "--inputs nan 1", "--inputs must be a finite number; got (nan, 1.0)"),
        ("newtons_method", "--near 2", "--near: must be less than or equal to 1; got 2.0"),
        ("one_hidden_layer", "--hidden 0", "--hidden: must be greater than or equal to 1; got 0"),
        ("reductions", "--longest 3", "--longest: must be greater than or equal to 4; got 3"),
        ("reductions", "--longest 30", "--longest: must be less than or equal to 24; got 30"),
        ("reductions", "--offset nan", "--offset must be a finite number; got nan"),
        ("reshape_or_copy", "--repeats 0", "--repeats: must be greater than or equal to 1; got 0"),
        ("scalar_autograd", "--points -1", "--points: must be greater than or equal to 1; got -1"),
    ],
)
def test_a_bad_command_line_is_refused_in_a_sentence(refusal, name, words, sentence):
    assert sentence in refusal(f"{SPRINT}/{name}.py", words)


# --- the environment


def test_environment_is_as_pinned_and_says_what_is_not(load_sprint, monkeypatch):
    script = load(load_sprint, "check_environment")
    results = script.main(script.Config(size=64, device="cpu"))
    assert [check for check in results.checks if not check.passed] == []
    assert len({check.name for check in results.checks}) == 7
    rule = ">=3.11,<3.14"
    assert [script.check_python(rule, (3, minor)).passed for minor in (10, 11, 13, 14)] == [False, True, True, False]
    there = [SimpleNamespace(name="Torch", version="2.15.0+cpu"), SimpleNamespace(name="numpy", version="1.0")]
    monkeypatch.setattr(script.metadata, "distributions", lambda: there)
    assert script.installed_versions(["torch", "tqdm"]) == {"torch": "2.15.0", "tqdm": "missing"}
    check = script.check_packages({"numpy": "1.0", "torch": "2.0"}, {"numpy": "1.0", "torch": "1.9"})
    assert not check.passed
    assert check.found == "torch 1.9 instead of 2.0"


def test_a_product_whose_factors_are_rounded_is_noticed(load_sprint, monkeypatch):
    script = load(load_sprint, "check_environment")
    check = script.check_precision(64, torch.Generator().manual_seed(0), torch.device("cpu"))
    assert check.passed
    as_float32 = torch.Tensor.float
    monkeypatch.setattr(torch.Tensor, "float", lambda x: as_float32(x.half()))  # 10 binary digits, as in TF32
    check = script.check_precision(64, torch.Generator().manual_seed(0), torch.device("cpu"))
    assert not check.passed
    assert "highest" in check.remedy


def test_a_failed_check_is_the_exit_status_and_makes_no_record(monkeypatch, tmp_path, capsys):
    path = ROOT / "sprints" / SPRINT / "check_environment.py"
    monkeypatch.setattr("sys.argv", [str(path), "--size", "64", "--device", "cpu", "--out", str(tmp_path)])
    runpy.run_path(str(path), run_name="__main__")
    written = tmp_path / "results.json"
    assert all(check["passed"] for check in json.loads(written.read_text())["results"]["checks"])
    assert "what to do" not in capsys.readouterr().out
    written.unlink()
    monkeypatch.setattr(importlib.metadata, "distributions", list)
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(path), run_name="__main__")
    assert ended.value.code == 1
    assert "what to do: uv sync" in capsys.readouterr().out
    assert not written.exists()


# --- tensors


def test_constructors_choose_dtypes_and_share_memory_as_told(load_sprint):
    script = load(load_sprint, "creating_tensors")
    config = script.Config(draws=20_000)
    results = script.main(config)
    shared = {name for name, made in results.from_array.items() if made.shares_memory}
    assert shared == {
        "torch.as_tensor(array)",
        "torch.from_numpy(array)",
        "torch.from_numpy(array).double()",
    }
    assert results.from_array["torch.tensor(array)"].dtype == "float64"
    made = results.from_values
    assert (made["torch.tensor(3)"].shape, made["torch.Tensor(3)"].shape) == ([], [3])
    assert (made["torch.tensor([1, 2])"].dtype, made["torch.tensor([1.0, 2])"].dtype) == ("int64", "float32")
    assert (results.length_of_arange, results.length_of_linspace) == (4, 4)
    for draw in results.draws.values():
        # Of 16,000 honest draws one is more than four standard errors off.
        assert abs(draw.mean_off_by) < 4
        assert draw.variance == pytest.approx(draw.true_variance, rel=0.05)
    assert script.main(config) == results, "same seed, same results"
    assert script.main(replace(config, seed=1)).draws != results.draws


def test_reading_memory_by_strides_finds_the_elements_of_any_view(load_sprint):
    script = load(load_sprint, "views_and_strides")
    results = script.main(script.Config())
    assert all(view.read_right for view in results.views.values())
    assert [name for name, view in results.views.items() if not view.shares_memory] == [
        "x.mT.reshape(2, 6)",
        "x.flip(0)",
        "x[[0, 2]]",
    ]
    choices = random.Random(0)
    for _ in range(100):
        x = torch.randn(3, 5, 4)
        start, step = choices.randrange(3), choices.randrange(1, 3)
        view = x[:, start::step].permute(choices.sample(range(3), 3))
        assert script.describe(x, view).read_right
        index = [choices.randrange(size) for size in view.shape]
        memory = x.flatten().tolist()
        assert script.read(memory, view.storage_offset(), view.stride(), index) == view[tuple(index)].item()
    assert script.plot(results).axes


def test_reshapes_are_views_exactly_where_pytorch_says_so(load_sprint):
    script = load(load_sprint, "reshape_or_copy")
    results = script.main(script.Config(size=64, repeats=2))
    assert results.decided_as_pytorch == results.reshapes > 100
    assert 0 < results.need_a_copy < results.reshapes
    assert results.transposed_copy_ratio > 0
    assert script.view_strides((4, 6), (6, 1), (2, 2, 3, 2)) == (12, 6, 2, 1)
    assert script.view_strides((6, 4), (1, 6), (24,)) is None
    assert script.view_strides((3, 1), (1, 99), (3,)) == (1,), "an axis of one has any stride"
    with pytest.raises(ValueError, match=r"as many elements.*\(2, 3\) and \(7,\)"):
        script.view_strides((2, 3), (3, 1), (7,))


def test_indices_pick_copy_and_count_as_told(load_sprint):
    script = load(load_sprint, "indexing")
    config = script.Config(draws=200, bins=7)
    results = script.main(config)
    assert {name for name, pick in results.picks.items() if pick.shares_memory} == {"x[1]", "x[:, 1:3]", "x[..., -1]"}
    assert results.picks["x[[0, 2], [1, 3]]"].elements == [1, 11]
    assert results.picks["x[[0, 2]][:, [1, 3]]"].elements == [1, 3, 9, 11]
    assert results.counted == {"indexed += 1": 7, "index_add_": 200, "index_put_": 200, "bincount": 200}
    assert list(results.written.values()) == [True, True, False]
    assert results.gather_difference == 0
    assert results.cross_entropy_difference < 1e-15
    source, index = torch.randn(4, 6), torch.randint(6, (4, 9))
    assert torch.equal(script.gather(source, index), source.gather(1, index))
    assert script.main(config) == results, "same seed, same results"
    assert script.plot(results).axes


def test_broadcasting_fits_shapes_as_pytorch_does(load_sprint):
    script = load(load_sprint, "broadcasting")
    results = script.main(script.Config(size=50))
    assert results.pairs_as_pytorch == results.pairs == 40**2
    assert 0 < results.pairs_that_do_not_fit < results.pairs
    assert results.gradient_difference < 1e-14
    assert results.copied_bytes == 50 * results.expanded_bytes
    with pytest.raises(ValueError, match=r"axis -2 of \(4, 3, 2\) and \(5, 2\) has 3 and 5"):
        script.broadcast_shapes((4, 3, 2), (5, 2))


def test_a_missing_axis_teaches_a_regression_the_mean(load_sprint):
    script = load(load_sprint, "broadcast_by_accident")
    config = script.Config(examples=50)
    results = script.main(config)
    wrong, right = results.fits["targets (n,)"], results.fits["targets (n, 1)"]
    assert wrong == pytest.approx(results.fits["the mean alone"], abs=1e-4)
    assert right == pytest.approx(results.fits["least squares, exactly"], abs=1e-4)
    assert results.differences == {"targets (n,)": 2500, "targets (n, 1)": 50}
    assert results.losses["targets (n,)"] > 5 * results.losses["targets (n, 1)"]
    # The note's decomposition: all pairs = distance from the mean + variance.
    predictions, targets = torch.randn(30, 1).double(), torch.randn(30).double()
    pairs = (predictions - targets).square().mean()
    torch.testing.assert_close(pairs, (predictions - targets.mean()).square().mean() + targets.var(correction=0))
    assert script.main(config) == results, "same seed, same results"
    assert script.plot(results).axes


def test_sums_lose_what_their_order_lets_them_lose(load_sprint):
    script = load(load_sprint, "reductions")
    config = script.Config(longest=14, rows=6)
    results = script.main(config)
    last = {name: float(np.median(errors[-1])) for name, errors in results.errors.items()}
    assert last["one after the other"] > 5 * max(last["in pairs"], last["torch.sum"], last["compensated"])
    assert last["compensated"] < 2**-23
    # Near 10^8 the numbers of float32 are 8 apart.
    numbers = np.array([[1e8, *[1.0] * 15]], np.float32)
    assert script.sum_in_order(numbers) == [1e8]
    assert script.sum_compensated(numbers) == [1e8 + 16]
    random_numbers = np.random.default_rng(0).random((3, 64)).astype(np.float32)
    for add in script.SUMS.values():
        np.testing.assert_allclose(add(random_numbers), random_numbers.astype(np.float64).sum(axis=1), rtol=1e-6)
    naive, two_pass, library, exact = results.variances.values()
    assert abs(naive - exact) > 0.5
    assert two_pass == pytest.approx(exact, rel=1e-4) == library
    assert results.means["batch means weighted by size"] == pytest.approx(results.means["all values"], rel=1e-6)
    assert results.means["mean of batch means"] > 4 * results.means["all values"]
    assert results.shapes["x.sum(dim=1, keepdim=True)"] == [2, 1, 4]
    assert results.shapes["x.sum(dim=())"] == []
    assert script.main(config) == results, "same seed, same results"
    assert script.plot(results).axes


def test_dtypes_hold_what_theory_says(load_sprint):
    script = load(load_sprint, "dtypes_and_memory")
    results = script.main(script.Config(elements=10_000))
    for found in results.floats.values():
        assert found.counting_stops_at == found.counting_should_stop_at
    assert results.floats["float32"].counting_stops_at == 2**24
    assert results.promotions["int64 / int64"] == "float32"
    assert results.promotions["float32 + float64 without axes"] == "float32"
    assert results.promotions["float16 + bfloat16"] == "float32"
    assert results.overflow == {
        "uint8 200 + 100": "44",
        "int32 2,147,483,647 + 1": "-2147483648",
        "float16 300 × 300": "inf",
        "bfloat16 300 × 300": "90112.0",
    }
    saved = results.saved_bytes
    assert saved["a view of ten"] == saved["all numbers"] > 40_000 > 10 * saved["a clone of the view"]
    for dtype, power in itertools.product((torch.float32, torch.float64), (-10, 0, 7)):
        x = torch.tensor(2.0**power, dtype=dtype)
        following = torch.nextafter(x, torch.tensor(math.inf, dtype=dtype))
        assert script.spacing(2.0**power, dtype) == (following - x).item()
    assert script.spacing(2.0**17, torch.float16) is None
    assert script.plot(results).axes


# --- autograd


def test_engine_equals_pytorch_and_beats_finite_differences(load_sprint):
    script = load(load_sprint, "scalar_autograd")
    config = script.Config(points=10)
    results = script.main(config)
    for errors in results.errors.values():
        assert errors.gradient < 1e-12
        assert errors.gradient_of_gradient < 1e-11
        assert 1e-12 < errors.finite_difference < 1e-6
    assert script.main(config) == results, "same seed, same results"
    places = [(node.column, node.row) for node in results.graph]
    assert len(set(places)) == len(places) == 13, "no node hides another"
    for node in results.graph:
        assert all(results.graph[source].column < node.column for source in node.sources), "from left to right"
    assert script.plot(results).axes


def test_a_drawn_graph_flows_from_left_to_right(load_sprint):
    script = load(load_sprint, "scalar_autograd")
    # x goes into a at once and into c by way of b: it must stand to the left of the longer way.
    nodes = script.lay_out(["x", "a", "b", "c", "out"], [[], [0], [0], [2], [1, 3]])
    assert [node.column for node in nodes] == [-3, -1, -2, -1, 0]
    assert [node.is_leaf for node in nodes] == [True, False, False, False, False]


@pytest.mark.parametrize("seed", range(30))
def test_engine_equals_pytorch_on_random_programs(load_sprint, seed):
    """Operations are applied at random to the inputs and to earlier results; both run the same program."""
    script = load(load_sprint, "scalar_autograd")
    one = [
        lambda a: a.tanh(),
        lambda a: a.relu(),
        lambda a: a.tanh().exp(),
        lambda a: (a * a + 1.0).log(),
        lambda a: (a * a + 1.0) ** 0.5,
        lambda a: -a,
        lambda a: 2.0 * a.tanh() ** 3,
    ]
    two = [lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a * b, lambda a, b: a / (b * b + 1.0)]

    def program(*inputs):
        choices, numbers = random.Random(seed), list(inputs)
        for _ in range(15):
            a, b = choices.choices(numbers, k=2)
            made = choices.choice(one)(a) if choices.random() < 0.5 else choices.choice(two)(a, b)
            numbers.append(made.tanh() if choices.random() < 0.3 else made)
        return sum((x * x for x in inputs), start=numbers[-1])

    point = torch.randn(4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).tolist()
    errors = script.compare(program, point)
    assert errors.gradient < 1e-12
    assert errors.gradient_of_gradient < 1e-10


def test_engine_adds_up_over_paths_and_calls(load_sprint):
    script = load(load_sprint, "scalar_autograd")
    x, unused = script.Value(3.0, "x"), script.Value(1.0)
    y = x * x + x  # three paths from x
    assert [g.data for g in script.gradients(y, [x, unused, y])] == [7.0, 0.0, 1.0]
    y.backward()
    y.backward()
    assert x.grad == 14.0, "as in PyTorch, calls add up"
    order = script.in_order(y)
    assert len(order) == len(set(map(id, order))) == 3, "each once"
    third = x**3
    for expected in (27.0, 18.0, 6.0, 0.0):
        (third,) = script.gradients(third, [x])
        assert third.data == expected
    (at_zero,) = script.gradients(script.Value(0.0) ** 0, [script.Value(0.0)])
    assert at_zero.data == 0.0


def test_engine_needs_no_recursion_and_refuses_what_has_no_value(load_sprint):
    script = load(load_sprint, "scalar_autograd")
    x = y = script.Value(1.0)
    for _ in range(5000):
        y = y + x
    assert script.gradients(y, [x])[0].data == 5001.0
    with pytest.raises(ValueError, match=r"whole powers only; got \(-2\.0\) \*\* 0\.5"):
        script.Value(-2.0) ** 0.5
    with pytest.raises(ValueError, match=r"math domain|positive"):
        script.Value(-2.0).log()


def test_autograd_adds_keeps_and_stops_as_told(load_sprint):
    script = load(load_sprint, "gradients")
    config = script.Config(examples=23)
    results = script.main(config)
    assert list(results.slopes.values()) == [6.0, 12.0, 3.0, None, None, 1.0, 12.0]
    errors = results.micro_batch_errors
    assert errors["weighted by examples"] < 1e-14
    assert errors["mean of the parts"] > 0.01
    assert results.kept_bytes == {"gradients": results.kept_by_formula, "no_grad": 0, "inference_mode": 0}
    assert len(results.errors) == 4, "each mistake is noticed"
    assert script.main(config) == results, "same seed, same results"


def test_forgotten_zero_grad_is_momentum_one(load_sprint):
    script = load(load_sprint, "forgotten_zero_grad")
    config = script.Config(steps=60)
    results = script.main(config)
    assert results.forgotten_minus_momentum < 1e-12
    assert results.losses["emptied"][-1] == pytest.approx(results.optimum, rel=1e-3)
    assert results.excess_of_last_half["never emptied"] > 10 * results.optimum
    assert script.main(config) == results, "same seed, same results"
    assert script.plot(results).axes


def test_derivatives_of_any_order_equal_their_formulas(load_sprint):
    script = load(load_sprint, "higher_order_gradients")
    results = script.main(script.Config())
    assert max(results.derivative_errors) < 1e-14
    assert len(results.derivative_errors) == 5
    assert max(results.hessian_error, results.hessian_error_to_library, results.product_error) < 1e-14
    matrix = torch.randn(5, 5, dtype=torch.float64)
    point, vector = torch.randn(2, 5, dtype=torch.float64)
    quadratic = lambda x: x @ matrix @ x / 2 + x.sum()  # noqa: E731
    gradient, hessian = script.hessian(quadratic, point)
    torch.testing.assert_close(hessian, (matrix + matrix.mT) / 2)
    torch.testing.assert_close(gradient, hessian @ point + 1)
    torch.testing.assert_close(script.hessian_vector_product(quadratic, point, vector), hessian @ vector)
    assert script.plot(results).axes


def test_newton_arrives_where_gradient_descent_has_hardly_started(load_sprint):
    script = load(load_sprint, "newtons_method")
    results = script.main(script.Config(most_steps=300))
    newton, descent = results.walks["Newton"], results.walks["gradient descent"]
    assert newton.steps == 5
    assert newton.distances[-1] < 2 * newton.distances[-2] ** 2, "digits double"
    assert descent.steps is None
    assert len(descent.path) == 103, "a hundred points, then every hundredth"
    assert results.condition == pytest.approx(2508, rel=1e-3)
    stable, unstable = (script.walk(lambda p, r=rate: p - r * script.gradient(p), 0.3, 400) for rate in (1e-3, 1e-2))
    assert stable.path[-1][0] > stable.path[0][0]
    assert not np.isfinite(unstable.path[-1]).all(), "too large a rate"
    assert script.plot(results).axes


# --- one hidden layer


def test_three_networks_are_one(load_sprint):
    script = load(load_sprint, "one_hidden_layer")
    config = script.Config(examples=40, hidden=5, steps=50)
    results = script.main(config)
    for differences in results.differences.values():
        assert len(differences) == 50
        assert max(differences) < 1e-13
    assert min(results.finite_errors["central"]) < 1e-8 < 1e-2 < max(results.finite_errors["forward"])
    assert min(results.finite_errors["central"]) < min(results.finite_errors["forward"])
    assert results.losses[-1] < results.losses[0] < 2 * results.guessing
    assert script.main(config) == results, "same seed, same results"
    assert script.plot(results).axes


def test_gradient_by_hand_is_autograds_and_all_weights_move(load_sprint):
    script = load(load_sprint, "one_hidden_layer")
    generator = np.random.default_rng(1)
    inputs, labels = 30 * generator.normal(size=(7, 3)), generator.integers(2, size=7)
    start = script.initial_weights(3, 4, seed=2)
    start["output_weight"] *= 1000  # scores so large that exp overflows unless the largest is subtracted
    loss, gradients = script.loss_and_gradients(start, inputs, labels)
    tensors = {name: torch.tensor(array, requires_grad=True) for name, array in start.items()}
    hidden = (torch.tensor(inputs) @ tensors["hidden_weight"] + tensors["hidden_bias"]).tanh()
    theirs = functional.cross_entropy(hidden @ tensors["output_weight"] + tensors["output_bias"], torch.tensor(labels))
    theirs.backward()
    assert loss == pytest.approx(theirs.item(), rel=1e-12)
    for name, tensor in tensors.items():
        np.testing.assert_allclose(gradients[name], tensor.grad.numpy(), rtol=1e-9, atol=1e-12)
    large = script.initial_weights(400, 100, seed=2)
    assert large["hidden_weight"].std() == pytest.approx(0.05, rel=0.02)
    assert large["output_weight"].std() == pytest.approx(0.1, rel=0.15)
    usual = script.initial_weights(3, 4, seed=2)
    for train in (script.by_hand, script.with_autograd, script.with_module):
        step = next(train(usual, inputs, labels, 0.1))
        for name, before in usual.items():
            assert (step.weights[name] != before).any(), f"{name} moves in {train.__name__}"
            np.testing.assert_allclose(step.weights[name], before - 0.1 * step.gradients[name], atol=1e-12)


def test_equal_hidden_units_stay_equal(load_sprint):
    """The note's reason for random weights."""
    script = load(load_sprint, "one_hidden_layer")
    inputs, labels = np.random.default_rng(0).normal(size=(20, 2)), np.arange(20) % 2
    weights = {name: np.full_like(array, 0.1) for name, array in script.initial_weights(2, 3, seed=0).items()}
    weights["output_weight"][:, 1] = -0.1
    steps = script.by_hand(weights, inputs, labels, 0.5)
    *_, last = itertools.islice(steps, 50)
    hidden = last.weights["hidden_weight"]
    assert (hidden == hidden[:, :1]).all()
    assert (hidden != 0.1).any()


def test_hidden_layer_stands_between_line_and_optimum(load_sprint):
    script = load(load_sprint, "decision_boundary")
    config = script.Config(
        examples=200, validation_examples=500, test_examples=3000, widths=(1, 8), seeds=2, steps=400, device="cpu"
    )
    results = script.main(config)
    assert results.chosen_width == 8
    assert results.test_linear + 0.03 < min(results.test_chosen) < results.test_optimum + 0.005
    assert list(results.maps) == ["linear", "1 hidden unit", "8 hidden units", "optimum"]
    assert script.main(config) == results, "same seed, same results"
    assert script.plot(results).axes


def test_splits_share_no_point(load_sprint):
    script = load(load_sprint, "decision_boundary")
    config = script.Config(examples=50, validation_examples=50, test_examples=50)
    splits = script.draw_splits(config) + script.draw_splits(replace(config, seed=1))
    points = np.concatenate([points for points, _ in splits])
    assert len(np.unique(points, axis=0)) == len(points) == 300


def test_best_classifier_is_symmetric_and_calibrated(load_sprint):
    script = load(load_sprint, "decision_boundary")
    noise = 0.4
    classifier = script.best_classifier(noise)
    points, labels = script.make_moons(6000, noise=noise, random_state=5)
    probabilities = classifier(points)
    # Half a turn about (1/2, 1/4) exchanges the moons.
    np.testing.assert_allclose(classifier(np.array([1, 0.5]) - points), 1 - probabilities, atol=1e-9)
    for low in np.arange(0, 1, 0.1):
        within = (probabilities >= low) & (probabilities < low + 0.1)
        error = 4 * math.sqrt(0.25 / within.sum())
        assert labels[within].mean() == pytest.approx(probabilities[within].mean(), abs=error)


def test_one_hidden_unit_draws_a_straight_line(load_sprint):
    script = load(load_sprint, "decision_boundary")
    data = script.make_moons(200, noise=0.25, random_state=0)
    config = script.Config(steps=150)

    def bends(width: int) -> bool:
        """Return whether a point between two of one class is of the other class, which no straight boundary allows."""
        classifier = script.train_network(width, *data, config, 0, torch.device("cpu"))
        one, other = np.random.default_rng(0).uniform(-2, 3, (2, 2000, 2))
        first, second, middle = (classifier(points) > 0.5 for points in (one, other, (one + other) / 2))
        return bool(((first == second) & (middle != first)).any())

    assert not bends(1)
    assert bends(8)


# --- drawings and worked examples


def test_three_views_find_the_same_place_in_memory(load_sprint):
    script = load(load_sprint, "steps_in_memory")
    results = script.main(script.Config())
    assert {view.place for view in results.views} == {6}
    for view in results.views:
        row, column = view.index
        assert view.rows[row][column] == results.memory[view.place] == 16
    jumps = [after - before for before, after in itertools.pairwise(results.places_of_transposed)]
    assert set(jumps) == {4, -7}, "no single stride"
    view = torch.arange(60).view(3, 4, 5)[:, 1::2].permute(2, 0, 1)
    for index in itertools.product(*map(range, view.shape)):
        assert script.find(view, index) == view[index].item()
    assert script.plot(results).axes


def test_stretched_axes_take_no_memory_and_gradients_are_added_along_them(load_sprint):
    script = load(load_sprint, "stretched_axes")
    results = script.main(script.Config())
    assert results.total[1][2] == 23.0
    assert results.stretched_strides == [1, 0]
    assert results.column_gradient == [[sum(row)] for row in results.slopes]
    assert results.row_gradient == [sum(column) for column in zip(*results.slopes, strict=True)]
    assert script.plot(results).axes


def test_einsum_by_loops_equals_pytorch(load_sprint):
    script = load(load_sprint, "products_drawn")
    results = script.main(script.Config())
    assert results.product == [[7.0, 5.0], [16.0, 11.0]]
    assert results.terms == [4.0, 0.0, 12.0]
    assert len(results.differences) == 7
    assert max(results.differences.values()) < 1e-14
    x, y = torch.randn(2, 3, 4).double(), torch.randn(4, 2).double()
    torch.testing.assert_close(
        script.einsum_by_loops("abc,ca->cb", x, y), torch.einsum("abc,ca->cb", x, y), rtol=0, atol=1e-14
    )
    assert script.plot(results).axes


def test_gradients_on_edges_are_autograds(load_sprint):
    script = load(load_sprint, "gradient_on_every_edge")
    results = script.main(script.Config())
    assert results.autograd == {"w": 8.0, "x": 12.0, "b": 4.0}
    assert {name: results.graphs["line"].gradients[name] for name in "wxb"} == results.autograd
    assert results.graphs["three uses"].gradients["x"] == 7.0
    assert sorted(edge.sent_back for edge in results.graphs["three uses"].edges if edge.source == "x") == [1, 3, 3]
    assert results.after["squared error"] == pytest.approx(1.0)
    other = script.main(script.Config(x=-0.7, w=1.3, b=0.2, t=2.0))
    for name, gradient in other.autograd.items():
        assert other.graphs["line"].gradients[name] == pytest.approx(gradient)
    assert script.plot(results).axes


def test_network_by_hand_is_autograds(load_sprint):
    script = load(load_sprint, "network_by_hand")
    results = script.main(script.Config())
    assert results.difference_to_autograd < 1e-15
    assert results.forward["sums"] == [1.0, 0.0]
    assert results.loss_after < results.loss
    assert script.main(script.Config(inputs=(0.3, -1.1))).difference_to_autograd < 1e-15
    assert script.plot(results).axes

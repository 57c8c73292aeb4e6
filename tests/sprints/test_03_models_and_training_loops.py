"""Sprint 3's claims, at a small size."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from shared.lab.digits import load_flat_digits
from shared.training.loop import train_steps

SPRINT = "03_models_and_training_loops"


@pytest.fixture
def load(load_sprint):
    return lambda name: load_sprint(f"{SPRINT}/{name}.py")


@pytest.mark.parametrize(
    ("name", "words", "sentence"),
    [
        ("forgotten_eval", "--train 1498", "--train: must be less than or equal to 1497; got 1498"),
        ("forgotten_eval", "--repeats 1", "--repeats: must be greater than or equal to 2; got 1"),
        (
            "forgotten_eval",
            "--batch-sizes 4 13",
            "300 images in batches of 13 leave one over",
        ),
        ("honest_split", "--seen 899", "--seen: must be less than or equal to 898; got 899"),
        ("honest_split", "--shuffles 1", "--shuffles: must be greater than or equal to 2; got 1"),
        ("linear_regression", "--features 11", "--features: must be less than or equal to 10; got 11"),
        ("linear_regression", "--train 442", "--train: must be less than or equal to 441; got 442"),
        ("linear_regression", "--train 10", "more patients than features; got --train 10 and --features 10"),
        ("linear_regression", "--steps 90000", "--steps: must be less than or equal to 50000; got 90000"),
        ("losses", "--scales 1 -1", "--scales: must be greater than 0; got (1.0, -1.0)"),
        ("losses", "--scales 1 inf", "--scales must be a finite number; got (1.0, inf)"),
        ("metrics", "--images 1798", "--images: must be less than or equal to 1797; got 1798"),
        ("metrics", "--rare 10", "--rare"),
        ("module_from_inside", "--hidden 0", "--hidden: must be greater than or equal to 1; got 0"),
        ("optimizer_paths", "--condition 0.5", "--condition: must be greater than or equal to 1; got 0.5"),
        ("optimizers", "--steps 0", "--steps: must be greater than or equal to 1; got 0"),
        ("train_digits", "--dropout 1", "--dropout: must be less than 1; got 1.0"),
        ("train_digits", "--weight-decay -1", "--weight-decay: must be greater than or equal to 0; got -1.0"),
        ("what_escapes_the_module", "--steps -1", "--steps: must be greater than or equal to 1; got -1"),
        (
            "what_piles_up",
            "--batches 100",
            "got --batches 100 of --batch-size 64: give fewer",
        ),
        ("where_weight_decay_ends", "--decay -0.1", "--decay: must be greater than or equal to 0; got -0.1"),
    ],
)
def test_a_bad_command_line_is_refused_in_a_sentence(refusal, name, words, sentence):
    assert sentence in refusal(f"03_models_and_training_loops/{name}.py", words)


# nn.Module from the inside


def test_our_module_is_the_librarys_on_the_same_network(load):
    script = load("module_from_inside")
    config = script.Config(hidden=8, steps=20)
    results = script.main(config)
    assert results.same_names
    assert results.same_hook_calls
    assert results.hook_calls == 3 * (20 + 2)
    assert max(results.differences.values()) < 1e-12
    assert results.last_loss < results.first_loss
    assert results.mode_changes_output > 0.1, "training mode and evaluation mode are two functions"
    assert script.main(config) == results, "same seed, same results"


@pytest.fixture(params=["ours", "nn.Module"])
def base(request, load):
    """Our Module and nn.Module: what holds for one must hold for the other."""
    return load("module_from_inside").Module if request.param == "ours" else nn.Module


class TestModule:
    @staticmethod
    def build(base):
        class Leaf(base):
            def __init__(self):
                super().__init__()
                self.weight = nn.Parameter(torch.ones(2))
                self.register_buffer("count", torch.tensor(0.0))

            def forward(self, inputs):
                return inputs * self.weight

        class Tree(base):
            def __init__(self):
                super().__init__()
                self.scale = nn.Parameter(torch.tensor(3.0))
                self.left, self.right, self.note = Leaf(), Leaf(), "not registered"
                self.right.weight = self.left.weight  # tied

            def forward(self, inputs):
                return self.scale * self.right(self.left(inputs))

        return Tree()

    def test_registers_by_name_and_counts_tied_parameters_once(self, base):
        tree = self.build(base)
        assert [name for name, _ in tree.named_modules()] == ["", "left", "right"]
        assert [name for name, _ in tree.named_parameters()] == ["scale", "left.weight"]
        assert list(tree.state_dict()) == ["scale", "left.weight", "left.count", "right.weight", "right.count"]

    def test_assigning_again_keeps_the_kind(self, base):
        tree = self.build(base)
        tree.left.count = torch.tensor(5.0)
        tree.scale = nn.Parameter(torch.tensor(4.0))
        assert tree.state_dict()["left.count"] == 5
        assert len(list(tree.parameters())) == 2
        with pytest.raises(TypeError, match="scale"):
            tree.scale = torch.tensor(1.0)
        with pytest.raises(TypeError, match="left"):
            tree.left = 3
        tree.left = nn.Parameter(torch.zeros(1))
        assert [name for name, _ in tree.named_modules()] == ["", "right"]

    def test_mode_reaches_every_module(self, base):
        tree = self.build(base)
        assert tree.eval() is tree
        assert not any(module.training for _, module in tree.named_modules())
        tree.left.train()
        assert [module.training for _, module in tree.named_modules()] == [False, True, False]

    def test_hooks_see_and_change_the_output_until_removed(self, base):
        tree, seen = self.build(base), []
        handle = tree.left.register_forward_hook(lambda _, __, output: seen.append(output.sum().item()))
        change = tree.left.register_forward_hook(lambda _, __, output: output * 10)
        assert tree(torch.ones(2)).tolist() == [30, 30]
        handle.remove()
        change.remove()
        assert tree(torch.ones(2)).tolist() == [3, 3]
        assert seen == [2.0]

    def test_state_is_shared_and_loads_into_another(self, base):
        tree, other = self.build(base), self.build(base)
        with torch.no_grad():
            tree.scale += 1
        assert tree.state_dict()["scale"] == 4
        assert not tree.state_dict()["scale"].requires_grad
        other.load_state_dict(tree.state_dict())
        assert other.scale == 4
        assert other.scale is not tree.scale

    @pytest.mark.parametrize("fault", ["missing", "unexpected", "shape"])
    def test_a_foreign_state_is_refused(self, base, fault):
        tree = self.build(base)
        state = {name: tensor.clone() for name, tensor in tree.state_dict().items()}
        if fault == "missing":
            del state["left.count"]
        elif fault == "unexpected":
            state["left.extra"] = torch.zeros(1)
        else:
            state["left.weight"] = torch.zeros(1)  # would broadcast
        with pytest.raises((ValueError, RuntimeError), match=r"left\."):
            tree.load_state_dict(state)

    def test_init_must_have_run(self, base):
        class Forgetful(base):
            def __init__(self):
                self.weight = nn.Parameter(torch.ones(1))

        with pytest.raises(AttributeError, match="__init__"):
            Forgetful()
        with pytest.raises(AttributeError, match="nothing"):
            _ = self.build(base).nothing


def test_our_module_copies_nothing_from_a_foreign_state(load):
    tree = TestModule.build(load("module_from_inside").Module)
    state = {"scale": torch.tensor(9.0)}
    with pytest.raises(ValueError, match=r"missing \['left.count', .*build the module"):
        tree.load_state_dict(state)
    assert tree.scale == 3


def test_what_escapes_the_module(load):
    script = load("what_escapes_the_module")
    cases = script.main(script.Config(steps=40)).cases
    assert (cases["layers in a list"].wrong, cases["layers in a list"].right) == (650, 650 + 2 * 64 * 65)
    assert cases["state in an attribute"].wrong < cases["state in an attribute"].right - 0.05
    assert (cases["snapshot without copy"].wrong, cases["snapshot without copy"].right) == (0, 1)
    assert cases["layer replaced after the optimizer"].wrong == 0
    assert cases["layer replaced after the optimizer"].right > 0.1
    assert (cases["forward called directly"].wrong, cases["forward called directly"].right) == (0, 1)
    short = script.Config(steps=2)
    assert script.main(short) == script.main(short), "same seed, same results"


# linear regression


def test_gradient_descent_ends_at_the_closed_form_as_fast_as_theory_says(load):
    script = load("linear_regression")
    config = script.Config(features=4, steps=400, every=1)
    results = script.main(config)
    assert results.differs_from_scikit_learn < 1e-12
    for name in ("half of the limit", "best rate", "best momentum"):
        assert results.descents[name].final_distance < 1e-10, name
    for name in ("half of the limit", "best rate"):
        descent = results.descents[name]
        bounds = [descent.distances[0] * descent.predicted_factor**step for step in range(len(descent.distances))]
        assert all(seen <= bound * 1.001 + 1e-13 for seen, bound in zip(descent.distances, bounds, strict=True)), name
    momentum = results.descents["best momentum"]
    for step, distance in enumerate(momentum.distances[1:], start=1):  # two equal eigenvalues: a factor `step` besides
        assert distance <= 2 * step * momentum.predicted_factor**step * momentum.distances[0] + 1e-13
    assert results.descents["too fast"].final_distance > results.descents["too fast"].distances[0]
    needed = [results.descents[name].steps_to_a_millionth for name in ("half of the limit", "best rate")]
    assert needed[1] < needed[0]
    assert results.test_mse["closed form"] < results.test_mse["mean of the training targets"]
    assert script.main(config) == results


def test_the_table_is_standardised_by_its_training_part(load):
    script = load("linear_regression")
    features, targets, *test = script.load_table(script.Config())
    for part in (features, targets):
        assert torch.allclose(part.mean(0), torch.zeros(1, dtype=torch.float64), atol=1e-12)
        assert torch.allclose(part.std(0, correction=0), torch.ones(1, dtype=torch.float64))
    assert [len(part) for part in test] == [142, 142]


# losses


def test_losses_and_gradients_equal_pytorchs(load):
    script = load("losses")
    results = script.main(script.Config(batch=16))
    assert len(results.differences) == 6
    assert max(results.differences.values()) < 1e-14
    assert results.broadcast_mse_of_perfect_predictions == pytest.approx(results.twice_the_variance)
    assert results.softmax_twice_at_best == pytest.approx(results.softmax_twice_by_formula)
    assert script.main(script.Config(batch=16)) == results


def test_gradients_pass_finite_differences(load):
    script = load("losses")
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(5, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    targets, labels = torch.randn(5, 4, generator=generator, dtype=torch.float64), torch.tensor([0, 3, 1, 2, 0])
    assert torch.autograd.gradcheck(lambda x: script.cross_entropy(x, labels), logits)
    assert torch.autograd.gradcheck(lambda x: script.mean_squared_error(x, targets), logits)


def test_the_naive_formula_breaks_and_the_stable_one_does_not(load):
    script = load("losses")
    table = script.main(script.Config(scales=(1.0, 1000.0))).stability
    assert float(table.naive[0]) == pytest.approx(float(table.truth[0]), rel=1e-5)
    assert math.isnan(float(table.naive[1]))
    assert math.isnan(float(table.naive_gradient[1]))
    for name in ("stable", "pytorch"):
        assert float(getattr(table, name)[1]) == pytest.approx(float(table.truth[1]), rel=1e-5)


def test_log_sum_exp_moves_with_its_logits_and_lies_just_above_the_largest(load):
    script = load("losses")

    @settings(max_examples=50, deadline=None, derandomize=True)
    @given(st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=6), st.floats(-1e4, 1e4))
    def check(logits, shift):
        row = torch.tensor([logits], dtype=torch.float64)
        value = script.log_sum_exp(row).item()
        assert max(logits) <= value <= max(logits) + math.log(len(logits)) + 1e-9
        assert script.log_sum_exp(row + shift).item() == pytest.approx(value + shift, abs=1e-8)

    check()


def test_predictions_of_another_shape_are_refused(load):
    with pytest.raises(ValueError, match=r"one shape; got \(3, 1\) and \(3,\)"):
        load("losses").mean_squared_error(torch.zeros(3, 1), torch.zeros(3))


# optimizers


def test_optimizers_equal_torch_optim_over_a_hundred_steps(load):
    script = load("optimizers")
    results = script.main(script.Config(hidden=8))
    assert set(results.differences) == {"SGD", "momentum", "Nesterov", "Adam", "AdamW"}
    for name, differences in results.differences.items():
        assert len(differences) == 100
        assert max(differences) < 1e-13, name
        assert results.moved[name] > 0.05, name
        assert results.losses[name][-1] < results.losses[name][0], name
    assert results.adam_and_adamw_apart > 1e-3, "where the decay is applied matters"
    short = script.Config(hidden=8, steps=5)
    assert script.main(short) == script.main(short), "same seed, same results"


def test_adams_first_step_has_the_size_of_the_learning_rate(load):
    script = load("optimizers")
    for scale in (1e-3, 1.0, 1e3):
        parameter = torch.zeros(3, dtype=torch.float64)
        parameter.grad = scale * torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
        script.Adam([parameter], lr=0.01).step()
        assert parameter.tolist() == pytest.approx([-0.01, 0.01, -0.01], rel=1e-4)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_parameters_without_a_gradient_stay_and_every_other_one_moves(load, name):
    script = load("optimizers")
    ours, theirs, settings, also = script.PAIRS[name]
    ends = []
    for make, more in ((ours, also), (theirs, {})):
        frozen, free = torch.ones(2, dtype=torch.float64), torch.ones(2, dtype=torch.float64)
        optimizer = make([frozen, free], **settings, **more)
        for step in range(3):
            free.grad = torch.full_like(free, step - 0.5)
            if step == 2:  # its first gradient comes late: Adam counts the steps of each parameter
                frozen.grad = torch.ones_like(frozen)
            optimizer.step()
        ends.append(torch.stack([frozen, free]))
    assert torch.allclose(*ends, rtol=0, atol=1e-15)
    assert (ends[0] != 1).all()


def test_every_optimizer_reaches_the_minimum_and_nesterov_before_sgd(load):
    script = load("optimizer_paths")
    config = script.Config(rates=9, steps=200)
    results = script.main(config)
    for name, path in results.paths.items():
        assert path.steps is not None, name
        assert len(path.places) == path.steps + 1
        away = torch.tensor(path.places, dtype=torch.float64) - torch.tensor(results.minimum, dtype=torch.float64)
        losses = ((away @ torch.tensor(results.curvature, dtype=torch.float64)) * away).sum(-1)
        assert losses[-1] <= 1e-6 * losses[0] < losses[-2], name
    assert results.paths["Nesterov"].steps < results.paths["SGD"].steps
    assert script.main(config) == results


def test_gradient_descent_diverges_beyond_two_over_the_curvature(load):
    script = load("optimizer_paths")
    curvature, start = script.valley(10.0, 30.0)
    assert torch.linalg.eigvalsh(curvature).tolist() == pytest.approx([1, 10])
    inside, outside = (script.walk(torch.optim.SGD, curvature, start, rate, 400) for rate in (0.19, 0.21))
    assert script.steps_needed(inside, curvature) is not None
    assert script.steps_needed(outside, curvature) is None


@pytest.mark.parametrize("name", ["SGD", "momentum", "Nesterov", "Adam"])
def test_turning_the_valley_turns_each_path_but_adams(load, name):
    script = load("optimizer_paths")
    minimum = torch.tensor(script.MINIMUM, dtype=torch.float64)
    straight, turned = (
        (script.walk(script.OPTIMIZERS[name], *script.valley(50.0, degrees), 0.01, 20) - minimum).norm(dim=-1)
        for degrees in (0.0, 30.0)
    )
    assert straight[0].item() == pytest.approx(turned[0].item())
    assert torch.allclose(straight, turned, rtol=1e-9) == (name != "Adam")


def test_decoupled_decay_leaves_the_minimum_until_there_is_noise(load):
    script = load("where_weight_decay_ends")
    config = script.Config(noise=(0.0, 2.0), steps=1000, seeds=1)
    results = script.main(config)
    assert results.ends["SGD"][0] == pytest.approx(results.minimum_with_penalty, abs=1e-3)
    assert results.ends["Adam"][0] == pytest.approx(results.minimum_with_penalty, abs=1e-2)
    assert results.ends["AdamW"][0] == pytest.approx(results.minimum, abs=1e-2)
    assert results.ends["AdamW"][1][0] < results.minimum_with_penalty[0] - 0.1 < results.ends["Adam"][1][0]
    assert results.ends["AdamW"][1] == pytest.approx(results.adamw_by_theory[1], abs=0.15)
    short = replace(config, steps=20)
    assert script.main(short) == script.main(short), "same seed, same results"


# the training loop


def test_a_training_run_beats_guessing_and_repeats_itself(load, monkeypatch):
    script = load("train_digits")
    config = script.Config(hidden=32, epochs=4, seeds=2, learning_rate=5e-3, device="cpu")
    fits, fit = [], script.fit

    def spy(config, seed, epochs, train, validation):
        fits.append((seed, epochs, len(train[1])))
        return fit(config, seed, epochs, train, validation)

    monkeypatch.setattr(script, "fit", spy)
    results = script.main(config)
    chosen = results.epochs
    assert fits == [(0, 4, 718), (0, chosen[0], 898), (1, 4, 718), (1, chosen[1], 898)], "anew, on both parts"
    assert chosen[0] == 1 + results.validation_losses.index(min(results.validation_losses))
    assert results.sizes == {"train": 718, "validation": 180, "test": 899}
    assert min(results.accuracies) > results.baselines["most frequent class"] + 0.5
    assert results.baselines["logistic regression"] == pytest.approx(0.934, abs=0.003)
    assert results.baselines["support vectors"] == pytest.approx(0.969, abs=0.003)
    assert results.train_losses[-1] < results.train_losses[0]
    assert script.main(config) == results, "same seed, same results"
    with pytest.raises(ValueError, match="the training loss is nan: a lower --learning-rate may help"):
        script.main(replace(config, learning_rate=1e30))


def test_the_test_set_opens_once(load):
    script = load("train_digits")
    train, validation, test_set = script.load_splits(torch.device("cpu"))
    test = test_set.open()
    with pytest.raises(ValueError, match="choose on the validation set"):
        test_set.open()
    everything = torch.cat([part[0] for part in (train, validation, test)])
    assert torch.equal(everything, load_flat_digits()[0]), "in file order, each image once"


@pytest.fixture
def small_run(load):
    """The script, a network in float64 with dropout off, and some images."""
    script = load("train_digits")
    torch.manual_seed(0)
    network = script.make_network(script.Config(hidden=8, dropout=0.0)).double()
    (pixels, labels), _, _ = script.load_splits(torch.device("cpu"))
    return script, network, (pixels.double()[:100], labels[:100])


def test_the_loop_written_out_is_the_shared_one(small_run):
    script, network, part = small_run
    other = script.make_network(script.Config(hidden=8, dropout=0.0)).double()
    other.load_state_dict(network.state_dict())
    before = [parameter.clone() for parameter in network.parameters()]
    optimizers = [torch.optim.AdamW(model.parameters(), lr=1e-2) for model in (network, other)]
    network.eval()  # as an evaluation leaves it
    mean_loss = script.train_epoch(network, optimizers[0], part, 32, torch.Generator().manual_seed(1))
    assert network.training

    order = torch.randperm(100, generator=torch.Generator().manual_seed(1)).split(32)
    steps = train_steps(
        other,
        iter(order),
        loss_function=lambda model, rows: (
            functional.cross_entropy(model(part[0][rows]), part[1][rows], reduction="sum"),
            len(rows),
        ),
        optimizers=optimizers[1:],
        steps=4,
        clip=None,
    )
    losses = [loss * len(rows) for (_, loss), rows in zip(steps, order, strict=True)]
    assert mean_loss == pytest.approx(sum(losses) / 100, rel=1e-12)
    for ours, theirs, start in zip(network.parameters(), other.parameters(), before, strict=True):
        assert torch.allclose(ours, theirs, rtol=0, atol=1e-12)
        assert (ours != start).any(), "every parameter moves"


def test_evaluating_keeps_no_graph_and_sets_evaluation_mode(small_run):
    script, network, part = small_run
    network.train()
    seen = []
    network.register_forward_hook(lambda module, _, output: seen.append((module.training, output.requires_grad)))
    loss, predictions = script.evaluate(network, part)
    assert seen == [(False, False)]
    assert loss == pytest.approx(functional.cross_entropy(network(part[0]), part[1]).item())
    assert predictions.shape == (100,)


def test_a_network_left_in_training_mode_scores_something_else(load):
    script = load("forgotten_eval")
    config = script.Config(hidden=64, epochs=10, repeats=3, batch_sizes=(2, 300))
    results = script.main(config)
    assert results.right > 0.8
    assert results.norm_left_on_by_class[0] < results.norm_left_on_shuffled[0] - 0.2 < results.right - 0.3
    assert results.norm_left_on_by_class[1] == pytest.approx(results.norm_left_on_shuffled[1], abs=1e-9)
    assert results.eval_afterwards[0] < results.right
    assert results.dropout_changes_its_mind > 0
    assert max(results.dropout_left_on) > min(results.dropout_left_on)
    assert script.main(config) == results, "same seed, same results"


def test_graphs_and_gradients_pile_up(load):
    script = load("what_piles_up")
    config = script.Config(hidden=16, batches=5, batch_size=32, steps=60)
    results = script.main(config)
    kept = results.kilobytes
    assert kept["no_grad"] == [0.0] * 5
    # A batch of 32 keeps the 16 hidden features after ReLU and 10 log-probabilities of each image.
    assert kept["total += loss.item()"][0] == pytest.approx(32 * (16 + 10) * 4 / 1e3, rel=0.05)
    assert kept["total += loss.item()"][-1] == kept["total += loss.item()"][0]
    assert all(b - a == pytest.approx(kept["total += loss"][0]) for a, b in pairwise(kept["total += loss"]))
    assert results.losses["without zero_grad"][0] == results.losses["with zero_grad"][0]
    assert results.losses["without zero_grad"][2] != results.losses["with zero_grad"][2]
    assert results.differs_from_momentum_one < 1e-9, "gradients that are never cleared are momentum 1"
    assert script.main(config) == results, "same seed, same results"


# splits and metrics


def test_metrics_equal_scikit_learns(load):
    script = load("metrics")
    config = script.Config(folds=2, images=300)
    results = script.main(config)
    assert results.differs_from_scikit_learn < 1e-14
    assert results.find["always no"].accuracy > 0.88
    assert results.find["always no"].f1 == 0
    assert results.find["logistic regression"].f1 > 0.3
    assert sum(map(sum, results.confusion)) == 300
    true, predicted = results.most_confused
    assert true != predicted
    assert script.main(config) == results


@pytest.mark.parametrize("seed", range(5))
def test_metrics_equal_scikit_learns_where_classes_are_missing(load, seed):
    script = load("metrics")
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (12,), generator=generator)
    predictions = torch.randint(seed, seed + 2, (12,), generator=generator) % 4
    present = torch.cat([labels, predictions]).unique(return_inverse=True)[1]
    assert script.difference_from_scikit_learn(present[:12], present[12:]) < 1e-14


def test_metrics_by_hand(load):
    script = load("metrics")
    labels, predictions = torch.tensor([0, 0, 0, 1, 1, 2]), torch.tensor([0, 0, 1, 1, 0, 0])
    confusion = script.confusion_matrix(labels, predictions, 3)
    assert confusion.tolist() == [[2, 1, 0], [1, 1, 0], [1, 0, 0]]
    precision, recall, f1 = script.class_scores(confusion)
    assert precision.tolist() == pytest.approx([1 / 2, 1 / 2, 0])
    assert recall.tolist() == pytest.approx([2 / 3, 1 / 2, 0])
    assert f1.tolist() == pytest.approx([4 / 7, 1 / 2, 0])
    with pytest.raises(ValueError, match="6 labels and 5 predictions"):
        script.confusion_matrix(labels, predictions[:5], 3)


def test_shuffling_and_choosing_on_the_test_set_flatter(load):
    script = load("honest_split")
    config = script.Config(shuffles=2, candidates=(1, 20), draws=50)
    results = script.main(config)
    assert results.neighbour_distance < 0.8 * results.neighbour_distance_by_chance
    for name, split in results.splits.items():
        assert split.shuffled > split.in_order, name
    assert results.winner_on_seen[0] == pytest.approx(results.winner_on_fresh[0], abs=0.03)
    assert results.winner_on_seen[1] > results.winner_on_fresh[1] + 0.03
    assert script.main(config) == results, "same seed, same results"


def test_among_equal_candidates_the_winner_is_only_lucky(load):
    script = load("honest_split")
    right = (torch.rand(50, 600, generator=torch.Generator().manual_seed(0)) < 0.7).double()
    on_seen, on_fresh = script.winners(right, 50, 100, 200, torch.Generator().manual_seed(1))
    assert on_fresh == pytest.approx(0.7, abs=0.01)
    # The largest of 50 means of 100 throws lies about 2.25 standard deviations above 0.7.
    assert on_seen == pytest.approx(0.7 + 2.25 * math.sqrt(0.7 * 0.3 / 100), abs=0.02)

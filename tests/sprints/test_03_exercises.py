"""The answers that the exercises of sprint 3 give on paper, and the numbers that its notes work out by hand."""

import json
import math
from itertools import chain, pairwise
from pathlib import Path

import pytest
import torch
from lesson_texts import lesson_texts, shown
from torch import nn
from torch.nn import functional

SPRINT = Path(__file__).parents[2] / "sprints/03_models_and_training_loops"
PAGE, note = lesson_texts("03_models_and_training_loops")


@pytest.fixture
def load(load_sprint):
    return lambda name: load_sprint(f"03_models_and_training_loops/{name}.py")


# on paper


def descend(x: list[float], y: list[float], w: float, rate: float, steps: int) -> tuple[list[float], list[float]]:
    inputs, targets = torch.tensor(x, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)
    weights, losses = [w], []
    for _ in range(steps + 1):
        leaf = torch.tensor(weights[-1], dtype=torch.float64, requires_grad=True)
        loss = functional.mse_loss(leaf * inputs, targets)
        loss.backward()
        losses.append(loss.item())
        assert leaf.grad is not None
        weights.append(weights[-1] - rate * leaf.grad.item())
    return weights[: steps + 1], losses


def test_two_steps_on_two_points():
    weights, losses = descend([1, 2], [3, 3], 1.0, 0.1, 2)
    assert weights == pytest.approx([1, 1.4, 1.6])
    assert losses == pytest.approx([2.5, 1.3, 1.0])
    assert descend([1, 2], [3, 3], 1.8, 0.1, 0)[1] == pytest.approx([0.9])
    assert "the loss 1.3" in PAGE
    assert "9 / 5 = 1.8, with the loss 0.9" in PAGE
    assert abs(descend([1, 2], [3, 3], 0, 0.39, 40)[0][-1] - 1.8) < 1 < abs(descend([1, 2], [3, 3], 0, 0.41, 40)[0][-1])


def test_poisson():
    counts = torch.tensor([2.0, 0, 4])
    rate = torch.tensor(2.0, requires_grad=True)
    functional.poisson_nll_loss(rate.expand(3), counts, log_input=False, eps=0.0).backward()
    assert rate.grad is not None
    assert rate.grad.item() == pytest.approx(0, abs=1e-6)
    assert "zero at $r$ = 2" in PAGE


def test_logits_by_hand():
    logits = torch.tensor([[0.0, 1, 3]], requires_grad=True)
    loss = functional.cross_entropy(logits, torch.tensor([1]))
    loss.backward()
    assert logits.grad is not None
    assert ", ".join(f"{p:.3f}" for p in logits.softmax(-1)[0]) in PAGE
    assert "({:.3f}, −{:.3f}, {:.3f})".format(*logits.grad.abs()[0].tolist()) in PAGE
    shown(PAGE, loss.item(), functional.cross_entropy(logits, torch.tensor([2])).item(), math.log(3))


def test_adams_memory():
    place, path = torch.zeros(1, dtype=torch.float64), [0.0]
    optimizer = torch.optim.Adam([place], lr=0.001)
    for gradient in [1.0] * 200 + [-1.0] * 7:
        place.grad = torch.tensor([gradient], dtype=torch.float64)
        optimizer.step()
        path.append(place.item())
    steps = torch.tensor(path).diff()
    assert steps[:200].tolist() == pytest.approx([-0.001] * 200, rel=1e-3)
    assert steps[200].item() == pytest.approx(-0.0008, rel=1e-3)
    assert (steps[200:] > 0).tolist() == [False] * 6 + [True]
    assert all(words in PAGE for words in ("the step is −0.0008", "is negative from n = 7 on"))


def test_spam(load):
    script = load("confusion_by_hand")
    results = script.main(script.Config(found=15, missed=5, wrongly_found=10, rest=170))
    found = (results.accuracy, results.precision, results.recall, results.always_no)
    assert found == pytest.approx((0.925, 0.6, 0.75, 0.9))
    shown(PAGE, results.f1, math.sqrt(0.75 * 0.25 / 20))


def test_a_quarter_of_the_rate_doubles_the_time_of_a_swing(load):
    script = load("five_lines")
    weights = script.main(script.Config(learning_rate=0.0125, steps=40)).runs["without zero_grad"].weights
    theta = math.acos(1 - 0.0125 * 28 / 3 / 2)
    assert (f"{theta:.3f}", f"{2 * math.pi / theta:.1f}") == ("0.343", "18.3")
    assert "θ = 0.343, and 2π / θ = 18.3" in PAGE
    assert 8 <= weights.index(max(weights[:15])) <= 10
    assert 17 <= 12 + weights[12:25].index(min(weights[12:25])) <= 19


# notes 1 and 2


def test_note_1_three_points(load):
    script = load("three_points")
    results = script.main(script.Config())
    shown(note(1), *results.weights[2:], *results.losses[1:2], results.gradients[1])
    assert results.gradients[0] == results.by_autograd == -14
    assert results.losses[0] == 11
    assert (results.best_weight, results.best_loss) == (1.5, 0.5)
    assert f"{results.largest_learning_rate:.3f}" == "0.214"
    for rate, weights in ((0.2, (2.8, 0.373)), (0.25, (3.5, -1.167))):
        assert script.main(script.Config(learning_rate=rate)).weights[1:] == pytest.approx(weights, abs=1e-3)
        shown(note(1), weights[1])
    assert script.main(script.Config(learning_rate=3 / 28, weight=-7.0)).weights[1] == pytest.approx(1.5)
    assert script.plot(results) is not None


def test_note_2_each_line_is_needed(load):
    script = load("five_lines")
    runs = script.main(script.Config()).runs
    assert runs["all five lines"].weights[-1] == pytest.approx(1.5, abs=1e-4)
    for name in ("without backward", "without step", "zero_grad too late"):
        assert set(runs[name].weights) == {0.0}, name
    for name in ("without prediction", "without loss"):
        assert runs[name].error == "Trying to backward through the graph a second time"
        assert len(runs[name].weights) == 2
    swinging = runs["without zero_grad"].weights
    shown(note(2), *swinging[2:4])
    # The formula of the note: 1.5 + A cos(theta t + phi), so that d[t+1] - 2 d[t] + d[t-1] = -rate c d[t].
    away = [weight - 1.5 for weight in swinging]
    for before, now, after in zip(away, away[1:], away[2:], strict=False):
        assert after - 2 * now + before == pytest.approx(-0.05 * 28 / 3 * now, abs=1e-9)
    assert f"{math.acos(1 - 0.05 * 28 / 3 / 2):.3f}" in note(2)


def test_note_2_a_mean_over_examples():
    losses = torch.tensor([0.2, 0.2, 0.2, 1.0])
    assert losses.mean().item() == pytest.approx(0.4)
    assert torch.stack([losses[:3].mean(), losses[3:].mean()]).mean().item() == pytest.approx(0.6)
    assert "(3 · 0.2 + 1 · 1.0) / 4 = 0.4, not 0.6" in note(2)


# notes 3 to 5


def parameters(*sizes: int) -> int:
    layers = [nn.Linear(a, b) for a, b in pairwise(sizes)]
    return sum(parameter.numel() for layer in layers for parameter in layer.parameters())


def test_note_3_counts():
    assert f"{parameters(64, 32, 10):,}" == "2,410"
    assert f"{parameters(64, 128, 128, 10):,}" == "26,122"
    assert all(number in note(3) for number in ("2,410", "26,122"))


def test_note_4_coin_classes_and_bell():
    heads = torch.tensor([1.0, 1.0, 0.0])
    for p in (0.8, 2 / 3, 0.5):
        losses = functional.binary_cross_entropy(torch.full((3,), p), heads, reduction="none")
        assert ", ".join(f"{loss:.3f}" for loss in losses) in note(4)
        shown(note(4), losses.mean().item())
    assert f"{0.8 * 0.8 * 0.2:.3f}, for $p$ = 0.5 it is {0.5**3:.3f}, and for $p$ = 2/3 it is {4 / 27:.3f}" in note(4)
    logits = torch.tensor([2.0, 1, 0], dtype=torch.float64)
    assert ", ".join(f"{p:.3f}" for p in logits.softmax(0)) in note(4)
    shown(note(4), *(-logits.log_softmax(0)[[0, 2]]).tolist(), logits.exp().sum().item())
    gain = functional.binary_cross_entropy_with_logits
    shown(note(4), *(gain(torch.tensor(2.0), torch.tensor(answer)).item() for answer in (1.0, 0.0)))
    for weight, total in ((1.5, "3.507"), (1.0, "5.257")):
        predictions = torch.distributions.Normal(weight * torch.tensor([1.0, 2, 3]), 1.0)
        assert f"{-predictions.log_prob(torch.tensor([1.0, 4, 4])).sum().item():.3f}" == total
        assert total in note(4)


def test_loss_by_hand_is_pytorchs(load):
    script = load("loss_by_hand")
    for label in range(3):
        results = script.main(script.Config(label=label))
        assert results.differs_from_pytorch < 1e-12
        assert sum(results.gradient) == pytest.approx(0)
    assert script.plot(results) is not None


def test_note_5_what_fits():
    logits = torch.tensor([[1000.0, 999.0]])
    assert (logits.exp() / logits.exp().sum()).isnan().all()
    shown(note(5), *(functional.cross_entropy(logits, torch.tensor([label])).item() for label in (0, 1)))
    assert torch.tensor(88.0).exp().isfinite()
    assert torch.tensor(89.0).exp().isinf()
    assert torch.tensor(-104.0).exp() == 0
    assert torch.tensor([0.0, -110.0]).softmax(0)[1] == 0
    assert f"{-math.log(1e-9):.1f}" in note(5)
    shown(note(5), math.log(math.e + 9) - 1, math.log1p(math.exp(-2)))


# note 6


@pytest.mark.parametrize("name", ["SGD", "momentum", "Adam"])
def test_two_steps_are_those_of_torch_optim(load, name):
    script = load("two_steps")
    steps = script.main(script.Config(steps=12)).paths[name]
    place = torch.tensor([4.0, 1.0], dtype=torch.float64)
    optimizer = {
        "SGD": lambda: torch.optim.SGD([place], lr=0.15),
        "momentum": lambda: torch.optim.SGD([place], lr=0.15, momentum=0.9),
        "Adam": lambda: torch.optim.Adam([place], lr=0.5),
    }[name]()
    for step in steps:
        place.grad = place * torch.tensor([1.0, 10.0], dtype=torch.float64)
        assert step.gradient == pytest.approx(place.grad.tolist())
        optimizer.step()
        assert step.place == pytest.approx(place.tolist(), abs=1e-12)


def test_note_6_two_steps(load):
    script = load("two_steps")
    results = script.main(script.Config())
    text = note(6)
    assert results.start_loss == 13
    for name in ("SGD", "momentum"):
        shown(text, results.paths[name][1].loss)
    shown(text, *results.paths["Adam"][1].place, results.paths["Adam"][0].loss)
    shown(text, results.paths["Adam"][1].loss, form=".2f")
    memory = results.paths["Adam"][1].memory
    shown(text, *memory["mean, corrected"], *memory["ratio"])
    shown(text, *memory["square, corrected"], form=".2f")
    assert results.paths["momentum"][1].memory["velocity"] == pytest.approx([7, 4])
    assert script.plot(results) is not None


def test_note_6_rules_of_thumb():
    assert f"0.1 / 0.0316 = {0.1 / math.sqrt(0.001):.1f} times" in note(6)
    velocity = 0.0
    for step in range(200):
        velocity = 0.9 * velocity + (-1) ** step
    assert f"±{abs(velocity):.2f}" in note(6)


# notes 7 to 12


def test_note_7_batch_normalisation_depends_on_the_neighbours():
    layer = nn.BatchNorm1d(1, eps=1e-12)
    assert layer(torch.tensor([[1.0], [3.0]])).flatten().tolist() == [-1, 1]
    assert layer(torch.tensor([[3.0], [5.0]])).flatten().tolist() == [-1, 1]


def test_one_epoch_shows_each_example_once(load):
    script = load("one_epoch")
    results = script.main(script.Config())
    assert sorted(chain.from_iterable(results.batches)) == list(range(1, 11))
    assert [len(batch) for batch in results.batches] == [4, 4, 2]
    assert results.validation_batches == [[11, 12, 13, 14]]
    assert script.main(script.Config()) == results
    assert script.plot(results) is not None


def test_folds_validate_every_example_once_and_test_none(load):
    script = load("three_splits")
    for examples, folds in ((20, 4), (23, 5), (7, 3)):
        results = script.main(script.Config(examples=examples, folds=folds))
        for column in zip(*results.folds, strict=True):
            assert column.count("validation") == (0 if "test" in column else 1)
        assert [results.splits.count(name) > 0 for name in ("train", "validation", "test")] == [True] * 3
    assert script.plot(results) is not None
    with pytest.raises(ValueError, match="give fewer folds"):
        script.Config(examples=5, folds=5).check()


def test_too_simple_and_too_flexible(load):
    script = load("too_simple_too_flexible")
    config = script.Config(draws=20)
    results = script.main(config)
    assert all(a >= b for a, b in pairwise(results.train_rmse))
    assert results.validation_rmse[3] < min(results.validation_rmse[1], results.validation_rmse[12])
    assert results.chosen_better_on_validation > 0.5
    assert sum(results.chosen) == 20
    assert script.main(config) == results
    assert script.plot(results) is not None
    with pytest.raises(ValueError, match="give more points"):
        script.Config(points=15, most=15).check()


def test_note_8_lucky_winners():
    error = math.sqrt(0.7 * 0.3 / 100)
    for share, form in ((error, ".1f"), (0.7 + 2.25 * error, ".0f"), (math.sqrt(0.9 * 0.1 / 400), ".1f")):
        assert f"{100 * share:{form}} %" in note(8)
    generator = torch.Generator().manual_seed(0)
    for count, expected in ((10, "1.54"), (50, "2.25"), (200, "2.75")):
        largest = torch.randn(5000, count, generator=generator).amax(1).mean().item()
        assert largest == pytest.approx(float(expected), abs=0.03)
        assert expected in note(12)


def test_note_9_eights(load):
    script = load("confusion_by_hand")
    results = script.main(script.Config())
    assert (results.accuracy, results.precision, results.recall, results.always_no) == (0.94, 0.75, 0.6, 0.9)
    shown(note(9), results.f1, results.standard_error)
    lead, error = (20 - 8) / 900, math.sqrt(20 + 8) / 900
    assert f"12 / 900 = {100 * lead:.1f} points" in note(9)
    assert f"√(20 + 8) / 900 = {100 * error:.1f} points" in note(9)
    one_by_one = torch.tensor([1.0] * 20 + [-1.0] * 8 + [0.0] * 872)  # what A is ahead by, image by image
    assert one_by_one.std().item() / math.sqrt(900) == pytest.approx(error, rel=0.02)
    assert script.main(script.Config(found=0, missed=10, wrongly_found=0, rest=90)).precision == 0
    assert script.plot(results) is not None
    with pytest.raises(ValueError, match="at least one of the four"):
        script.Config(found=0, missed=0, wrongly_found=0, rest=0).check()


def test_note_10_steps():
    for factor, steps in ((9 / 11, "69"), (24 / 26, "173"), (2 / 3, "35")):
        assert str(math.ceil(math.log(1e-6) / math.log(factor))) == steps
        assert f"{steps} steps" in note(10) or f"instead of {steps}" in note(10)


@pytest.mark.parametrize(("make", "end"), [(torch.optim.SGD, 1.87), (torch.optim.Adam, 1.9), (torch.optim.AdamW, 1.8)])
def test_note_11_decay_by_hand(make, end):
    weight = torch.tensor([2.0], dtype=torch.float64)
    weight.grad = torch.tensor([0.3], dtype=torch.float64)
    make([weight], lr=0.1, weight_decay=0.5).step()
    assert weight.item() == pytest.approx(end, abs=1e-6)
    assert f"{end}" in note(11)


def test_note_11_the_box():
    weight = torch.zeros(1, dtype=torch.float64)
    optimizer = torch.optim.AdamW([weight], lr=0.01, betas=(0.9, 0.95), weight_decay=1.0)
    for _ in range(600):
        weight.grad = weight - 1.5
        optimizer.step()
    assert weight.item() == pytest.approx(1.0, abs=0.01), "the minimum is at 1.5, and 1 / decay is 1"
    assert f"{0.95**20:.2f}" in note(11)


# what the prose says of tables


def results(name: str) -> dict:
    return json.loads((SPRINT / f"results/{name}.json").read_text(encoding="utf-8"))["results"]


def test_note_6_only_adam_depends_on_which_way_the_valley_runs():
    steps = {
        name: {optimizer: path["steps"] for optimizer, path in results(f"optimizer_paths{name}")["paths"].items()}
        for name in ("", "_along_an_axis", "_steep", "_steep_along_an_axis")
    }
    for turned, straight in (("", "_along_an_axis"), ("_steep", "_steep_along_an_axis")):
        for optimizer in ("SGD", "momentum", "Nesterov"):
            assert steps[turned][optimizer] == steps[straight][optimizer]
    assert steps["_steep_along_an_axis"]["Adam"] == steps["_along_an_axis"]["Adam"]
    assert steps["_steep"]["Adam"] > 2 * steps["_steep_along_an_axis"]["Adam"]
    for name in ("", "_along_an_axis"):
        assert abs(steps[name]["Adam"] / steps[name]["momentum"] - 1) < 0.05, "momentum does as well"
    for name in steps:
        for optimizer, path in results(f"optimizer_paths{name}")["paths"].items():
            if path["steps"]:
                assert 1e-4 < path["learning_rate"] < 10, f"{optimizer}: the grid ends too early"


def test_note_2_forgetting_starts_well():
    losses = results("what_piles_up")["losses"]
    lower = [a < b for a, b in zip(losses["without zero_grad"], losses["with zero_grad"], strict=True)]
    assert all(lower[2:50])
    assert sum(lower[50:]) < 100


def test_what_notes_7_to_12_say_of_their_tables():
    forgotten = results("forgotten_eval")
    assert forgotten["norm_left_on_by_class"][4] < 0.6 * forgotten["norm_left_on_shuffled"][4]
    assert abs(forgotten["norm_left_on_shuffled"][4] - forgotten["right"]) < 0.02
    assert forgotten["eval_afterwards"][0] < forgotten["right"] - 0.02
    split = results("honest_split")
    assert all(scores["shuffled"] > scores["in_order"] for scores in split["splits"].values())
    assert split["winner_on_seen"][-1] - split["winner_on_seen"][0] > 2 * (
        split["winner_on_fresh"][-1] - split["winner_on_fresh"][0]
    )
    digits = results("train_digits")
    gap = [b / a for a, b in zip(digits["train_losses"], digits["validation_losses"], strict=True)]
    assert gap[9] < gap[19] < gap[39] < gap[59], "the distance between the curves widens"
    assert digits["baselines"]["support vectors"] > max(digits["accuracies"])
    ends = results("where_weight_decay_ends")["ends"]
    first = [place[0] for place in ends["AdamW"]]
    assert first == sorted(first, reverse=True)
    found = results("metrics")["find"]
    assert min(scores["accuracy"] for scores in found.values()) > 0.9

"""A GPT in few bits in sprint 20: texts with a known optimum, distillation, and the scripts, tiny."""

import copy
import math
import re

import pytest
import torch
from lesson_texts import lesson_texts, shown
from torch.nn import functional

from shared.nn.gpt import GPT, GPTConfig
from shared.text.batches import pad_rows
from shared.text.grammar import Sampler
from shared.training.losses import language_model_loss

FOLDER = "20_quantization_aware_training"
PAGE, note = lesson_texts(FOLDER)


class _MethodBegins(Exception):
    pass


class _ListWriter(Sampler):
    """Writes a recipe until its method begins."""

    def write(self, text, rule="wording"):
        if text.startswith("\nMethod"):
            raise _MethodBegins
        super().write(text, rule)


def test_the_probability_of_a_list_is_that_of_the_choices_made_until_the_method(load_sprint):
    recipes = load_sprint(f"{FOLDER}/aware/recipes.py")
    lists = recipes.ShoppingLists(sample=100)
    for seed in range(4):
        pen = _ListWriter(torch.Generator().manual_seed(seed))
        with pytest.raises(_MethodBegins):
            lists.cookbook.write(pen)
        assert lists.log_prob(pen.text) == pytest.approx(pen.log_prob)
    text = lists.text("test", 0)
    assert lists.cookbook.recipe("test", 0).text.startswith(text + recipes.ENDING)
    assert lists.log_prob(text) > lists.cookbook.recipe("test", 0).log_prob
    for wrong in (text[:-1], text + "\n2 lemons", lists.cookbook.recipe("test", 0).text):
        with pytest.raises(ValueError, match="a title and its ingredients"):
            lists.log_prob(wrong)
    held_out = lists.held_out("test", 3, batch_size=2)
    targets = sum(int(batch.mask[:, 1:].sum()) for batch in held_out.batches)
    total = sum(lists.log_prob(lists.text("test", index)) for index in range(3))
    assert held_out.optimum == pytest.approx(-total / targets)


def test_soft_targets_are_those_of_pytorch_and_a_mean_over_texts(load_sprint):
    distillation = load_sprint(f"{FOLDER}/aware/distillation.py")
    torch.manual_seed(0)
    student, teacher = torch.randn(2, 3, 5, dtype=torch.float64, requires_grad=True), torch.randn(2, 3, 5).double()
    for temperature in (1.0, 2.0):
        losses = distillation.soft_target_losses(student, teacher, temperature)
        theirs = functional.kl_div(
            (student / temperature).log_softmax(-1), (teacher / temperature).softmax(-1), reduction="none"
        ).sum(-1)
        torch.testing.assert_close(losses, temperature**2 * theirs)
    # The gradient of soft targets is the mean of the gradients of labels that the teacher draws.
    (soft,) = torch.autograd.grad(distillation.soft_target_losses(student, teacher).sum(), student)
    mean = torch.zeros_like(soft)
    for label in range(5):
        labels = torch.full((6,), label)
        (hard,) = torch.autograd.grad(functional.cross_entropy(student.flatten(0, 1), labels, reduction="sum"), student)
        mean += teacher.softmax(-1)[..., label, None] * hard
    torch.testing.assert_close(soft, mean)
    with pytest.raises(ValueError, match="above 0"):
        distillation.soft_target_losses(student, teacher, 0.0)


def test_distillation_leaves_out_padding_and_the_teacher(load_sprint):
    distillation = load_sprint(f"{FOLDER}/aware/distillation.py")
    torch.manual_seed(0)
    model = GPT(GPTConfig(9, 8, 1, 1, 8, dropout=0.0))
    teacher = copy.deepcopy(model)
    batch = pad_rows([[1, 2, 3, 4, 5], [6, 7]])
    total, count = distillation.distillation_loss(teacher)(model, batch)
    assert total.item() == pytest.approx(0, abs=1e-5)
    assert count == 5
    with torch.no_grad():
        for weight in teacher.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    whole, _ = distillation.distillation_loss(teacher)(model, batch)
    one, two = (distillation.distillation_loss(teacher)(model, pad_rows([row]))[0] for row in ([1, 2, 3, 4, 5], [6, 7]))
    assert whole.item() == pytest.approx((one + two).item(), rel=1e-5)
    half, _ = distillation.distillation_loss(teacher, share=0.5)(model, batch)
    assert half.item() == pytest.approx((whole + language_model_loss(model, batch)[0]).item() / 2, rel=1e-5)
    half.backward()
    assert all(weight.grad is None for weight in teacher.parameters())
    with pytest.raises(ValueError, match="from 0 to 1"):
        distillation.distillation_loss(teacher, share=2)


def test_runs_are_alike_but_for_what_they_round(load_sprint):
    trials, recipes = (load_sprint(f"{FOLDER}/aware/{name}.py") for name in ("trials", "recipes"))
    read = []

    class Noted(recipes.ShoppingLists):
        def train_batches(self, batch_size, start):
            read.append(start)
            return super().train_batches(batch_size, start)

    lists = Noted(sample=100)
    start = trials.train_float(lists, 1, 1, seed=0, steps=1, batch_size=1)
    plain, again, aware = (
        trials.go_on(start, lists, 0, 2, 1e-3, 1, None if bits is None else trials.SCHEMES[bits])
        for bits in (None, None, "2")
    )
    names = dict(start.named_parameters())
    for (name, first), second in zip(plain.named_parameters(), again.parameters(), strict=True):
        assert torch.equal(first, second)
        assert not torch.equal(first, names[name])
    first, *others = read
    assert set(others) == {first + trials.TEXTS_OF_A_SEED // 2}  # the same for all, and new to the start
    assert trials.moved(start, start) == 0 < trials.moved(aware, start)
    steps_before = dict(trials.prepared(start, trials.SCHEMES["2"]).named_parameters())
    changes = [
        (own - steps_before[name]).abs().max().item() for name, own in aware.named_parameters() if name not in names
    ]
    assert 0 < max(changes) <= 2 * trials.RATE_OF_STEPS * 1e-3 * 1.01  # AdamW: at most the rate in each of two updates
    assert len(list(aware.parameters())) > len(names)
    assert trials.bits_of(trials.SCHEMES["ternary"]) == pytest.approx(math.log2(3) + 0.25)
    assert trials.bits_of(trials.SCHEMES["4"]) == 4.25
    found = trials.search_and_repeat(lambda seed, rate: seed * rate, abs, (3.0, 2.0), [5, 6, 7])
    assert (found.rate, found.searched, found.of_search, found.runs) == (2, {"3": 15, "2": 10}, 10, [12, 14])


TINY = {"float_steps": 2, "rates": (1e-3,), "batch_size": 1, "validation_texts": 1, "test_texts": 1, "layers": 1}


@pytest.fixture
def load_tiny(load_sprint, monkeypatch):
    """Return a function that loads a script whose tokens come from few lists."""

    def load(name: str):
        script, recipes = load_sprint(f"{FOLDER}/{name}.py"), load_sprint(f"{FOLDER}/aware/recipes.py")
        monkeypatch.setattr(script, "ShoppingLists", lambda *_: recipes.ShoppingLists(sample=100))
        return script

    return load


def test_a_model_is_rounded_from_its_first_step_on(load_sprint):
    trials, recipes = (load_sprint(f"{FOLDER}/aware/{name}.py") for name in ("trials", "recipes"))
    lists, scheme = recipes.ShoppingLists(sample=100), trials.SCHEMES["2"]
    plain, one, two = (
        trials.train_float(lists, 1, 1, seed=0, steps=steps, batch_size=1, config=config)
        for steps, config in ((1, None), (1, scheme), (2, scheme))
    )
    weights = dict(plain.named_parameters())
    later = dict(two.named_parameters())
    learnt = [name for name, _ in one.named_parameters() if name not in weights]
    assert len(learnt) > 0
    assert all(not torch.equal(step, later[name]) for name, step in one.named_parameters() if name in learnt)
    assert any(not torch.equal(own, weights[name]) for name, own in one.named_parameters() if name in weights)


def test_few_bits(load_tiny):
    script = load_tiny("few_bits")
    results = script.main(script.Config(schemes=("4",), steps=1, seeds=1, **TINY))
    assert [row.bits for row in results.schemes.values()] == [4.25]
    assert 0 < results.optimum < results.float32.longer[0]
    row = results.schemes["4"]
    assert row.lost[0] == pytest.approx(row.afterwards[0] - results.float32.longer[0])
    assert row.recovered[0] == pytest.approx((row.afterwards[0] - row.aware[0]) / row.lost[0])
    script.plot(results)


def test_how_long(load_tiny):
    script = load_tiny("how_long")
    results = script.main(script.Config(schemes=("2",), shares=(1.0, 0.5), seeds=1, **TINY))
    assert results.steps == [1, 2]
    row = results.schemes["2"]
    for after, own, best, share in zip(
        row.afterwards, row.aware.excess, results.float32.excess, row.recovered, strict=True
    ):
        assert share[0] == pytest.approx((after[0] - own[0]) / (after[0] - best[0]))
    assert row.from_the_first_step[0] != results.first[0]
    script.plot(results)


def test_distil(load_tiny):
    script = load_tiny("distil")
    results = script.main(script.Config(schemes=("2",), lessons=("soft", "texts"), steps=1, seeds=1, **TINY))
    rows = results.schemes["2"]
    assert rows["texts"].above_texts is None
    assert rows["soft"].excess != rows["texts"].excess
    assert rows["soft"].above_texts[0] == pytest.approx(rows["soft"].excess[0] - rows["texts"].excess[0])
    script.plot(results)


def test_texts_get_a_third_more_steps_for_what_a_teacher_costs(load_tiny, monkeypatch):
    script, steps = load_tiny("distil"), []

    def go_on(*given):
        steps.append(given[3])
        return given[0]

    monkeypatch.setattr(script, "go_on", go_on)
    script.main(script.Config(schemes=("2",), lessons=("texts", "longer"), steps=90, seeds=1, **TINY))
    assert steps == [90, 90, 120, 120]


def test_note_7_who_makes_up_for_a_weight(load_sprint):
    script = load_sprint(f"{FOLDER}/who_makes_up.py")
    results = script.main(script.Config())
    after, bias, step = (results.ways[name] for name in list(results.ways)[1:])
    shown(note(7), after.loss, bias.loss, results.gradients["weight"], results.gradients["step"])
    assert (after.weight, bias.bias, step.loss) == (0, pytest.approx(0.8), 0)
    assert results.gradients["bias"] == pytest.approx(-0.8)
    assert f"= {(after.loss - bias.loss) / after.loss:.0%}".replace("%", " %") in note(7)
    assert f"{(0.019 - 0.012) / (0.019 - 0.010):.2f}" in note(7)
    assert f"{math.log2(3):.2f} + 0.25 = {math.log2(3) + 0.25:.2f}" in note(7)
    script.plot(results)


def test_note_7_what_a_bit_less_costs_and_how_large_the_gpt_is(load_sprint):
    gaussian = load_sprint(f"{FOLDER}/aware/gaussian.py")
    errors = {
        bits: gaussian.mean_squared_error(
            gaussian.uniform_points(gaussian.best_step(bits, "with zero"), bits, "with zero")
        )
        for bits in (4, 3, 2)
    }
    for more, fewer in ((4, 3), (3, 2)):
        assert re.search(rf"{errors[fewer] / errors[more]:.1f} times from {more}( bits)? to {fewer}", note(7))
    assert 0.3 < gaussian.best_step(4, "with zero") < 0.36  # about a third of the usual weight
    config = load_sprint(f"{FOLDER}/few_bits.py").Config()
    lists = load_sprint(f"{FOLDER}/aware/recipes.py").ShoppingLists
    model = GPT(GPTConfig(512, lists.context, config.layers, 4, 64 * config.groups, dropout=0.0))
    assert f"a GPT of {sum(weight.numel() for weight in model.parameters()):,} parameters" in note(7)


def test_note_8_three_words(load_sprint):
    script = load_sprint(f"{FOLDER}/soft_targets_by_hand.py")
    results = script.main(script.Config())
    assert results.soft == pytest.approx([0.1, -0.1, 0])
    assert results.mean_of_labels == pytest.approx(results.soft)
    for row in results.of_labels:
        assert ", ".join(f"{part:.1f}" for part in row).replace("-", "−") in note(8)
    shown(note(8), results.divergence, results.other_way_round, form=".4f")
    shown(note(8), results.spread, math.hypot(*results.soft), form=".2f")
    shown(note(8), *results.warm_teacher, -sum(p * math.log(p) for p in results.teacher))
    warm_student = [math.sqrt(q) for q in results.student]
    warm = [q / sum(warm_student) - p for q, p in zip(warm_student, results.warm_teacher, strict=True)]
    assert results.warm_gradient == pytest.approx([part / 2 for part in warm], abs=1e-6)
    shown(note(8), *(q / sum(warm_student) for q in warm_student), *results.warm_gradient)
    with pytest.raises(ValueError, match="add up to 1"):
        script.Config(teacher=(0.5, 0.3, 0.3)).check()
    script.plot(results)


def test_what_came_back():
    for after, aware, plain, words in (
        (0.620, 0.065, 0.020, "0.555 of 0.600, 92.5 %"),
        (0.026, 0.022, 0.020, "0.004 of 0.006, 67 %"),
        (0.023, 0.022, 0.017, "0.006 was lost and 0.001 came back: 17 %"),
    ):
        share = (after - aware) / (after - plain)
        assert words in PAGE
        assert words.endswith((f"{share:.0%}".replace("%", " %"), f"{share:.1%}".replace("%", " %")))

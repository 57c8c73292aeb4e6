"""The numbers that sprint 16 works out by hand, in its exercises and notes."""

import itertools
import math
import statistics

import pytest
import torch
from lesson_texts import lesson_texts, shown

from shared.text.quantity_problems import Problem

page, note = lesson_texts("16_grpo_cooking")


@pytest.fixture
def kitchen(load_sprint):
    return lambda name: load_sprint(f"16_grpo_cooking/kitchen/{name}.py")


# On paper


def variance(p: float, first: float, second: float) -> float:
    mean = p * first + (1 - p) * second
    return p * first**2 + (1 - p) * second**2 - mean**2


def test_a_rare_right_answer():
    p = 0.1
    assert p * 0.9 == pytest.approx(p * 0.81 + (1 - p) * 0.01)
    shown(page, variance(p, 0.9, 0.0), variance(p, 0.81, 0.01), form=".4f")


def test_how_loud_is_a_group(kitchen):
    grpo, weights = kitchen("grpo"), {}
    for right in (1, 4):
        rewards = torch.tensor([[1.0] * right + [0.0] * (8 - right)])
        shown(page, rewards.std().item())
        for scale in (False, True):
            advantages = grpo.group_advantages(rewards, scale)[0][0]
            weights[right, scale] = advantages.abs().sum().item()
            shown(page, *advantages[[0, -1]].abs().tolist(), form=".2f" if scale else "g")
            shown(page, weights[right, scale], form=".2f")
    shown(page, weights[1, False] / weights[4, False], weights[1, True] / weights[4, True], form=".2f")


def test_four_tokens(load_sprint):
    script = load_sprint("16_grpo_cooking/clip_on_paper.py")
    points = [script.measure(ratio, a, script.Config()) for ratio in (1.5, 0.5) for a in (2.0, -2.0)]
    found = [(round(point.objective, 4), round(point.slope, 4) + 0.0) for point in points]
    assert found == [(2.4, 0), (-3, -3), (1, 1), (-1.6, 0)]


def test_ten_answers(kitchen):
    shown(page, kitchen("pass_at_k").pass_at_k(10, 2, 5), 1 - 0.8**5)
    squares = [p**2 for p in (0.3, 0.4, 0.3)]
    shown(page, *(square / sum(squares) for square in squares))


# What the notes work out by hand


def test_notes_1_and_2_two_arms(load_sprint):
    script = load_sprint("16_grpo_cooking/two_arms.py")
    results = script.main(script.Config(draws=1))
    shown(note(1), results.exact, form=".4f")
    assert all(each.mean == pytest.approx(results.exact) for each in results.estimates.values())
    by_mean, shifted = results.estimates["mean reward"], results.estimates["none, rewards + 10"]
    shown(note(2), by_mean.from_a, by_mean.from_b, form=".4f")
    shown(note(2), results.estimates["none"].variance, shifted.variance, by_mean.variance)
    assert round(shifted.variance / results.estimates["none"].variance) == 205
    assert results.estimates["least variance"].variance == pytest.approx(0)
    assert results.estimates["least variance"].baseline == pytest.approx(0.75)
    assert all(learnt > 0.9 for learnt in script.main(script.Config()).learnt.values())


@pytest.mark.parametrize("size", [2, 3, 4])
@pytest.mark.parametrize("p", [0.25, 0.6])
def test_note_2_the_mean_of_the_group_shortens_the_gradient(size, p):
    """All groups of two answers, with their probabilities."""
    total = 0.0
    for code in range(2**size):
        right = [code >> place & 1 for place in range(size)]
        chance = math.prod(p if each else 1 - p for each in right)
        mean = statistics.mean(right)
        total += chance * statistics.mean((each - mean) * ((1 - p) if each else -p) for each in right)
    assert total == pytest.approx((1 - 1 / size) * p * (1 - p))


def test_note_3_the_table(load_sprint):
    script = load_sprint("16_grpo_cooking/clip_on_paper.py")
    results = script.main(script.Config())
    for point in results.points:
        assert f"**{point.objective:.3g}**".replace("-", "−") in note(3) or f"**{point.objective:.3g}**" in note(3)


def test_note_4_one_group(load_sprint, kitchen):
    script = load_sprint("16_grpo_cooking/one_group.py")
    results = script.main(script.Config())
    assert results.rewards == pytest.approx([1.3, 0.2, 1.3, 0.0])
    shown(note(4), results.deviation, results.slopes[0], results.slopes[3])
    shown(note(4), *results.advantages, form=".2f")
    assert results.loss == pytest.approx(0, abs=1e-6)
    policy, reference = torch.tensor([[0.8, 0.2]]).log(), torch.tensor([[0.5, 0.5]]).log()
    k3 = kitchen("grpo").k3_divergence(policy, reference)[0]
    shown(note(4), *k3.tolist(), (policy[0].exp() * (policy - reference)[0]).sum().item(), (policy[0].exp() * k3).sum())
    script.plot(results)


def test_note_4_both_directions_of_the_divergence_agree_through_second_order():
    reference = torch.tensor([0.5, 0.3, 0.2], dtype=torch.double)
    direction = torch.tensor([0.3, -0.1, -0.2], dtype=torch.double)
    for size in (1e-2, 1e-3):
        policy = reference + size * direction
        forward = (policy * (policy / reference).log()).sum()
        backward = (reference * (reference / policy).log()).sum()
        third = size**3 * (direction**3 / reference**2).sum() * (1 / 3 - 1 / 6)
        assert (forward - backward).item() == pytest.approx(third.item(), rel=0.05)


def test_note_4_the_gradient_of_k3_is_that_of_the_other_direction(kitchen):
    logits = torch.tensor([0.3, -0.5, 1.0], requires_grad=True)
    reference = torch.tensor([0.5, 0.3, 0.2]).log()
    log_probs = logits.log_softmax(dim=0)
    k3 = kitchen("grpo").k3_divergence(log_probs[None], reference[None])[0]
    (found,) = torch.autograd.grad((log_probs.exp().detach() * k3).sum(), logits, retain_graph=True)
    (expected,) = torch.autograd.grad(-(reference.exp() * log_probs).sum(), logits)
    torch.testing.assert_close(found, expected)


def test_note_5_temperatures(load_sprint):
    script = load_sprint("16_grpo_cooking/temperature_by_hand.py")
    results = script.main(script.Config())
    at = results.temperatures
    assert at["0"].probabilities[0] == 1
    # A temperature moves the vote and pass@5 as well: neither is a proof of learning where only one is compared.
    falling = [at[each] for each in ("1", "0.7", "0.3")]
    for sharper, milder in itertools.pairwise(reversed(falling)):
        assert sharper.majority > milder.majority
        assert sharper.pass_at > milder.pass_at
    shown(note(5), at["0.7"].probabilities[0], at["1"].pass_at, form=".2f")
    assert script.majority_right([0.4, 0.6], 3) == pytest.approx(0.4**3 + 3 * 0.4**2 * 0.6)
    assert script.majority_right([0.4, 0.3, 0.3], 1) == pytest.approx(0.4)
    shown(note(5), 100 * (1 - 0.99**300), 100 * (1 - 0.7**8), form=".0f")
    script.plot(results)


def test_note_6_the_probability_of_a_signal():
    for p in (0.01, 0.1, 0.5, 0.9, 0.99):
        row = [1 - (1 - p) ** size - p**size for size in (2, 8, 16)]
        assert " | ".join(f"{share:.3f}" for share in row) in note(6)


def test_note_7_errors_of_steps():
    shown(note(7), math.hypot(0.06, 0.06), 0.06 / math.sqrt(10), math.sqrt(2 / 10) * 0.06)


def test_note_8_five_texts(kitchen):
    rewards, asked = kitchen("rewards"), Problem("", "", "30 g")
    texts = [
        "<think>40/4=10;10*3=30</think><answer>30 g</answer>",
        "<think>40/4=10;10*3=33</think><answer>33 g</answer>",
        "<think>40/4=11;11*3=30</think><answer>30 g</answer>",
        "<answer>30 g</answer><answer>33 g</answer>",
        "it is 30 g",
        "<think>1+1=2;1+1=2</think><answer>7</answer>",
    ]
    assert all(text in note(8) for text in texts[:5])
    totals, _ = rewards.score(rewards.VERIFIED, [asked] * 6, texts)
    assert totals == pytest.approx([1.3, 0.2, 1.1, 0, 0, 0.3])


def test_note_9_pairs():
    shown(note(9), 1 / (1 + math.exp(-1)), math.log(1 + math.exp(-1)), math.log(1 + math.exp(1)))


def test_note_10_by_hand():
    x = torch.tensor([3.0, 4.0])
    shown(note(10), x.square().mean().sqrt().item(), *(x / x.square().mean().sqrt()).tolist(), math.cos(1))
    silu = torch.nn.functional.silu(torch.tensor([2.0, -5.0]))
    shown(note(10), silu[0].item(), 3 * silu[0].item(), 3 * silu[1].item())
    block = 2 * 8 * (576 + 576) + 2 * 8 * (576 + 192) + 3 * 8 * (576 + 1536)
    shown(note(10), 100 * 30 * block / 134.5e6, form=".1f")
    shown(note(10), 8 * (576 + 1536), 576 * 1536, form=",")


def test_note_11_the_tree(load_sprint):
    script = load_sprint("16_grpo_cooking/tree_on_paper.py")
    results = script.main(script.Config())
    assert (results.in_rows, results.in_tree) == (24, 13)
    assert results.descendants[3] == 4
    assert results.descendants[2] == 10
    assert results.sees[6][3]
    assert not results.sees[8][3]
    assert results.positions[8] == 3
    assert script.main(script.Config(answers=("5*4=20",) * 3)).in_tree == 8
    script.plot(results)

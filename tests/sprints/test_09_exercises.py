"""What the notes and exercises of sprint 9 work out by hand."""

import json
import math
import statistics
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from shared.training.losses import next_token_loss, perplexity
from shared.training.schedules import warmup_cosine, warmup_linear

SPRINT = Path(__file__).parents[2] / "sprints/09_train_gpt2"
PAGE = " ".join((SPRINT / "exercises/README.md").read_text(encoding="utf-8").split())


def note(number: int) -> str:
    (path,) = (SPRINT / "notes").glob(f"{number:02}_*.md")
    return " ".join(path.read_text(encoding="utf-8").split())


def recorded(name: str) -> dict:
    return json.loads((SPRINT / "results" / f"{name}.json").read_text(encoding="utf-8"))["results"]


def entropy(*shares: float) -> float:
    return -sum(share * math.log(share) for share in shares)


def test_exercise_a_surprise():
    first, second = ([0.5, 0.25, 0.25, 0.125], [0.5, 0.5, 0.5, 0.0625])
    nats = [[-math.log(share) for share in shares] for shares in (first, second)]
    assert f"{statistics.mean(nats[0]):.3f}" == "1.386"
    assert perplexity(statistics.mean(nats[0])) == pytest.approx(4)
    assert f"perplexity {perplexity(statistics.mean(nats[1])):.3f}; so the second is better" in PAGE
    assert [statistics.mean(map(math.exp, losses)) for losses in nats] == pytest.approx([4.5, 5.5])


def test_exercises_b_c_d():
    assert f"e^2.0 = {math.exp(2):.3f}" in PAGE
    assert f"e^0.6 = {math.exp(0.6):.3f}" in PAGE
    rows = [[1.0] * 5, [4.0]]
    assert sum(map(sum, rows)) / 6 == 1.5
    assert statistics.mean(map(statistics.mean, rows)) == 2.5
    assert sum(map(sum, rows)) / 10 == 0.9
    for gradient in (0.001, 100.0):
        weight = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        weight.grad = torch.tensor([gradient], dtype=torch.float64)
        torch.optim.AdamW([weight], 0.003, (0.9, 0.95), weight_decay=0.0).step()
        assert weight.item() == pytest.approx(-0.003, rel=1e-4)


def test_note_1_counts_and_5_grams():
    results = recorded("count_and_predict")
    table = dict(zip(results["words"], results["probabilities"], strict=True))
    at = results["words"].index
    assert table["the"][at("cat")] == pytest.approx(2 / 3)
    assert table["the"][at("dog")] == pytest.approx(1 / 3)
    assert results["probability"] == pytest.approx(1 / 3)
    assert all(sum(row) == pytest.approx(1) for row in results["probabilities"])
    assert f"{2048**5:.1e}" == "3.6e+16"
    assert f"{math.log(2048):.2f} nats" in note(1)


def test_note_2_nats_bits_perplexity():
    results = recorded("surprise")
    assert f"**{results['mean_nats']:.3f}** | **{results['mean_bits']:.3f}**" in note(2)
    assert f"= {results['perplexity']:.3f}$" in note(2)
    assert results["by_losses"] == pytest.approx(results["mean_nats"], abs=1e-6)
    assert results["best_share"] == pytest.approx(2 / 3)
    assert results["losses_of_shares"].index(min(results["losses_of_shares"])) == results["shares"].index(0.67)
    assert f"{(1 / 3) ** 0.25:.3f}$" in note(2)
    assert f"{1 / math.log(2):.3f}$ bits" in note(2)
    assert f"{math.log2(1.5):.3f}" in note(2)


def test_note_2_the_mean_is_one_of_tokens():
    # Two rows whose losses are 1 five times, and 4 once: the logits of two words give them exactly.
    losses = torch.tensor([[1.0] * 5, [4.0, 0, 0, 0, 0]], dtype=torch.float64)
    logits = torch.stack([-losses, (1 - (-losses).exp()).clamp(min=1e-30).log()], dim=-1)
    mask = torch.tensor([[True] * 6, [True, True, False, False, False, False]])
    assert next_token_loss(logits, torch.zeros(2, 6, dtype=torch.long), mask).item() == pytest.approx(1.5)


def test_note_3_a_tiny_grammar():
    floor = entropy(3 / 8, 3 / 8, 1 / 4)
    assert f"= {floor:.3f} nats per recipe" in note(3)
    assert f"ln 3 = {math.log(3):.3f} for every one: {math.log(3) - floor:.3f} more" in note(3)
    assert floor == pytest.approx(entropy(3 / 4, 1 / 4) + 3 / 4 * math.log(2))
    assert f"{entropy(3 / 4, 1 / 4):.3f} nats: less" in note(3)
    for share, count in ((3 / 8, 2), (1 / 4, 1)):
        assert note(3).count(f"{-math.log(share):.3f} |") == count


def test_note_3_and_12_inequalities_hold_for_random_distributions():
    generator = torch.Generator().manual_seed(0)
    for _ in range(200):
        p, q = torch.rand(2, 6, generator=generator, dtype=torch.float64).softmax(1)
        p[4:] = 0  # what the grammar never writes
        p /= p.sum()
        divergence = torch.xlogy(p, p / q).sum().item()
        assert divergence >= 0
        assert q[:4].sum().item() >= math.exp(-divergence) - 1e-12


def test_note_4_one_step():
    results = recorded("one_training_step")
    assert results["sums"] == [[-1.5, 1.5], [0.5, -0.5]]
    assert results["gradient"] == [-0.25, 0.25]
    assert results["mean_of_means"] == [0, 0]
    assert f"= {results['norm']:.3f}" in note(4)
    assert f"({results['clipped'][0]:.3f}, {results['clipped'][1]:.3f})".replace("-", "−") in note(4)
    assert f"= {results['weights'][0]:.3f} for *cat*" in note(4)
    assert results["by_loop"] == pytest.approx(results["weights"], abs=1e-6)
    cat = functional.cross_entropy(logits := torch.zeros(1, 2, requires_grad=True), torch.tensor([0]))
    assert torch.autograd.grad(cat, logits)[0].tolist() == [[-0.5, 0.5]]
    assert [warmup_cosine(step, steps=40, warmup=5) for step in range(6)] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 1])
    assert warmup_linear(0, steps=40, warmup=5) == 0.2
    swings = results["cat_without_zeroing"][20:]
    assert min(swings) < 0.55
    assert max(swings) > 0.9
    assert results["cat_with_zeroing"][-1] == pytest.approx(0.75, abs=1e-3)


def test_note_5_and_11_averages_of_adamw():
    moves = [move / 0.01 for move in recorded("optimizers_by_hand")["moves"]]
    assert moves[:5] == pytest.approx([-1] * 5, rel=1e-4)
    means, square = (0.1 * 0.1, 0.9 * 0.01 - 0.01), (0.95 * 0.0005 + 0.0005) / (1 - 0.95**2)
    assert means[1] == pytest.approx(-0.001)
    assert f"{means[1] / 0.19:.4f}".replace("-", "−") in note(5)
    assert f"+{-means[1] / 0.19 / math.sqrt(square):.3f}\\,η" in note(5)
    assert f"= {0.01 / math.sqrt(0.0005):.3f}$" in note(5)
    assert f"= {0.01 / math.sqrt(0.00001):.2f}" in note(5)
    for step, square_rate in ((1, 0.05), (10, 1 - 0.95**10), (1, 0.001), (10, 1 - 0.999**10)):
        ratio = (1 - 0.9**step) / math.sqrt(square_rate)
        assert f"{ratio:.3f}" in note(11) or f"{ratio:.2f}" in note(11)


def test_note_6_and_7_say_what_was_recorded():
    curves = recorded("over_and_underfitting")
    assert curves["unread"][-1] > min(curves["unread"])
    assert curves["read"] == sorted(curves["read"], reverse=True)
    assert curves["read_by_text"] == sorted(curves["read_by_text"])
    assert curves["unread_by_text"] == sorted(curves["unread_by_text"], reverse=True)
    results = recorded("reading_loss_curves")
    runs = {title[0]: run for title, run in results["runs"].items()}
    at = results["steps"].index
    healthy = runs["1"]["validation"]
    assert healthy[at(20)] < results["unigram"] < healthy[0], "in twenty steps it knows the frequencies"
    assert healthy[-1] < results["bigram"]
    assert runs["2"]["validation"][-1] == pytest.approx(healthy[at(20)], abs=0.1)
    assert runs["3"]["validation"][-1] > healthy[-1] + 0.5
    assert min(runs["4"]["training"][20:]) > 100
    assert runs["5"]["validation"][-1] == pytest.approx(results["unigram"], abs=0.02)
    assert runs["6"]["validation"][-1] > results["unigram"]
    assert runs["6"]["training"][-1] < healthy[-1]
    assert runs["7"]["validation"][at(40)] < 0.1
    assert runs["8"]["validation"][-1] < results["unigram"] < runs["8"]["honest"]
    assert runs["7"]["honest"] > results["uniform"]
    assert f"mean is {statistics.mean((4, 3, 2.5, 2.2, 2.0)):.2f};" in note(7)


def test_note_8_blocks():
    rows = recorded("rows_of_a_batch")
    assert rows["starts"] == [4, 7]
    assert f"*{' '.join(rows['blocks'][0])}*" in note(8)
    assert math.ceil(999 / 128) == 8


def test_note_9_10_12_13_small_numbers():
    assert f"0.999^{{170}} = {0.999**170:.3f}" in note(9)
    assert f"10 + 49 = {10 + 49} Without".replace(" W", ". W") in note(9)
    assert sum(range(10, 60)) == 1725
    assert f"{math.log(0.9) / math.log(0.78):.2f} of it" in note(9)
    assert f"ln 66 = {math.log(66):.2f}" in note(10)
    assert f"e^1.5 = {math.exp(1.5):.2f}" in note(10)
    assert f"e^{{-0.37}} = {math.exp(-0.37):.2f}" in note(12)
    assert f"{0.05 * 168:.1f} nats per recipe: at least e^−8.4 = {math.exp(-8.4):.2%}".replace("%", " %") in note(12)
    assert statistics.median((10 / 5, 20 / 9, 12 / 6)) == 2
    assert torch.nextafter(torch.tensor(1.0).bfloat16(), torch.tensor(2.0).bfloat16()).item() == 1 + 2**-7

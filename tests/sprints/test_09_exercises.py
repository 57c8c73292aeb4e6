"""What the notes and exercises of sprint 9 work out by hand."""

import json
import math
import statistics
from pathlib import Path

import numpy as np
import pytest
import torch
from lesson_texts import lesson_texts
from torch.nn import functional

from shared.checks.invariants import InvariantError, check_padding_invariance
from shared.checks.sanity import check_initial_loss
from shared.nn.gpt import GPT, GPTConfig
from shared.text.batches import whole_text
from shared.text.corpora import CookbookCorpus, cookbook_tokenizer
from shared.training.losses import count_targets, language_model_loss, next_token_loss, perplexity
from shared.training.muon import orthogonalise
from shared.training.schedules import warmup_cosine, warmup_linear

SPRINT = Path(__file__).parents[2] / "sprints/09_train_gpt2"
PAGE, note = lesson_texts("09_train_gpt2")


MUON = (3.4445, -4.775, 2.0315)  # the coefficients of Jordan et al. 2024


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
    rows = [[0.5] * 4, [3.0, 2.0]]
    assert f"Seven nats in six targets: {sum(map(sum, rows)) / 6:.3f}." in PAGE
    assert f"Mean of the rows: (0.5 + 2.5) / 2 = {statistics.mean(map(statistics.mean, rows))}." in PAGE
    assert f"All eight places: {sum(map(sum, rows)) / 8}," in PAGE
    for gradient in (0.2, 0.002):
        weight = torch.zeros(1, dtype=torch.float64, requires_grad=True)
        optimizer, places = torch.optim.AdamW([weight], 0.003, (0.9, 0.95), weight_decay=0.0), [0.0]
        for found in (gradient, 0.0):
            weight.grad = torch.tensor([found], dtype=torch.float64)
            optimizer.step()
            places.append(weight.item())
        first, second = places[0] - places[1], places[1] - places[2]
        assert f"it moves by {first:.3f}. Second step" in PAGE
        assert f"It moves by {second / first:.3f} · 0.003 = {second:.5f}, though" in PAGE


def test_note_1_counts_and_5_grams():
    results = recorded("count_and_predict")
    table = dict(zip(results["words"], results["probabilities"], strict=True))
    at = results["words"].index
    assert table["the"][at("cat")] == pytest.approx(2 / 3)
    assert table["the"][at("dog")] == pytest.approx(1 / 3)
    assert results["probability"] == pytest.approx(1 / 3)
    assert all(sum(row) == pytest.approx(1) for row in results["probabilities"])
    assert f"2,048⁵ = {2048**5 / 1e16:.1f} · 10¹⁶ different 5-grams" in note(1)
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


def test_note_2_what_the_first_loss_tells():
    torch.manual_seed(0)
    model = GPT(GPTConfig(vocab_size=500, context=32, layers=2, heads=2, d_model=64, dropout=0.0))
    tokens, mask = torch.randint(500, (4, 33)), (torch.arange(33) < torch.tensor([[33], [33], [33], [10]]))
    loss, count = language_model_loss(model, (tokens, mask))
    check_initial_loss(loss.item() / count, 500)
    with pytest.raises(InvariantError, match="divided by too much"):
        check_initial_loss(loss.item() / tokens[:, 1:].numel(), 500)
    logits = model(tokens[:, :-1]).flatten(0, 1)
    with pytest.raises(InvariantError, match="the answer leaks"):
        check_initial_loss(functional.cross_entropy(logits, tokens[:, :-1].flatten()).item(), 500)
    twice = functional.cross_entropy(model(tokens[:, :-2]).flatten(0, 1), tokens[:, 2:].flatten()).item()
    check_initial_loss(twice, 500)  # a second shift it does not find


def test_note_9_which_check_finds_wrong_positions():
    torch.manual_seed(0)
    model = GPT(GPTConfig(vocab_size=11, context=8, layers=2, heads=2, d_model=16, dropout=0.0)).eval()
    tokens, mask = torch.tensor([[0, 0, 3, 4], [1, 2, 3, 4]]), torch.tensor([[False, False, True, True], [True] * 4])

    def from_the_left_edge(tokens: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return model(tokens, mask=mask, positions=torch.arange(4).expand(2, 4))

    check_padding_invariance(from_the_left_edge, tokens, mask, vocab_size=11)
    with torch.no_grad():
        alone = model(tokens[:1, 2:])[0]
        right = model(tokens, mask=mask, positions=torch.tensor([[0, 0, 0, 1], [0, 1, 2, 3]]))[0, 2:]
        wrong = from_the_left_edge(tokens, mask)[0, 2:]
    assert torch.allclose(right, alone, atol=1e-5)
    assert not torch.allclose(wrong, alone, atol=1e-2)


def test_note_3_a_tiny_grammar():
    floor = entropy(3 / 8, 3 / 8, 1 / 4)
    assert f"= {floor:.3f} nats per recipe" in note(3)
    assert f"ln 3 = {math.log(3):.3f} for every one: {math.log(3) - floor:.3f} more" in note(3)
    assert f"KL is {math.log(3):.4f} − {floor:.4f} = {math.log(3) - floor:.4f}." in note(3)
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


def test_note_5_a_diagonal_by_hand():
    strengths, (a, b, c) = torch.tensor([3.0, 0.03]), MUON
    strong, weak = (a * s + b * s**3 + c * s**5 for s in (strengths / strengths.norm()).tolist())
    assert f"${a} - {-b} + {c} = {strong:.2f}$" in note(5)
    assert f"${a} \\cdot 0.01 = {weak:.3f}$" in note(5)
    ends = orthogonalise(strengths.diag(), MUON, 5, 1e-7).diag().tolist()
    assert f"After five rounds they are {ends[0]:.3f} and {ends[1]:.3f}." in note(5)


def test_note_5_a_rare_word_has_a_small_gradient():
    torch.manual_seed(0)
    corpus = CookbookCorpus(cookbook_tokenizer(2048), validation_recipes=1)
    batch = next(corpus.train_batches(8, 256, torch.Generator()))
    model = GPT(GPTConfig(vocab_size=2048, context=256, layers=1, heads=2, d_model=32, dropout=0.0))
    loss, count = language_model_loss(model, batch)
    (loss / count).backward()
    seen = torch.bincount(batch.tokens[batch.mask], minlength=2048)
    norms = model.token_embedding.weight.grad.norm(dim=1)
    assert norms[seen.argmax()] > 20 * norms[seen == 1].median()


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
    assert "places counted from 0: from place 4" in note(8)
    blocks = list(whole_text(np.arange(1000), 3, 128))
    targets, rows = sum(count_targets(*block) for block in blocks), sum(len(block.tokens) for block in blocks)
    assert f"Targets: {targets}, all but the first. Blocks: 999 / 128, rounded up: {rows}," in note(8)


def test_note_9_10_12_13_small_numbers():
    assert f"0.999^{{170}} = {0.999**170:.3f}" in note(9)
    assert f"10 + 49 = {10 + 49} Without".replace(" W", ". W") in note(9)
    assert f"10 + 11 + … + 59 = {sum(range(10, 60)):,}." in note(9)
    assert f"{math.log(0.9) / math.log(0.78):.2f} of it" in note(9)
    assert f"ln 66 = {math.log(66):.2f}" in note(10)
    assert f"e^1.5 = {math.exp(1.5):.2f}" in note(10)
    assert f"e^{{-0.37}} = {math.exp(-0.37):.2f}" in note(12)
    assert f"{0.05 * 168:.1f} nats per recipe: at least e^−8.4 = {math.exp(-8.4):.2%}".replace("%", " %") in note(12)
    ratios = (10 / 5, 20 / 9, 12 / 6)
    assert f"are {ratios[0]:.2f}, {ratios[1]:.2f} and {ratios[2]:.2f}, median {statistics.median(ratios):.2f}." in note(
        13
    )
    assert (
        f"the first A and the last B it would be {10 / 6:.2f}, of the second A and the first B {20 / 5:.0f}."
        in note(13)
    )
    assert f"1 + 2⁻⁷ = {1 + 2**-7:.4f}." in note(13)
    assert torch.nextafter(torch.tensor(1.0).bfloat16(), torch.tensor(2.0).bfloat16()).item() == 1 + 2**-7

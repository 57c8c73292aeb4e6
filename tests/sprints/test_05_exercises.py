"""The numbers that the notes and exercises of sprint 5 work out by hand."""

import cmath
import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import torch
from lesson_texts import lesson_texts
from sklearn.manifold import trustworthiness
from torch.nn import functional

from shared.nn.positions import sinusoidal_positions
from shared.nn.rotary import rotate_halves, rotate_interleaved
from shared.text.cookbook import Cookbook

FOLDER = "05_embeddings_and_positional_encoding"
PAGE, note = lesson_texts("05_embeddings_and_positional_encoding", minus="-")


# The notes


def test_note_1_a_lookup_and_its_gradient(load_sprint):
    script = load_sprint(f"{FOLDER}/lookup_as_product.py")
    results = script.main(script.Config())
    assert results.looked_up == results.by_product == [[4, 0, 1], [1, 2, 0], [4, 0, 1]]
    assert results.gradient == results.gradient_of_the_lookup == [[0, 2, 0], [0, 0, 0], [4, 1, 2], [0, 0, 0]]
    assert "= (4, 1, 2)" in note(1)
    three = script.main(script.Config(tokens=(1, 1, 1))).gradient
    assert three == [[0, 0, 0], [4, 3, 2], [0, 0, 0], [0, 0, 0]]
    assert "(4, 3, 2)" in note(1)
    assert f"{512 * 50_000 * 64:,} multiplications" in note(1)
    assert f"{50_000 * 64:,} numbers" in note(1)
    with pytest.raises(ValueError, match="has 3 places; got 2 --tokens"):
        script.Config(tokens=(1, 2)).check()


def test_note_2_counts_cosines_and_information(load_sprint):
    script = load_sprint(f"{FOLDER}/company.py")
    results = script.main(script.Config())
    table = results.all_words
    assert dict(zip(table.contexts, table.counts[0], strict=True)) == {"melt": 1, "the": 2, "in": 1} | dict.fromkeys(
        ["boil", "salted"], 0
    )
    assert f"{table.cosines[0][2]:.3f}" == "0.612"
    assert "3 / 4.899 = 0.612" in note(2)
    assert results.without_frequent.cosines[0] == pytest.approx([1, 1, 0, 0])
    sentences = [sentence.split() for sentence in script.SENTENCES]
    assert len(script.pairs_of(sentences, 2)) == 72
    for word, ratio in (("melt", 72 / (4 * 4)), ("the", 2 * 72 / (4 * 18))):
        assert results.information[word] == pytest.approx(math.log(ratio))
        assert f"= {ratio:g}, {'and ' * (word == 'melt')}log {ratio:g} = {math.log(ratio):.3f}" in note(2)
    narrow = script.main(script.Config(window=1)).all_words
    assert narrow.cosines[0][2] == pytest.approx(1), "the answer of the first question"
    assert f"log 0.5 = {math.log(0.5):.3f}" in note(2)


def test_note_3_a_step_of_negative_sampling(load_sprint):
    script = load_sprint(f"{FOLDER}/push_and_pull.py")
    results = script.main(script.Config())
    vectors = [torch.tensor(x, requires_grad=True) for x in (script.CENTRE, script.CONTEXT, script.NOISE)]
    centre, context, noise = vectors
    loss = -functional.logsigmoid(context @ centre) - functional.logsigmoid(-noise @ centre)
    for ours, theirs in zip(results.gradients, torch.autograd.grad(loss, vectors), strict=True):
        assert ours == pytest.approx(theirs.tolist())
    assert results.before.loss == pytest.approx(loss.item())
    after = results.after
    for numbers in (
        f"0.693 + 1.313 = {results.before.loss:.3f}",
        f"({results.gradients[0][0]:.3f}, {results.gradients[0][1]:.3f})",
        f"centre ({after.centre[0]:.3f}, {after.centre[1]:.3f}), context (0.25, 1), noise ({after.noise[0]:.3f}, -1)",
        f"now {after.scores[0]:.3f} and {after.scores[1]:.3f}, the loss is {after.loss:.3f}",
        f"six times log 2 = {6 * math.log(2):.3f}",
        f"{1 / (1 + math.exp(-10)) - 1:.6f}",
    ):
        assert numbers in note(3), numbers
    powers = torch.tensor([900.0, 90, 10]) ** 0.75
    assert ", ".join(f"{share:.2f}" for share in powers / powers.sum()) == "0.83, 0.15, 0.03"


def test_note_3_pulling_the_noise_makes_all_vectors_alike():
    generator = torch.Generator().manual_seed(0)
    vectors = [(0.1 * torch.randn(20, 8, generator=generator)).requires_grad_() for _ in range(2)]
    optimizer = torch.optim.Adam(vectors, lr=0.05)
    for _ in range(150):
        scores = vectors[0] @ vectors[1].T
        optimizer.zero_grad()
        loss = -functional.logsigmoid(scores).mean()
        loss.backward()
        optimizer.step()
    assert loss < 0.01
    assert functional.cosine_similarity(vectors[0][None], vectors[0][:, None], dim=-1).min() > 0.8


def test_note_3_the_formula_is_the_minimum_and_is_pmi_for_plain_noise():
    generator = torch.Generator().manual_seed(0)
    pairs = torch.rand(4, 5, dtype=torch.float64, generator=generator)
    pairs /= pairs.sum()
    for power in (0.75, 1.0):
        noise = pairs.sum(0) ** power
        noise /= noise.sum()
        best = (pairs / (pairs.sum(1, keepdim=True) * noise)).log() - math.log(5)

        def loss(scores, noise=noise):
            pulled, pushed = functional.logsigmoid(scores), functional.logsigmoid(-scores)
            return -(pairs * pulled + 5 * pairs.sum(1, keepdim=True) * noise * pushed).sum()

        (slope,) = torch.autograd.grad(loss(best.requires_grad_()), best)
        assert slope.abs().max() < 1e-12
        pmi = (pairs / (pairs.sum(1, keepdim=True) * pairs.sum(0))).log()
        gap = (best + math.log(5) - pmi).detach()
        assert (gap.abs().max() < 1e-12) == (power == 1)
        if power < 1:
            frequent, rare = pairs.sum(0).argmax(), pairs.sum(0).argmin()
            assert gap[0, frequent] > 0 > gap[0, rare], "frequent contexts score higher than by PMI"


def test_note_4_purity_and_its_ceiling(load_sprint):
    script = load_sprint(f"{FOLDER}/embedding_study/role_purity.py")
    roles = list(load_sprint(f"{FOLDER}/embedding_study/recipe_words.py").ingredient_roles(Cookbook()).values())
    assert (len(roles), len(set(roles)), min(Counter(roles).values())) == (231, 31, 4)
    assert f"3 / 230 = {3 / 230:.3f}" in note(4)
    ceiling = script.purity_without_styles(Cookbook(), roles)
    assert ceiling["spices"] == pytest.approx((40 * 4 / 39 + 20 * 4 / 19) / 60)
    assert ceiling["others"] == 1
    assert f"4/39 = {4 / 39:.3f}. A sweet one: 4/19 = {4 / 19:.3f}." in note(4)
    assert f"40 savoury and 20 sweet spices is {ceiling['spices']:.3f}" in note(4)
    # Butter is at 0 degrees; lard and olive oil, two fats, and rice are the three that are nearest to it.
    angles, lengths = torch.tensor([0.0, 10, -20, 30, 80, 180]) * math.pi / 180, torch.tensor([1.0, 1, 1, 1, 9, 9])
    vectors = torch.stack([angles.cos(), angles.sin()], dim=1) * lengths[:, None]
    neighbours = script.nearest(vectors, 3)[0].tolist()
    assert neighbours == [1, 2, 3], "a long vector is no nearer"
    assert script.nearest(vectors, 5)[0].tolist() == [1, 2, 3, 4, 5], "nothing is its own neighbour"
    words = ["fat", "fat", "fat", "grain", "grain", "grain"]
    assert f"{sum(words[place] == 'fat' for place in neighbours) / 3:.2f} for butter" in note(4)


def test_note_5_clock_hands(load_sprint):
    table = sinusoidal_positions(4, 4)
    for row in table[1:]:
        assert f"| {row[0]:.3f} | {row[1]:.3f} | {row[2]:.3f} | {row[3]:.3f} |" in note(5)
    for left, right in ((1, 2), (2, 3)):
        assert f"{(table[left, :2] @ table[right, :2]).item():.3f}" == f"{math.cos(1):.3f}" == "0.540"
    script = load_sprint(f"{FOLDER}/clock_hands.py")
    results = script.main(script.Config())
    assert results.periods == pytest.approx([2 * math.pi * 10**k for k in range(4)])
    assert f"({results.encodings[6][0]:.3f}, {results.encodings[6][1]:.3f})" in note(5)
    many = sinusoidal_positions(300, 16)
    assert torch.cdist(many, many).fill_diagonal_(9).min() > 0.1, "no two positions alike"
    assert many.norm(dim=1).square() == pytest.approx(torch.full((300,), 8.0))


def test_note_6_turned_pairs(load_sprint):
    script = load_sprint(f"{FOLDER}/turn_a_pair.py")
    results = script.main(script.Config())
    assert results.unturned == 2
    assert [round(panel.score, 3) for panel in results.panels] == [2.732, 2.732, -0.732]
    for panel in results.panels:
        for vector, name in ((script.QUERY, "query"), (script.KEY, "key")):
            place = getattr(panel, f"{name}_place")
            turned = complex(*vector) * cmath.exp(1j * place * math.pi / 6)
            assert getattr(panel, name) == pytest.approx([turned.real, turned.imag])
    assert "**2.732**" in note(6)
    assert "**-0.732**" in note(6)
    near = script.main(script.Config(places=(2, 1))).panels[0]
    assert near.score == pytest.approx(results.panels[0].score), "the answer of the last question"
    with pytest.raises(ValueError, match="a position each; got 3 --places"):
        script.Config(places=(1, 2, 3)).check()


def test_note_6_layouts_differ():
    x, place = torch.tensor([[1.0, 0, 0, 0]]), torch.tensor([1])
    cosine, sine = math.cos(1), math.sin(1)
    assert rotate_interleaved(x, place)[0].tolist() == pytest.approx([cosine, sine, 0, 0])
    assert rotate_halves(x, place)[0].tolist() == pytest.approx([cosine, 0, sine, 0])


def test_note_7_principal_directions(load_sprint):
    script = load_sprint(f"{FOLDER}/pca_by_hand.py")
    results = script.main(script.Config())
    assert results.directions[0] == pytest.approx([2 / math.sqrt(5), 1 / math.sqrt(5)])
    assert [s**2 for s in results.singular_values] == pytest.approx([10, 2.5])
    assert results.shares == pytest.approx([0.8, 0.2])
    assert results.variances == pytest.approx([10 / 3, 2.5 / 3]), "of four points: divided by three, as usual"
    assert results.tried == pytest.approx(8.5)
    assert sorted(results.coordinates) == pytest.approx([-math.sqrt(5), 0, 0, math.sqrt(5)])
    assert script.main(script.Config(degrees=26.565)).tried == pytest.approx(10)
    uncentred = np.linalg.svd(np.array(script.POINTS))[2][0]
    assert abs(uncentred @ [1, 1]) / math.sqrt(2) > 0.999, "without centring: the way to the middle"


def test_note_7_no_directions_beat_the_singular_vectors():
    generator = torch.Generator().manual_seed(0)
    for _ in range(20):
        points = torch.randn(12, 5, dtype=torch.float64, generator=generator)
        best = torch.linalg.svdvals(points).square().cumsum(0)
        for count in (1, 2, 3):
            for _ in range(50):
                directions = torch.linalg.qr(torch.randn(5, count, dtype=torch.float64, generator=generator))[0]
                kept = (points @ directions).square().sum()
                lost = (points - points @ directions @ directions.T).square().sum()
                assert kept <= best[count - 1] + 1e-9
                assert (kept + lost).item() == pytest.approx(points.square().sum().item()), "Pythagoras"


def test_note_8_perplexity(load_sprint):
    script = load_sprint(f"{FOLDER}/perplexity_by_hand.py")
    results = script.main(script.Config())
    assert ", ".join(f"{p:.3f}" for p in results.probabilities[1]) in note(8)
    assert f"**perplexity**, {results.perplexities[1]:.2f}" in note(8)
    assert f"= {math.log(results.perplexities[1]):.3f}." in note(8)
    assert f"0.8 · log 8 = {0.8 * math.log(8):.2f}" in note(8)
    even = script.main(script.Config(distances=(2.0, 2.0, 2.0)))
    assert even.perplexities == pytest.approx([3, 3, 3])


def test_note_9_trustworthiness_of_four_points():
    # In the vectors b, c, d follow a in this order; in the map d is nearest to a, and all others keep their neighbour.
    vectors, drawn = np.array([[0.0], [1], [1.5], [1.9]]), np.array([[2.2], [-1.2], [0], [1]])
    in_vectors, in_map = (np.abs(points - points.T).argsort(axis=1)[:, 1:] for points in (vectors, drawn))
    assert in_vectors[0].tolist() == [1, 2, 3]
    assert in_map[0, 0] == 3
    assert in_map[1:, 0].tolist() == in_vectors[1:, 0].tolist()
    assert trustworthiness(vectors, drawn, n_neighbors=1) == pytest.approx(0.75)
    assert "= 0.75$$" in note(9)


def test_note_10_optimizers_move_rows_that_are_not_read():
    def second_step(optimizer: Callable[..., torch.optim.Optimizer], **options: float) -> float:
        weight = torch.nn.Parameter(torch.tensor([0.0], dtype=torch.float64))
        moved = optimizer([weight], lr=0.1, **options)
        for slope in (1.0, 0.0):
            before = weight.item()
            weight.grad = torch.tensor([slope], dtype=torch.float64)
            moved.step()
        return before - weight.item()

    assert second_step(torch.optim.SGD) == 0
    assert second_step(torch.optim.SGD, momentum=0.9) == pytest.approx(0.09)
    assert f"= {second_step(torch.optim.Adam):.3f}: two thirds" in note(10)
    assert f"{(1 - 1e-5) ** 100_000:.2f} of a row is left" in note(10)
    assert sum(0.1 * 0.9**step for step in range(1, 1000)) == pytest.approx(9 * 0.1), "nine times the first step"


def test_note_11_three_positions_on_a_line(load_sprint):
    script = load_sprint(f"{FOLDER}/embedding_study/position_patterns.py")
    table = torch.tensor([[2.0, 0], [1, 0], [0, 0]])
    assert script.measure_pattern(table).main_direction == pytest.approx(1)
    assert script.similarities(table)[0, 2].item() == pytest.approx(-1)


# The exercises on paper


def test_a_table_and_its_gradient():
    table = torch.tensor([[1.0, 0], [0, 2], [3, 1]], requires_grad=True)
    vectors = table[torch.tensor([1, 2, 1])]
    assert vectors.tolist() == [[0, 2], [3, 1], [0, 2]]
    (gradient,) = torch.autograd.grad(vectors, table, torch.tensor([[1.0, 1], [2, 0], [0, 3]]))
    assert gradient.tolist() == [[0, 0], [1, 4], [2, 0]]
    assert (table - 0.1 * gradient)[1].tolist() == pytest.approx([-0.1, 1.6])
    assert "(-0.1, 1.6)" in PAGE


def test_a_pair_and_its_chance():
    score = math.log(0.01 / (0.05 * 0.04)) - math.log(5)
    assert score == pytest.approx(0)
    assert f"the PMI log 5 = {math.log(0.01 / (0.05 * 0.04)):.3f}" in PAGE


def test_one_step_of_pulling():
    centre, context, noise = torch.tensor([1.0, 1], requires_grad=True), torch.tensor([1.0, 0]), torch.tensor([0.0, -1])
    loss = -functional.logsigmoid(context @ centre) - functional.logsigmoid(-noise @ centre)
    (gradient,) = torch.autograd.grad(loss, centre)
    assert f"0.313 + 0.313 = {loss.item():.3f}" in PAGE
    assert f"({gradient[0]:.3f}, {gradient[1]:.3f})" in PAGE


def test_how_fast_must_a_hand_be():
    assert f"takes {2 * math.pi * 10_000 ** (510 / 512):,.0f} positions" in PAGE
    assert f"2 - 2 cos 0.1 = {2 - 2 * math.cos(0.1):.5f}" in PAGE


def test_a_map_of_four_points():
    points = np.array([[0.0, 0], [4, 0], [0, 2], [4, 2]])
    values = np.linalg.svd(points - points.mean(0))[1] ** 2
    assert values.tolist() == pytest.approx([16, 4])

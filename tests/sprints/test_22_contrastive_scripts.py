"""Sprint 22's scripts about contrastive learning at a tiny size, and what notes 4 to 6 work out by hand."""

import math
from types import ModuleType

import pytest
import torch
from lesson_texts import lesson_texts
from torch.nn import functional

SPRINT = "22_pictures_and_words"
page, note = lesson_texts(SPRINT, minus="-")


def test_note_4_by_hand(load_sprint):
    script = load_sprint(f"{SPRINT}/pairs_by_hand.py")
    found = script.main(script.Config())
    assert found.similarities[1] == pytest.approx([0.6, 0.96, 0.8, -0.6])
    powers = [math.exp(logit) for logit in found.logits[1]]
    for number in (powers[0], powers[1], powers[2], sum(powers)):
        assert f"{number:.1f}" in note(4)
    for number in (found.by_row[1][1], *found.losses_of_pictures, found.siglip):
        assert f"{number:.3f}" in note(4)
    assert f"{found.info_nce:.3f}" in note(4)
    assert f"({found.by_row[1][2]:.3f} + {found.by_column[1][2]:.3f}) / 8" in note(4)
    assert f"= {found.siglip_cells[1][1]:.3f}" in note(4)
    assert f"= {found.siglip_cells[1][2]:.3f}" in note(4)
    scale = torch.tensor(5.0)
    logits = (scale * torch.tensor(script.PICTURES) @ torch.tensor(script.TEXTS).mT).requires_grad_()
    own = torch.arange(4)
    ((functional.cross_entropy(logits, own) + functional.cross_entropy(logits.mT, own)) / 2).backward()
    torch.testing.assert_close(logits.grad, torch.tensor(found.gradient), atol=1e-5, rtol=0)
    sharper = script.main(script.Config(scale=50.0))
    assert all(new < old for new, old in zip(sharper.losses_of_pictures, found.losses_of_pictures, strict=True))
    assert all(new < old for new, old in zip(sharper.losses_of_captions, found.losses_of_captions, strict=True))
    assert f"{255 * math.log1p(math.exp(-10)) + math.log1p(math.exp(10)):.2f} in all" in note(4)


@pytest.fixture
def floor(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/floor.py")


def test_note_5_the_floor(floor):
    assert f"the loss is {floor.floor(2.0, 3):.3f}" in note(5)
    for scale in (math.log(1 / 0.07), 1.0, 0.07):
        assert f"{floor.floor(scale, 64):.2f}" in note(5)
    assert f"= {floor.floor(math.log(1 / 0.07), 4096):.2f}" in note(5)
    assert [round(floor.floor(scale, 64), 3) for scale in (1, math.log(1 / 0.07))] == [3.170, 1.654]
    assert floor.floor(14.3, 64) == pytest.approx(3e-5, rel=0.05)
    shown = f"{floor.floor(2.0, 3):.3f}, which is the floor for three pairs"
    assert shown in page
    siglip = math.log1p(math.exp(-2)) + 2 * math.log1p(math.exp(-1))
    assert f"together {siglip:.3f}" in page


def test_descent_reaches_the_floor_and_never_less(floor):
    found = floor.main(floor.Config(pairs=6, dimensions=(2, 5), iterations=60))
    for row in found.scales.values():
        assert row.floor - 1e-9 <= row.reached < row.floor * 1.001
    assert found.by_dimension[2] > 1.2 * found.by_dimension[5]
    assert floor.plot(found).axes


def test_note_5_what_a_batch_tells(load_sprint):
    script = load_sprint(f"{SPRINT}/saturates.py")
    assert f"0.693 - 0.347 = {script.best_estimate(2, 2):.3f}" in note(5)
    assert script.best_estimate(100_000, 16) == pytest.approx(math.log(16), abs=1e-3)
    assert script.best_estimate(4, 4096) == pytest.approx(math.log(4), abs=1e-3)
    small = {"batches": (8,), "kinds": (2, 32), "features": 8, "steps": 80, "evaluation": 50, "seeds": 1}
    found = script.main(script.Config(**small))
    for kinds, row in found.estimates[8].items():
        assert row.trained == pytest.approx(row.best, abs=0.15)
        assert row.trained < min(math.log(8), math.log(kinds))
    assert script.plot(found).axes


def test_note_5_duplicates(load_sprint):
    script = load_sprint(f"{SPRINT}/duplicates.py")
    assert script.no_duplicate(64, 1000) == pytest.approx(0.127, abs=5e-4)
    assert script.cost(2, 2) == pytest.approx(math.log(2) / 2)
    found = script.main(script.Config(kinds=6, batch=16, features=8, steps=150, seeds=1, table_batches=(64,)))
    assert found.left.loss[0] == pytest.approx(found.left.least[0], abs=0.02)
    assert found.left.loss[0] == pytest.approx(found.cost, abs=0.05)
    assert found.masked.loss[0] < 0.01
    assert (found.left.recall[0], found.masked.recall[0]) == (1, 1)
    assert 0 < found.table[64].equal_captions < found.table[64].loss
    assert script.plot(found).axes


def test_note_5_copies_push_nothing(load_sprint):
    """Shared vectors of copies have no gradient where the copies have all the probability."""
    script = load_sprint(f"{SPRINT}/duplicates.py")
    vectors = torch.eye(3).repeat(2, 1, 1).requires_grad_()
    things = torch.tensor([0, 0, 1, 2])
    loss = script.contrast(vectors[:, things], things, torch.tensor(60.0), masked=False)
    assert loss.item() == pytest.approx(2 * math.log(2) / 4, abs=1e-5)
    assert f"{loss.item():.3f}" in note(5)
    loss.backward()
    assert vectors.grad is not None
    assert vectors.grad.abs().max() < 1e-5


def test_note_5_a_minimum_in_the_forward_pass_has_no_gradient():
    theta = torch.tensor(6.0, requires_grad=True)
    scale = theta.exp().clamp(max=100.0)
    (scale * torch.tensor([[1.0, 0.5], [0.5, 1.0]])).logsumexp(dim=1).sum().backward()
    assert theta.grad is not None
    assert theta.grad.item() == 0


def test_note_6_by_hand(load_sprint):
    retrieval = load_sprint(f"{SPRINT}/seeing/retrieval.py")
    scores = torch.tensor([[1.0, 2, 1, 1, 0]])
    assert [retrieval.recall(scores, torch.tensor([0]), k) for k in (1, 2, 3, 4)] == pytest.approx([0, 1 / 3, 2 / 3, 1])
    bowl = functional.normalize(torch.tensor([0.4, 0.8]), dim=0)
    assert f"({bowl[0]:.3f}, {bowl[1]:.3f})" in note(6)
    picture = torch.tensor([0.6, 0.8])
    assert f"= {picture @ bowl:.3f} with *bowl*" in note(6)
    pictures = torch.tensor([[0.8, 0, 0.6], [0, 0.8, 0.6]])
    table = pictures @ (pictures * torch.tensor([1.0, 1, -1])).mT
    torch.testing.assert_close(table, torch.tensor([[0.28, -0.36], [-0.36, 0.28]]))


def test_retrieval_at_a_tiny_size(load_sprint, tmp_path):
    script = load_sprint(f"{SPRINT}/retrieve.py")
    small = {
        "steps": 3, "batch": 8, "rates": (0.01, 0.02), "search_steps": 1, "seeds": (0,), "layers": 1, "d_model": 16,
        "pairs": 12, "evaluate_every": 2,
    }  # fmt: skip
    found = script.main(script.Config(**small, out=tmp_path))
    assert set(found.methods) == {"clip", "siglip"}
    for method in found.methods.values():
        assert set(method.search) == {0.01, 0.02}
        assert [point.step for point in method.trainings[0].curve] == [2, 3]
    assert found.optimum["text_to_picture@10"] <= 1
    assert script.plot(found).axes
    for name in ("zero_shot", "gap"):
        other = load_sprint(f"{SPRINT}/{name}.py")
        options = {"scenes": 60} if name == "zero_shot" else {"pairs": 20, "drawn": 10}
        result = other.main(other.Config(towers=tmp_path / "table-towers", **options))
        if name == "gap":
            assert result.gaps["after training"].distance > 0
            assert other.plot(result).axes
        else:
            assert result.named["kind, whole captions"].chance == pytest.approx(1 / 6)


def test_who_reads_no_relation(load_sprint):
    runs, optimum = (
        load_sprint(f"{SPRINT}/seeing/retrieval_runs.py"),
        load_sprint(f"{SPRINT}/seeing/retrieval_optimum.py"),
    )
    drawn = load_sprint(f"{SPRINT}/seeing/captions.py").pairs("test", 0, 60)
    scenes, texts = [scene for scene, _ in drawn], [text for _, text in drawn]
    turned = []
    for text in texts:  # each caption says the opposite
        for one, other in (("left of", "right of"), ("above", "below")):
            text = text.replace(one, "?").replace(other, one).replace("?", other)
        turned.append(text)
    exact, blind = optimum.scores(texts, scenes), runs.scores_without_relations(texts, scenes)
    torch.testing.assert_close(blind, runs.scores_without_relations(turned, scenes))
    assert not torch.equal(exact, optimum.scores(turned, scenes))
    assert (blind >= exact).all()
    single = torch.tensor([len(scene.items) == 1 for scene in scenes])
    torch.testing.assert_close(blind[single].exp(), 4 * exact[single].exp())  # no word to leave out


def test_what_retrieval_refuses(refusal):
    assert "recall at 10 needs ten pairs" in refusal(f"{SPRINT}/retrieve.py", "--pairs 5")
    assert "equal share of d_model" in refusal(f"{SPRINT}/retrieve.py", "--d-model 30")

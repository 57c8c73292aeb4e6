"""Sprint 22's contrastive losses and recall: agreement with libraries, floors, ties, what is refused."""

import importlib.util
import math
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor
from torch.nn import functional

SPRINT = "22_pictures_and_words"


@pytest.fixture
def contrastive(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/seeing/contrastive.py")


@pytest.fixture
def retrieval(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/seeing/retrieval.py")


@pytest.fixture(scope="module")
def open_clip() -> ModuleType:
    """Return open_clip's losses alone: the package imports a dozen models, which takes half a minute."""
    package = importlib.util.find_spec("open_clip")
    if package is None or package.origin is None:
        pytest.skip("open_clip_torch is not installed: it is in the group reference")
    spec = importlib.util.spec_from_file_location("open_clip_loss", Path(package.origin).with_name("loss.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def vectors(pairs: int = 7, features: int = 5, seed: int = 0) -> list[Tensor]:
    """Return unit vectors of pictures and of texts; gradients arrive at what they are made of."""
    generator = torch.Generator().manual_seed(seed)
    return [
        functional.normalize(torch.randn(pairs, features, generator=generator), dim=-1).requires_grad_()
        for _ in range(2)
    ]


def compare(ours: Tensor, theirs: Tensor, leaves: list[Tensor]) -> None:
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    for one, other in zip(torch.autograd.grad(ours, leaves), torch.autograd.grad(theirs, leaves), strict=True):
        assert other.abs().sum() > 0
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_clip_loss_is_open_clips(contrastive, open_clip):
    pictures, texts = vectors()
    log_scale = torch.tensor(1.7, requires_grad=True)
    ours = contrastive.clip_loss(pictures, texts, log_scale.exp())
    compare(ours, open_clip.ClipLoss()(pictures, texts, log_scale.exp()), [pictures, texts, log_scale])


def test_siglip_loss_is_open_clips(contrastive, open_clip):
    pictures, texts = vectors()
    log_scale, bias = torch.tensor(1.7, requires_grad=True), torch.tensor(-2.0, requires_grad=True)
    ours = contrastive.siglip_loss(pictures, texts, log_scale.exp(), bias)
    theirs = open_clip.SigLipLoss()(pictures, texts, log_scale.exp(), bias)
    compare(ours, theirs, [pictures, texts, log_scale, bias])


def test_the_module_is_the_function(contrastive):
    pictures, texts = vectors()
    clip, siglip = contrastive.ContrastiveLoss("clip"), contrastive.ContrastiveLoss("siglip", scale=5.0, bias=-3.0)
    assert clip(pictures, texts).item() == pytest.approx(contrastive.clip_loss(pictures, texts, 1 / 0.07).item())
    assert siglip(pictures, texts).item() == pytest.approx(contrastive.siglip_loss(pictures, texts, 5, -3).item())
    assert [len(list(loss.parameters())) for loss in (clip, siglip)] == [1, 2]


@pytest.mark.parametrize("pairs", [2, 8, 64])
@pytest.mark.parametrize("scale", [1.0, 2.66, 14.3])
def test_the_floor_is_reached_by_a_simplex_and_by_nothing_below(contrastive, pairs: int, scale: float):
    """Unit vectors of which all pairs of different ones have the cosine -1 / (B - 1): the best there is."""
    simplex = functional.normalize(torch.eye(pairs, dtype=torch.double) - 1 / pairs, dim=-1)
    floor = math.log1p((pairs - 1) * math.exp(-scale * pairs / (pairs - 1)))
    assert contrastive.clip_loss(simplex, simplex, scale).item() == pytest.approx(floor, abs=1e-9)
    for seed in range(5):
        pictures, texts = vectors(pairs, pairs, seed)
        assert contrastive.clip_loss(pictures, texts, scale).item() > floor


def test_equal_vectors_lose_log_of_the_batch(contrastive):
    same = torch.ones(6, 4) / 2
    assert contrastive.clip_loss(same, same, 30.0).item() == pytest.approx(math.log(6), abs=1e-5)


def test_the_order_of_the_batch_does_not_matter(contrastive):
    pictures, texts = vectors()
    order = torch.randperm(len(texts), generator=torch.Generator().manual_seed(1))
    for kind in ("clip", "siglip"):
        loss = contrastive.ContrastiveLoss(kind)
        torch.testing.assert_close(loss(pictures, texts), loss(pictures[order], texts[order]))


def test_the_clamp_lets_the_scale_come_back(contrastive):
    loss = contrastive.ContrastiveLoss("clip", scale=100.0)
    with torch.no_grad():
        loss.log_scale += 1
    loss.clamp()
    assert loss.scale.item() == pytest.approx(100)
    pictures, texts = vectors()
    loss(pictures, texts).backward()
    assert loss.log_scale.grad is not None
    assert loss.log_scale.grad.item() > 0  # random pairs want a smaller one


def test_the_loss_is_in_float32_under_autocast(contrastive):
    loss, (pictures, texts) = contrastive.ContrastiveLoss(scale=100.0), vectors()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = loss(pictures, texts)
    assert torch.equal(inside, loss(pictures, texts))


def test_what_the_losses_refuse(contrastive):
    with pytest.raises(ValueError, match="'clip' or 'siglip'"):
        contrastive.ContrastiveLoss("infonce")
    with pytest.raises(ValueError, match="scale"):
        contrastive.ContrastiveLoss(scale=0.0)
    loss, (pictures, texts) = contrastive.ContrastiveLoss(), vectors()
    with pytest.raises(ValueError, match="two or more pairs"):
        loss(pictures[:1], texts[:1])
    with pytest.raises(ValueError, match="unit vectors"):
        loss(pictures * 1.1, texts)


def test_recall_without_ties_is_a_sort(retrieval):
    scores = torch.randn(30, 40, generator=torch.Generator().manual_seed(0))
    right = torch.randint(40, (30,), generator=torch.Generator().manual_seed(1))
    for k in (1, 3, 40):
        found = (scores.topk(k, dim=1).indices == right[:, None]).any(dim=1)
        assert retrieval.recall(scores, right, k) == pytest.approx(found.float().mean().item())


def test_ties_count_as_random(retrieval):
    constant = torch.zeros(6, 10)
    assert retrieval.recall(constant, k=1) == pytest.approx(0.1)
    assert retrieval.recall(constant, k=4) == pytest.approx(0.4)
    scores = torch.tensor([[1.0, 2, 1, 1, 0]])  # one above it, two level with it: its place is 2, 3 or 4
    found = [retrieval.recall(scores, torch.tensor([0]), k) for k in (1, 2, 3, 4, 5)]
    assert found == pytest.approx([0, 1 / 3, 2 / 3, 1, 1])


def test_rounding_is_a_tie_and_more_is_none(retrieval):
    scores = torch.tensor([[0.5, 0.5 + 1e-7], [0.5, 0.501]])
    right = torch.tensor([0, 0])
    assert retrieval.chances(scores, right).tolist() == [0.5, 0.0]


def test_recalls_go_both_ways(retrieval):
    pictures = torch.eye(4)
    texts = torch.stack([pictures[0], pictures[0], pictures[2], pictures[3]])
    found = retrieval.recalls(pictures, texts, ks=(1,))
    assert found == pytest.approx({"text_to_picture@1": 0.75, "picture_to_text@1": (0.5 + 0.25 + 1 + 1) / 4})


def test_what_recall_refuses(retrieval):
    with pytest.raises(ValueError, match="from 1 to the number of candidates, 3"):
        retrieval.recall(torch.zeros(3, 3), k=4)
    with pytest.raises(ValueError, match="nan"):
        retrieval.recall(torch.full((2, 2), math.nan))

"""Note 4: a dot product by hand and its ceiling of one half, rings that vectors cannot tell apart, no leak."""

from functools import partial

import pytest
import torch

from shared.lab.paths import ROOT

SPRINT = "27_graphs_downstream"
NOTE = (ROOT / "sprints" / SPRINT / "notes" / "04_encoders_and_decoders.md").read_text(encoding="utf-8")


@pytest.fixture
def models(load_sprint):
    return load_sprint(f"{SPRINT}/downstream/link_models.py")


def test_buyers_sellers_and_labels_of_the_note(load_sprint):
    script = load_sprint(f"{SPRINT}/pairs_by_hand.py")
    results = script.main(script.Config())
    for pair in ("buyer, seller", "buyer, buyer", "seller, seller"):
        row = next(line for line in NOTE.splitlines() if line.startswith(f"| {pair} |")).replace("*", "")
        assert row.split("|")[2].rstrip().endswith(f"= {results.dot[pair]:g}")
        assert row.split("|")[3].strip() == f"{results.bilinear[pair]:g}"
    assert results.labels == {
        "three steps apart": [1, 3, 3, 1, 6, 7, 7, 6],
        "four steps apart": [1, 4, 5, 4, 1, 4, 5, 4],
        "behind one end": [1, 1, 2, 0],
    }
    assert "(1, 1) is 2, (1, 2) is 3, (1, 3) is 4, (2, 2) is 5" in NOTE
    for x, y in ((1, 2), (1, 4), (1, 3), (2, 2), (2, 3)):
        half, odd = divmod(x + y, 2)
        sum_ = f"1 + {min(x, y)} + {half} · ({half} + {odd} − 1)"
        assert f"{sum_} = {1 + min(x, y) + half * (half + odd - 1)}" in " ".join(NOTE.split())


def test_a_dot_product_of_two_groups_that_link_to_each_other_is_at_most_one_half():
    """For the curious in note 4; vectors of small whole numbers make the ties."""
    generator = torch.Generator().manual_seed(0)
    one, other = torch.randint(-3, 4, (2, 20_000, 2), generator=generator).double()
    scores = torch.stack([(one * other).sum(1), one.square().sum(1), other.square().sum(1)], dim=1)  # across, inside
    across = torch.rand(20_000, generator=generator, dtype=torch.float64) / 2 + 0.5
    right = torch.stack([across, (1 - across) / 2, (1 - across) / 2], dim=1)
    wrong = torch.tensor([0.5, 0.25, 0.25], dtype=torch.float64)
    beats = (scores[:, :, None] > scores[:, None]).double() + (scores[:, :, None] == scores[:, None]).double() / 2
    aucs = (right[:, :, None] * beats * wrong).sum(dim=(1, 2))
    assert aucs.max() <= 0.5 + 1e-12
    kinds = {tuple(row) for row in beats[:, 0].tolist()}
    assert len(kinds) >= 5, "across below both, between, level with one, level with all"


def test_with_as_many_numbers_as_people_a_dot_product_says_all():
    count = 5
    products = torch.eye(2, dtype=torch.float64).flip(0).kron(torch.ones(count, count)) + count * torch.eye(2 * count)
    assert torch.linalg.eigvalsh(products.double())[0] > -1e-9


def test_vectors_cannot_tell_pairs_of_a_ring_and_labels_can(load_sprint):
    script = load_sprint(f"{SPRINT}/labelled_pairs.py")
    config = script.Config(copies=10, epochs=15, rate=0.03, seeds=(0,))
    results = script.main(config)
    for ring, sizes in (("8", [8, 8]), ("20", [8, 9])):
        assert results.nodes_cut_out[ring] == sizes
        assert all(
            results.auc[ring][name][0] == results.accuracy[ring][name][0] == 0.5 for name in ("GCN", "SAGE", "GAT")
        )
        assert results.accuracy[ring]["SEAL"][0] >= 0.95
    assert results.auc["8"]["SEAL without labels"][0] == 0.5
    assert results.auc["20"]["SEAL without labels"][0] == 1, "by the size alone"
    script.plot(results)
    with pytest.raises(ValueError, match="rings need at least 8 nodes, or none are 4 steps apart; got 7"):
        script.Config(rings=(7,)).check()


def test_networks_of_all_kinds_are_compared_on_the_same_edges(load_sprint):
    script = load_sprint(f"{SPRINT}/encoders_and_decoders.py")
    config = script.Config(nodes=80, degree=8.0, signal=2.5, steps=1, width=8, seeds=(0,), wrong=2, hits=5)
    results = script.main(config)
    assert list(results.aucs) == ["like to like", "to the other group"]
    assert len(results.aucs["like to like"]) == 6 + 1 + 12 + 1
    assert results == script.main(config), "same seed, same results"
    rates = script.rates_of(8.0, 2.5, 2)
    assert results.ceiling == 0.5 + 0.5 * (rates.inside / 16 - 0.5)
    script.plot(results)
    with pytest.raises(ValueError, match="width must be a multiple of 4, the heads of GAT; got 6"):
        script.Config(width=6).check()


def test_where_groups_link_to_each_other_a_dot_product_fails_and_a_matrix_does_not(load_sprint, models):
    script = load_sprint(f"{SPRINT}/encoders_and_decoders.py")
    config = script.Config(nodes=200, hint=1.0, steps=60, width=16, rates=(0.02,))
    generator = torch.Generator().manual_seed(0)
    world = script.draw(script.OTHER, config, generator)
    split = models.split_links(world.graph, 0.05, 0.3, 5, generator)
    found = {}
    for decoder in ("dot product", "bilinear"):
        make = partial(models.LinkNetwork, "SAGE", decoder, 8, 16)
        model = script.search(make, world, split, config, 0)
        found[decoder] = script.auc(*models.scored(model, world.features, split.graph, split.test, split.test_wrong))
    assert found["dot product"] < 0.56
    assert found["bilinear"] > 0.66


def test_a_small_world_is_cut_out_and_scored(load_sprint):
    script = load_sprint(f"{SPRINT}/learnt_heuristics.py")
    generator = torch.Generator().manual_seed(0)
    ring = script.small_world(20, 4, 0.0, generator)
    assert {tuple(sorted(edge)) for edge in ring.edge_index.T.tolist()} == {
        tuple(sorted((node, (node + step) % 20))) for node in range(20) for step in (1, 2)
    }
    moved = script.small_world(200, 8, 1.0, generator)
    apart = (moved.edge_index[0] - moved.edge_index[1]) % 200
    assert (torch.minimum(apart, 200 - apart) > 4).double().mean() > 0.9
    assert not (apart == 0).any()
    config = script.Config(nodes=60, pairs=20, epochs=1, width=8, seeds=(0,))
    results = script.main(config)
    assert len(results.auc) == 8
    assert results.auc["common neighbours"][0] > 0.7
    script.plot(results)

"""Latent attention in sprint 19: what its note and its exercises work out by hand, and its scripts, tiny."""

import math

import pytest
import torch
from lesson_texts import lesson_texts, shown

FOLDER = "19_transformer_variants"
PAGE, note = lesson_texts(FOLDER)


def test_note_12_two_words_by_hand(load_sprint):
    script = load_sprint(f"{FOLDER}/latent_by_hand.py")
    results = script.main(script.Config())
    for head in results.heads:
        assert head.scores == head.absorbed_scores
        assert head.mixed == pytest.approx(head.absorbed_mixed)
    head = results.heads[1]
    assert (head.keys, head.values, head.absorbed_query) == ([[0, 1], [2, 1]], [[1, 0], [3, 6]], [2, 0])
    assert head.scores == [2, 1]
    shown(note(12), *head.weights, *head.mixed, head.mixed_latent[1])
    assert "Kept were 4 numbers for each word; keys and values of both heads would have been 12" in note(12)
    assert (results.kept, results.made) == (4, 12)
    script.plot(results)


def test_note_12_a_rotation_stands_between_query_and_latent():
    up, query = torch.tensor([[0.0, 1], [1, 0]]), torch.tensor([0.0, 2])
    quarter = torch.tensor([[0.0, -1], [1, 0]])
    assert (up.mT @ quarter.mT @ query).tolist() == [0, 2]
    assert (up.mT @ query).tolist() == [2, 0]
    assert "is (0, 2) for one and (2, 0) for the other" in note(12)


def test_the_cache_of_deepseek_v2():
    latent, ordinary, tokens = 60 * (512 + 64), 60 * 2 * 128 * 128, 131_072
    for number in (latent, ordinary):
        assert f"{number:,} in all" in PAGE
    assert f"{ordinary / latent:.1f} times" in PAGE
    assert f"{2 * tokens * latent / 1e9:.1f} GB against {2 * tokens * ordinary / 1e9:.1f} GB" in PAGE
    assert (512 + 64) / (2 * 128) == 2.25
    assert f"{512 + 64 + 512:,}: {1088 / 320:.1f} times as many" in PAGE
    assert f"{512 * 256:,} multiplications" in PAGE


def test_costs_are_counted_and_both_ways_agree(load_sprint):
    script = load_sprint(f"{FOLDER}/latent_cache.py")
    config = script.Config(lengths=(3, 9), d_model=32, heads=4, latent=6, rotary_dim=2, batch=1, rounds=3)
    results = script.main(config)
    assert results.largest_difference < 1e-5
    assert [cost.kept for cost in results.kinds.values()] == [64, 8, 8]
    assert results.deepseek_kept["latent"] == 576
    ordinary, materialised, absorbed = (cost.operations for cost in results.kinds.values())
    # What grows with each token that is kept, counted by hand: a multiplication and an addition each.
    more = 2 * (9 - 3)
    assert ordinary[1] - ordinary[0] == more * 4 * (8 + 8)
    assert absorbed[1] - absorbed[0] == more * 4 * (8 + 6)
    assert materialised[1] - materialised[0] == more * (6 * 4 * 16 + 4 * (10 + 8))
    script.plot(results)


def test_the_wrong_scale_makes_weights_too_even():
    wrong, right = math.sqrt(512 + 64), math.sqrt(128 + 64)
    sharp, even = (torch.tensor([2 * right, right]) / scale for scale in (right, wrong))
    assert even.softmax(0)[0] < sharp.softmax(0)[0]


@pytest.mark.parametrize("kind", ["all_heads", "one_head", "latent"])
def test_decoders_that_differ_in_their_attention_alone(kind: str, load_sprint):
    script = load_sprint(f"{FOLDER}/latent_or_fewer_heads.py")
    config = script.Config(vocab_size=50, context=16, layers=1, heads=2, d_model=16, latent=12, rotary_dim=4)
    model, kept = script.make_model(config, kind, torch.Generator().manual_seed(0))
    assert kept == {"all_heads": 32, "one_head": 16, "latent": 16}[kind]
    tokens = torch.randint(50, (2, 9), generator=torch.Generator().manual_seed(0))
    later = tokens.clone()
    later[:, 6:] = 0
    torch.testing.assert_close(model(tokens)[:, :6], model(later)[:, :6], atol=1e-6, rtol=1e-5)
    model(tokens).square().sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in model.parameters())
    matrices = [weight for weight in model.parameters() if weight.dim() == 2]
    assert all(0.01 < weight.std().item() < 0.03 for weight in matrices)

"""Latent attention in sprint 19: what its note and its exercises work out by hand, and its scripts, tiny."""

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
    up, query, latents = torch.tensor([[0.0, 1], [1, 0]]), torch.tensor([0.0, 2]), torch.tensor([[1.0, 0], [1, 2]])
    turns = [torch.eye(2), torch.tensor([[0.0, -1], [1, 0]])]  # of positions 0 and 1: a quarter each
    absorbed = [up.mT @ turn.mT @ turns[1] @ query for turn in turns]
    for turn, asked, latent in zip(turns, absorbed, latents, strict=True):
        assert asked @ latent == (turns[1] @ query) @ (turn @ up @ latent)
    assert [asked.tolist() for asked in absorbed] == [[0, -2], [2, 0]]
    assert "is (0, −2) for *the* and (2, 0) for *cat* itself" in note(12)


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


def test_note_12_one_product_instead_of_two_matrices(load_sprint):
    config = load_sprint(f"{FOLDER}/latent_cache.py").Config()
    head_dim = config.d_model // config.heads
    assert f"{config.latent} · {config.d_model} = {config.latent * config.d_model:,} numbers" in note(12)
    both = head_dim * (config.d_model + config.latent)
    assert f"{head_dim} · ({config.d_model} + {config.latent}) = {both:,}" in note(12)


def test_the_rate_is_chosen_by_validation_and_models_are_compared_run_by_run(load_sprint, monkeypatch):
    script = load_sprint(f"{FOLDER}/latent_or_fewer_heads.py")
    test_losses = {"all_heads": 1.0, "one_head": 3.0, "latent": 2.0}

    def run_once(config, corpus, kind: str, factor: float, seed: int) -> tuple[float, float]:  # noqa: ARG001
        # The factor that is better on the validation recipes is worse on those of the test.
        return {0.5: 7.0, 1.0: 6.0}[factor], test_losses[kind] + factor + seed % 1000

    monkeypatch.setattr(script, "run_once", run_once)
    monkeypatch.setattr(script, "optimum", lambda *_: 0.5)
    for name in ("cookbook_tokenizer", "CookbookCorpus"):
        monkeypatch.setattr(script, name, lambda *_: None)
    monkeypatch.setattr(script, "keep_freed_memory", lambda: None)
    monkeypatch.setattr(script.torch, "set_flush_denormal", lambda _: None)
    full = script.PRESETS["full"] | {"seeds": 3}
    results = script.main(script.Config(vocab_size=50, layers=1, heads=2, d_model=16, latent=12, rotary_dim=4, **full))
    for kind, measured in results.kinds.items():
        assert (measured.factor, measured.searched) == (1.0, {"0.5": 7.0, "1": 6.0})
        assert measured.losses == [test_losses[kind] + 1 + seed for seed in range(3)]
        assert measured.above[0] == pytest.approx(test_losses[kind] + 1 + 1 - 0.5)
    assert results.latent_less_one_head == pytest.approx((-1, 0))  # no spread: run by run it is the same
    script.plot(results)


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

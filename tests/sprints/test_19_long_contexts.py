"""Long contexts of sprint 19, tiny: windows, slower clocks, ALiBi, what lies beyond the trained length; and by hand."""

import math
import statistics
from itertools import pairwise

import pytest
import torch
from lesson_texts import lesson_texts, shown

from shared.checks.invariants import check_cache, check_causality, check_padding_invariance
from shared.training.losses import token_losses

FOLDER = "19_transformer_variants"
PAGE, note = lesson_texts(FOLDER)
KINDS = ("none", "learned", "sinusoidal", "rotary", "window", "alibi")


@pytest.fixture
def dominoes(load_sprint):
    return load_sprint(f"{FOLDER}/variants/dominoes.py")


@pytest.fixture
def long_model(load_sprint):
    return load_sprint(f"{FOLDER}/variants/long_model.py")


@pytest.fixture
def make(long_model):
    def model(kind: str, context: int = 12):
        torch.manual_seed(0)
        config = long_model.LongConfig(kind, 9, context, layers=2, heads=2, d_model=16, window=4)
        made = long_model.LongModel(config).eval()
        for parameter in made.parameters():
            parameter.data += 0.3 * torch.randn(parameter.shape)
        return made

    return model


def test_pieces_follow_the_table_or_the_order_and_the_best_prediction_counts_the_table(dominoes):
    rows = dominoes.draw_rows(50, 40, 4, 0.2, 0.25, torch.Generator().manual_seed(0))
    begin, end, told = rows // 2 // 4, rows // 2 % 4, dominoes.after_a_dot(rows)
    assert torch.equal(begin[:, 1:], end[:, :-1])
    assert torch.equal(end[:, 2:][told[:, 1:]], begin[:, :-2][told[:, 1:]])
    assert 0.2 < told.double().mean() < 0.3
    assert torch.equal(rows, dominoes.draw_rows(50, 40, 4, 0.2, 0.25, torch.Generator().manual_seed(0)))

    def by_counting(row: int, place: int, start: int) -> float:
        dot = -math.log(0.25 if rows[row, place] % 2 else 0.75)
        if told[row, place - 1]:
            return dot
        drawn = [at for at in range(start, place) if at == 0 or not told[row, at - 1]]
        seen = [at for at in drawn if begin[row, at] == begin[row, place]]
        hits = sum(int(end[row, at] == end[row, place]) for at in seen)
        return dot - math.log((hits + 0.2) / (len(seen) + 4 * 0.2))

    for window in (None, 5):
        best = dominoes.best_losses(rows, 4, 0.2, 0.25, window)
        for row in (0, 1, 2):
            starts = [0 if window is None else max(0, place - window) for place in range(1, 40)]
            expected = [by_counting(row, place, start) for place, start in enumerate(starts, 1)]
            assert best[row].tolist() == pytest.approx(expected)


def test_no_one_who_knows_the_table_less_than_bayes_predicts_better(dominoes):
    """A sharper and a flatter prior than the one that tables are drawn from both cost more; later pieces cost less."""
    rows = dominoes.draw_rows(1000, 60, 4, 0.2, 0.25, torch.Generator().manual_seed(1))
    losses = {prior: dominoes.best_losses(rows, 4, prior, 0.25) for prior in (0.1, 0.2, 0.4)}
    assert losses[0.2].mean() < min(losses[0.1].mean(), losses[0.4].mean())
    assert all(later < earlier for earlier, later in pairwise(losses[0.2].mean(dim=0)[[0, 5, 20, 58]].tolist()))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_causal_and_the_same_with_its_cache_and_with_padding(make, kind):
    model, tokens = make(kind), torch.randint(9, (2, 12), generator=torch.Generator().manual_seed(0))
    if kind != "window":  # it does not see the first tokens at the end
        check_causality(model, tokens, vocab_size=9)
    check_cache(model, tokens)
    token_losses(model(tokens[:, :-1]), tokens).mean().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in model.parameters())
    real = torch.arange(12) >= torch.tensor([[3], [0]])
    positions = (real.cumsum(dim=1) - 1).clamp(min=0)
    check_padding_invariance(
        lambda tokens, mask: model(tokens, mask=mask, positions=positions), tokens, real, vocab_size=9
    )
    alone, padded = model(tokens[:1, 3:]), model(tokens, mask=real, positions=positions)[:1, 3:]
    torch.testing.assert_close(alone, padded, atol=1e-4, rtol=0)
    if kind in ("learned", "sinusoidal"):
        with pytest.raises(ValueError, match="table of positions has 12 rows; got 13 tokens"):
            model(torch.zeros(1, 13, dtype=torch.long))


def test_scalings_change_rotary_models_alone_and_dynamic_nothing_within_the_context(make, long_model):
    tokens = torch.randint(9, (2, 12), generator=torch.Generator().manual_seed(0))
    for kind in ("rotary", "alibi"):
        model = make(kind)
        plain = model(tokens)
        for name, scaling in long_model.scalings_for(4, 3, 4).items():
            same = kind == "alibi" or name in ("as trained", "dynamic")
            assert torch.allclose(model(tokens, scaling=scaling), plain, atol=1e-5) == same, name
    assert long_model.scalings_for(4, 3, 12)["dynamic"].stretch == 3


def test_beyond_measures_every_kind_and_scaling(load_sprint):
    script = load_sprint(f"{FOLDER}/beyond.py")
    assert set(script.KINDS) == set(script.NAMES) == set(KINDS)
    options = {"context": 4, "times": 2, "numbers": 2, "heads": 2, "d_model": 8, "window": 2, "layers": 1, "steps": 1}
    # Learned positions need a table for the long rows, rotary ones are measured with every scaling.
    config = script.Config(**options, kinds=("learned", "rotary"), batch_size=4, rates=(1e-3,), rows=16, seeds=2)
    results = script.main(config)
    assert set(results.above) == {"learned", "rotary", *(f"rotary, {name}" for name in
        ("linear", "larger base", "dynamic", "YaRN", "Llama 3"))}  # fmt: skip
    assert results.ends == [2, 4, 6, 8]
    assert len(results.optimum["table"]) == len(results.above["learned"]["order"]) == 4
    assert results.optimum["table"][0] == results.windowed["table"][0] != results.optimum["table"][-1]
    assert results.windowed["table"][-1] > results.optimum["table"][-1]
    assert results.windowed["order"] == results.optimum["order"]
    assert len(results.gain) == 5
    first, second = results.trials["rotary"].runs
    assert first == script.run_once(config, "rotary", 1e-3, 0) != second
    plain, linear = ([statistics.fmean(run[name]["table"][2:]) for run in (first, second)] for name in
        ("as trained", "linear"))  # fmt: skip
    gains = [before - after for before, after in zip(plain, linear, strict=True)]
    assert results.gain["rotary, linear"]["table"][0] == pytest.approx(statistics.fmean(gains))
    assert results.beyond["rotary, linear"]["table"][0] == pytest.approx(statistics.fmean(linear))
    script.plot(results)
    with pytest.raises(ValueError, match="two pairs at least"):
        script.Config(d_model=24, heads=12).check()


def test_beyond_reads_every_stretch_as_the_end_of_a_text_of_its_own_length(load_sprint, make, long_model):
    script, model = load_sprint(f"{FOLDER}/beyond.py"), make("rotary")
    rows = torch.randint(9, (2, 13), generator=torch.Generator().manual_seed(0))
    losses = {name: script.losses_of(script.Config(context=4, times=3), model, rows, name) for name in
        ("as trained", "dynamic")}  # fmt: skip
    at_once = [token_losses(model(rows[:, :end], scaling=long_model.scalings_for(4, 3, tokens)["dynamic"]),
        rows[:, : end + 1]) for end, tokens in ((12, 4), (10, 10))]  # fmt: skip
    torch.testing.assert_close(losses["as trained"], at_once[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(losses["dynamic"][:, 8:10], at_once[1][:, 8:], atol=1e-5, rtol=0)
    assert not torch.allclose(losses["dynamic"][:, 6:8], at_once[1][:, 6:8], atol=1e-3)


def test_the_window_cache_writes_what_no_cache_writes_and_wrong_ones_do_not(load_sprint):
    script = load_sprint(f"{FOLDER}/window_cache.py")
    results = script.main(script.Config(window=4, new_tokens=6, rows=2))
    assert set(results.same_tokens.values()) == {1.0}
    ours = [value for name, value in results.differences.items() if name.startswith("ours")]
    assert max(ours) < 1e-4 < 1e-2 < min(set(results.differences.values()) - set(ours))
    assert results.kept_floats == {"window": 2 * 2 * 4 * 64, "everything": 2 * 2 * 11 * 64}


def test_note_16_windows_by_hand(load_sprint):
    script = load_sprint(f"{FOLDER}/windows_by_hand.py")
    results = script.main(script.Config())
    assert [round(mean, 2) for mean in results.means[0]] == [12, 9, 9, 6, 14, 11]
    assert f"{results.means[1][-1]:.2f}" == "10.33"
    assert f"{results.without[-1]:g}" == "10"
    assert [round(9 * weight) for weight in results.last_token[1]] == [0, 1, 2, 3, 2, 1]
    assert results.ring[3:] == [[3, 1, 2], [3, 4, 2], [3, 4, 5]]
    for words in ("12, 9, 9, 6, 14, 11", "10.33", "3, 4, 2"):
        assert words in note(16)
    script.plot(results)


def test_note_17_clocks_by_hand(load_sprint):
    script = load_sprint(f"{FOLDER}/clocks_by_hand.py")
    results = script.main(script.Config())
    shown(note(17), *results.turns)
    for name in ("larger base", "YaRN", "Llama 3"):
        shown(note(17), *results.speeds[name][1:3], form=".4f")
    shown(note(17), results.larger_theta, form=",.0f")
    assert results.slowed == [0, 0.5, 1, 1]
    shown(note(17), math.log10(results.turns[0] / 32), math.log10(results.turns[0]))  # planes of 32 turns and of one
    assert f"{results.attention_factor:.3f}" in note(17)
    assert f"{results.attention_factor**2:.3f}" in note(17)
    script.plot(results)
    with pytest.raises(ValueError, match="beyond the trained ones is longer"):
        script.Config(longest=10).check()


def test_note_17_wrong_bases(load_sprint):
    script = load_sprint(f"{FOLDER}/wrong_base.py")
    results = script.main(script.Config(context=8, longest=12, head_dim=8))
    slowest = [way.slowest for way in results.ways.values()]
    assert slowest[0] == pytest.approx(1)
    assert all(abs(share - 1) > 0.05 for share in slowest[1:])
    assert results.same_logits["linear"] < 1e-3 < 1e-2 < results.same_logits["dynamic"]
    with pytest.raises(ValueError, match="grows beyond the trained length"):
        script.Config(longest=10).check()


def test_note_18_alibi_by_hand(load_sprint):
    script = load_sprint(f"{FOLDER}/alibi_by_hand.py")
    results = script.main(script.Config())
    shown(note(18), *results.powers[:3], *results.weights)
    for head in results.heads:
        shown(note(18), head.mean_distance, form=".1f")
    assert f"{results.heads[2].beyond:.0%}".replace("%", " %") in note(18)
    script.plot(results)


def test_note_19_dominoes_by_hand(load_sprint):
    script = load_sprint(f"{FOLDER}/dominoes_by_hand.py")
    results = script.main(script.Config())
    assert results.counts == [0, 0, 2]
    shown(note(19), *results.without_dot)
    assert results.with_dot == [0, 0, 1]
    shown(note(19), -0.25 * math.log(0.25) - 0.75 * math.log(0.75))
    script.plot(results)
    with pytest.raises(ValueError, match="two pieces have three ends"):
        script.Config(ends=(0, 1)).check()


def test_answers_on_paper():
    assert f"{32 * 4095:,}" in PAGE
    ring = 2 * 8 * 128 * 4096 * 32 * 2
    assert f"{ring / 1e6:.0f} MB" in PAGE
    assert f"{8 * ring / 1e6:,.0f} MB" in PAGE
    assert f"{100 * (5 * 1024 + 131_072) / (6 * 131_072):.1f} %" in PAGE
    assert f"{10_000 * 16 ** (8 / 6):,.0f}" in PAGE
    shown(PAGE, 16 ** (1 / 3), 16 ** (2 / 3), 1024 * 0.01 / 16 ** (2 / 3), form=".2f")
    shown(PAGE, math.log(2) / 10)

"""Sprint 18, what a state can hold: copying, recall, nested brackets."""

import math
from types import SimpleNamespace

import pytest
import torch
from lesson_texts import lesson_texts, shown

from shared.lab.config import parse_config

FOLDER = "18_sequence_models"
SCRIPTS = ("bits_by_hand", "brackets_by_hand", "copying", "dyck", "pairs_by_hand", "recall", "state_bits")


@pytest.fixture
def sprint(load_sprint):
    """Return the scripts of these notes, and what they take from the sprint's package, by name."""
    parts = [load_sprint(f"{FOLDER}/sequences/{name}.py") for name in ("copying", "dyck", "memory_models")]
    parts += [load_sprint(f"{FOLDER}/sequences/{name}.py") for name in ("recall_rows", "trials")]
    names = {name: value for part in parts for name, value in vars(part).items() if not name.startswith("_")}
    return SimpleNamespace(**names | {name: load_sprint(f"{FOLDER}/{name}.py") for name in SCRIPTS})


exercises, note = lesson_texts(FOLDER)


def drawn() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_the_second_copy_is_scored_and_equals_the_first(sprint):
    tokens, scored = sprint.copy_rows(9, 2, 5, 50, drawn())
    for row, counts in zip(tokens.tolist(), scored, strict=True):
        places = counts.nonzero().flatten().tolist()
        length = len(places)
        assert places == list(range(length + 1, 2 * length + 1))
        assert row[0] == row[length + 1] == 9
        assert row[1 : length + 1] == row[length + 2 : 2 * length + 2]
        assert len(set(row[1 : length + 1])) == length
        assert set(row[2 * length + 2 :]) <= {9}
    with pytest.raises(ValueError, match="from 1 to 3 different tokens; got 1 to 4"):
        sprint.copy_rows(3, 1, 4, 2, drawn())


def test_recall_rows_ask_for_every_pair(sprint):
    tokens, scored = sprint.recall_rows(6, 4, 3, 20, drawn())
    for row, counts in zip(tokens.tolist(), scored, strict=True):
        pairs = dict(zip(row[:6:2], row[1:6:2], strict=True))
        assert len(pairs) == 3
        assert sorted(row[6::2]) == sorted(pairs)
        assert [pairs[key] for key in row[6::2]] == row[7::2]
        assert [row[place + 1] for place in counts.nonzero().flatten()] == row[7::2]
    mixed, counted = sprint.mixed_rows(6, 4, 3, 9, drawn())
    assert mixed.shape == (9, 12)
    assert {int(count) for count in counted.sum(dim=1)} <= {1, 2, 3}
    assert (counted.sum(dim=1) > 0).all()
    with pytest.raises(ValueError, match="from 1 to 6 pairs; got 7"):
        sprint.recall_rows(6, 4, 7, 2, drawn())


def test_no_map_into_states_beats_the_bound(sprint):
    patterns = 3**4
    for bits in range(1, 8):
        for seed in range(50):
            states = torch.randint(2**bits, (patterns,), generator=torch.Generator().manual_seed(seed))
            assert len(states.unique()) / patterns <= sprint.most_copied(bits, 3, 4)
    assert sprint.most_copied(10_000, 4, 5) == 1
    assert sprint.bits_needed(3, 3) == pytest.approx(math.log2(6))


def test_a_sign_lets_nothing_else_through_and_has_a_slope(sprint):
    x = torch.randn(10_000, generator=drawn(), requires_grad=True)
    signs = sprint.sign_of(x)
    assert set(signs.tolist()) == {-1.0, 1.0}
    (gradient,) = torch.autograd.grad(signs.sum(), x)
    assert torch.equal(gradient, (x.abs() <= 1).float())
    model, patterns = sprint.BitChannel(3, 2, 8), sprint.all_patterns(3, 4)
    assert len(model.kept(patterns).unique(dim=0)) <= 4
    share, states = sprint.state_bits.measure(model, patterns)
    assert share <= states / len(patterns)


def test_what_a_channel_writes_depends_on_the_signs_and_the_tokens_before(sprint):
    model = sprint.BitChannel(3, 2, 8)
    patterns = sprint.all_patterns(3, 4)
    changed = patterns.clone()
    changed[:, -1] = (changed[:, -1] + 1) % 3
    same = (model.kept(patterns) == model.kept(changed)).all(dim=1)
    assert torch.allclose(model(patterns)[same], model(changed)[same])


@pytest.mark.parametrize(("kinds", "deepest", "opening"), [(2, 2, 0.5), (3, 5, 0.4), (1, 3, 0.7)])
def test_the_entropy_is_the_loss_of_the_true_probabilities(sprint, kinds: int, deepest: int, opening: float):
    grammar = sprint.Brackets(kinds=kinds, deepest=deepest, opening=opening)
    tokens, depths, partners = grammar.draw(2000, 13, drawn())
    truth = grammar.optimal_logits(tokens[:, :-1])
    losses = -truth.gather(2, tokens[:, 1:, None])[..., 0]
    expected = (grammar.entropy(13) * 13 - grammar.entropy_at(0)) / 12
    assert losses.mean().item() == pytest.approx(expected, abs=0.02)
    for depth in range(1, deepest):
        at = depths[:, 1:] == depth
        assert losses[at].mean().item() == pytest.approx(grammar.entropy_at(depth), abs=0.06)
    assert grammar.entropy(4000) == pytest.approx(grammar.rate(), abs=2e-3)
    closing = partners.nonzero()
    for row, place in closing[:200].tolist():
        partner = place - int(partners[row, place])
        assert tokens[row, partner] + kinds == tokens[row, place]
        assert depths[row, partner] == depths[row, place] - 1


@pytest.mark.parametrize("arm", ["llama", "rnn", "gru", "lstm", "linear", "delta", "mamba2"])
def test_every_model_is_causal_and_every_parameter_learns(sprint, arm):
    torch.manual_seed(0)
    model = sprint.make_model(arm, 7, 8, 12, heads=2)
    tokens = torch.randint(7, (2, 10), generator=drawn())
    logits = model(tokens)
    changed = tokens.clone()
    changed[:, 6] = (changed[:, 6] + 1) % 7
    assert torch.allclose(model(changed)[:, :6], logits[:, :6], atol=1e-5)
    assert not torch.allclose(model(changed)[:, 6:], logits[:, 6:], atol=1e-5)
    logits.square().sum().backward()
    assert [name for name, parameter in model.named_parameters() if parameter.grad is None] == []
    grows = model.state_numbers(8) > model.state_numbers(4)
    assert grows == (arm == "llama")


def test_the_best_rate_is_found_with_a_seed_of_its_own(sprint):
    called = []

    def run(rate, seed):
        called.append((rate, seed))
        return [abs(rate - 0.2), float(seed)]

    trials = sprint.search_and_repeat(run, (0.1, 0.2), (3, 4), own=9)
    assert (trials.rate, trials.values) == (0.2, [[0.0, 3.0], [0.0, 4.0]])
    assert called == [(0.1, 9), (0.2, 9), (0.2, 3), (0.2, 4)]
    with pytest.raises(ValueError, match="seed of its own; 3"):
        sprint.search_and_repeat(run, (0.1, 0.2), (3, 4), own=3)


TINY = {"d_model": 8, "heads": 2, "steps": 2, "batch_size": 2, "rows": 8, "seeds": 1, "rates": (1e-3,)}


def test_the_scripts_run_small_and_twice_alike(sprint):
    copied = sprint.copying.Config(arms=("llama", "lstm"), lengths=(1, 3), vocab=4, **TINY)
    recalled = sprint.recall.Config(arms=("delta",), pairs=(1, 2), keys=3, values=2, **TINY)
    tracked = sprint.dyck.Config(arms=("rnn",), deepest=2, tokens=12, **TINY)
    for script, config in ((sprint.copying, copied), (sprint.recall, recalled), (sprint.dyck, tracked)):
        assert script.main(config) == script.main(config)
        assert script.plot(script.main(config))
    bits = sprint.state_bits.Config(bits=(1, 6), vocab=2, length=3, hidden=8, steps=40, machines=3, seeds=3)
    found = sprint.state_bits.main(bits)
    assert found.above_the_bound == 0
    assert found.first_tokens == found.bound
    assert sprint.state_bits.plot(found)


def test_bad_options_are_refused(sprint, capsys):
    for script, options, words in (
        (sprint.copying, ["--lengths", "9", "--vocab", "4"], "tokens of a pattern differ"),
        (sprint.recall, ["--pairs", "9", "--keys", "4"], "keys of a row differ"),
        (sprint.dyck, ["--deepest", "9", "--tokens", "4"], "every depth must be reached"),
        (sprint.state_bits, ["--vocab", "60", "--length", "9"], "all patterns are counted"),
        (sprint.state_bits, ["--bits", "60"], "at most 48 bits"),
    ):
        with pytest.raises(SystemExit):
            parse_config(script.Config, options)
        assert words in capsys.readouterr().err


def test_notes_13_and_14_by_hand(sprint):
    assert sprint.bits_by_hand.main(sprint.bits_by_hand.Config()).copied == 4
    assert "At most 4 of the 8 patterns" in note(13)
    assert 128 * 32 // 6 == 682
    found = sprint.pairs_by_hand.main(sprint.pairs_by_hand.Config())
    assert found.state_of_two == found.answers_of_two == [10, 20]
    assert found.state == pytest.approx([28, 44])
    assert found.answers == pytest.approx([28, 44, 52])
    shown(note(14), found.attention[0], form=".1f")
    assert "0.982, 0.000 and 0.018" in note(14)
    weights = torch.tensor([10.0, 0, 6]).softmax(0).tolist()
    assert [f"{weight:.3f}" for weight in weights] == ["0.982", "0.000", "0.018"]


def test_note_15_by_hand_and_the_exercises(sprint):
    found = sprint.brackets_by_hand.main(sprint.brackets_by_hand.Config())
    shown(note(15), *found.by_depth[:2], found.rate, found.first_four)
    assert found.stacks == ["", "(", "([", "(", "", "[", "[(", "["]
    assert sum(4**depth for depth in range(9)) == 87_381
    assert sprint.Brackets(kinds=4, deepest=8).entropy_at(3) == pytest.approx(math.log(4))
    assert "8,192 / 6 = 1365.3" in exercises
    assert 256 * 32 // 6 == 1365
    assert sprint.most_copied(6, 4, 5) == 1 / 16


def test_note_13_a_detached_difference_is_exact_for_a_sign_of_its_own_and_leaks_for_a_drawn_bit(sprint):
    x = torch.randn(100_000, generator=drawn()) * 10.0 ** torch.randint(-6, 7, (100_000,), generator=drawn())
    own = torch.where(x >= 0, 1.0, -1.0)
    coin = 2.0 * torch.randint(2, x.shape, generator=drawn()) - 1
    assert (x + (own - x)).equal(own)
    leaks = (x + (coin - x)) != coin
    assert 0.05 < leaks.double().mean() < 0.95, "in its last digits something of x gets through"
    assert sprint.sign_of(x).equal(own)
    assert torch.sign(torch.tensor(0.0)) == 0, "the third value"


def test_note_15_depths_of_a_short_text_are_not_equally_frequent(sprint):
    rows = sprint.Brackets(deepest=8).depths(64)
    shares = [sum(row[depth] for row in rows) / 64 for depth in range(9)]
    assert (round(shares[2], 2), round(shares[7], 2)) == (0.15, 0.09)

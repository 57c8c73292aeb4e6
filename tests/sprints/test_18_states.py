"""Parity and state tracking of sprint 18: groups, the attack on a theorem, weights by hand, the scripts, tiny."""

import itertools

import pytest
import torch
from lesson_texts import lesson_texts

from shared.nn.linear_recurrence import recur

FOLDER = "18_sequence_models"
PAGE, note = lesson_texts(FOLDER)


@pytest.fixture
def groups(load_sprint):
    return load_sprint(f"{FOLDER}/sequences/groups.py")


@pytest.fixture
def tasks(load_sprint):
    return load_sprint(f"{FOLDER}/sequences/tasks.py")


def test_tables_are_groups(groups):
    for name in ("Z2", "Z60", "S3", "A5"):
        table = groups.make_group(name).table
        everything = torch.arange(len(table))
        assert torch.equal(table[0], everything)  # element 0 does nothing, on either side
        assert torch.equal(table[:, 0], everything)
        assert torch.equal(table.sort(dim=1).values, everything.expand_as(table))  # every row is a permutation: undone
        a, b, c = torch.randint(len(table), (3, 500), generator=torch.Generator().manual_seed(0))
        assert torch.equal(table[table[a, b], c], table[a, table[b, c]])
    assert len(groups.make_group("A5").elements) == 60
    assert groups.make_group("S3").elements == ("123", "132", "213", "231", "312", "321")


def test_products_are_what_moving_things_one_by_one_gives(groups):
    group = groups.make_group("A5")
    words = torch.randint(60, (4, 9), generator=torch.Generator().manual_seed(1))
    products = groups.prefix_products(group.table, words)
    for word, found in zip(words.tolist(), products.tolist(), strict=True):
        things = "12345"
        for token, product in zip(word, found, strict=True):
            things = "".join(things[int(place) - 1] for place in group.elements[token])
            assert group.elements[product] == things


def test_what_of_a_group_commutes_and_is_solvable(groups):
    sizes = {name: groups.derived_sizes(groups.make_group(name)) for name in ("Z2", "Z60", "S3", "A5")}
    assert sizes == {"Z2": [2, 1], "Z60": [60, 1], "S3": [6, 3, 1], "A5": [60]}
    assert [groups.commutes(groups.make_group(name)) for name in sizes] == [True, True, False, False]


def test_moves_make_the_whole_group(groups):
    generator = torch.Generator().manual_seed(0)
    for name, count in (("A5", 2), ("A5", 60), ("Z60", 3), ("S3", 6)):
        group = groups.make_group(name)
        moves = groups.draw_moves(group, count, generator)
        assert len(set(moves.tolist())) == count
        assert len(groups.closure(group.table, set(moves.tolist()))) == len(group.table)


def test_groups_refuse(groups):
    with pytest.raises(ValueError, match="at least 1 place"):
        groups.cyclic(0)
    with pytest.raises(ValueError, match="from 1 to 5"):
        groups.arrangements(6)
    table = groups.make_group("S3").table
    for words in (torch.zeros(1, 0, dtype=torch.long), torch.tensor([[6]]), torch.tensor([[-1]])):
        with pytest.raises(ValueError, match="at least one token"):
            groups.prefix_products(table, words)
    generator = torch.Generator().manual_seed(0)
    with pytest.raises(ValueError, match="give from 1 to 6"):
        groups.draw_moves(groups.make_group("S3"), 7, generator)
    with pytest.raises(ValueError, match="give more moves"):
        groups.draw_moves(groups.make_group("S3"), 1, generator)


def test_rows_hold_the_products_of_their_moves(groups, tasks):
    group = groups.make_group("A5")
    moves = tasks.Moves(group.table, groups.draw_moves(group, 3, torch.Generator().manual_seed(0)))
    words, products = tasks.draw_rows(moves, 5, 7, torch.Generator().manual_seed(1))
    assert words.max() < 3
    assert torch.equal(products[:, 0], moves.elements[words[:, 0]])
    assert torch.equal(products[:, 1:], group.table[products[:, :-1], moves.elements[words[:, 1:]]])


def test_rows_get_longer_and_then_stay(tasks):
    lengths = [tasks.length_at(step, 100, 16, 0.5) for step in range(100)]
    assert lengths[0] == 2
    assert lengths == sorted(lengths)
    assert set(lengths) == set(range(2, 17))
    assert lengths[50:] == [16] * 50
    assert {tasks.length_at(step, 100, 16, 0.0) for step in range(100)} == {16}


# What note 11 proves and works out


def test_parity_by_hand_is_the_note(load_sprint):
    script = load_sprint(f"{FOLDER}/parity_by_hand.py")
    results = script.main(script.Config())
    assert results.switch == [1, 1, 0, 1, 1, 0]
    assert results.switch == [sum(results.bits[: end + 1]) % 2 for end in range(len(results.bits))]
    assert results.counter == [1, 1, 2, 3, 3, 4]
    assert results.fading == [1, 1.5, 1.75, 1.875, 2, 2, 2, 2]
    assert "1, 1.5, 1.75, 1.875, 2, 2" in note(11)
    assert results.float16_counter_stops_at == 2048
    assert "2,048" in note(11)
    assert results.counter_up_to_its_bends == 1.0
    assert results.counter_far == pytest.approx(0.5, abs=0.01)
    assert results.longest_cycle == {"[0, 1]": 1, "[−1, 0]": 2}
    assert script.plot(results).axes
    with pytest.raises(ValueError, match="each 0 or 1"):
        script.Config(bits=(0, 2)).check()


def test_note_11_no_monotone_map_of_a_finite_set_has_a_cycle():
    places = 5

    def longest_cycle(step: tuple[int, ...]) -> int:
        periods = []
        for state in range(places):
            for _ in range(places):
                state = step[state]
            first, period = state, 1
            state = step[state]
            while state != first:
                state, period = step[state], period + 1
            periods.append(period)
        return max(periods)

    every_map = list(itertools.product(range(places), repeat=places))
    rising = [step for step in every_map if list(step) == sorted(step)]
    assert {longest_cycle(step) for step in rising} == {1}
    falling = [step for step in every_map if list(step) == sorted(step, reverse=True)]
    assert {longest_cycle(step) for step in falling} == {1, 2}
    assert f"{len(rising)} of the {len(every_map):,}" in note(11)


def test_a_counter_is_right_up_to_its_last_bend_and_says_the_same_behind_it(load_sprint):
    counter = load_sprint(f"{FOLDER}/sequences/counter.py").Counter(6)
    said = counter(torch.ones(1, 12, dtype=torch.long)).argmax(dim=-1)[0].tolist()
    assert said == [1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1]
    assert counter(torch.zeros(1, 3, dtype=torch.long)).argmax(dim=-1)[0].tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="at least"):
        load_sprint(f"{FOLDER}/sequences/counter.py").Counter(0)


def test_note_12_by_hand(load_sprint):
    script = load_sprint(f"{FOLDER}/groups_by_hand.py")
    results = script.main(script.Config(tokens=64))
    assert results.cups == ["ABC", "BAC", "ACB", "ABC"]
    assert results.products == ["213", "132", "123"]
    assert results.other_order == "231"
    for words in ("BAC", "ACB", "231"):
        assert words in note(12)
    assert results.accuracy_by_hand == {"Z2": 1.0, "S3": 1.0}
    assert script.plot(results).axes
    with pytest.raises(ValueError, match="at most 10"):
        script.Config(moves=("213",) * 11).check()


def test_note_12_a_cup_is_followed_by_decays_of_one_and_minus_one(groups):
    group = groups.make_group("S3")
    for move in group.elements:
        goes_to = [move.index(str(place + 1)) for place in range(3)]  # where the cup of each place comes to
        fitting = [(a, x) for a in (1, -1) for x in range(3) if [(a * g + x) % 3 for g in range(3)] == goes_to]
        assert len(fitting) == 1
    assert [(1 - g) % 3 for g in range(3)] == [1, 0, 2]


def test_the_network_by_hand_reads_any_length_and_needs_its_start(load_sprint, groups):
    by_hand = load_sprint(f"{FOLDER}/sequences/rnn_of_table.py")
    table = groups.make_group("S3").table
    words = torch.randint(6, (3, 500), generator=torch.Generator().manual_seed(0))
    assert torch.equal(by_hand.products_by_rnn(table, words), groups.prefix_products(table, words))
    assert by_hand.rnn_of_table(table).hidden_size == 36
    hidden, _ = by_hand.rnn_of_table(table)(torch.nn.functional.one_hot(words, 6).float())
    assert not torch.equal(table.flatten()[hidden.argmax(dim=-1)], groups.prefix_products(table, words))


def test_exercise_18_6_is_the_only_answer():
    """The page says that no other decay and input keep the parity as 0 or 1."""
    for decay, added in itertools.product((-1.0, -0.5, 0.0, 0.5, 1.0), repeat=2):
        keeps = all(decay * state + added == 1 - state for state in (0, 1))
        assert keeps == (decay == -1 and added == 1)


def test_a_rotation_counts_modulo_three():
    """Exercise D2: one complex decay, a third of a turn, counts modulo three."""
    turn = torch.polar(torch.tensor(1.0), torch.tensor(2 * torch.pi / 3))
    decay = turn.expand(1, 6, 1)
    states, _ = recur(decay, torch.zeros(1, 6, 1, dtype=torch.complex64), torch.ones(1, 1, dtype=torch.complex64))
    assert states[0, :, 0].angle().mul(3 / (2 * torch.pi)).round().int().remainder(3).tolist() == [1, 2, 0, 1, 2, 0]


# The scripts, at tiny size


@pytest.mark.parametrize("arm", ["signed", "positive", "rnn", "lstm", "mamba", "transformer"])
def test_every_arm_is_causal_and_every_parameter_moves(load_sprint, tasks, groups, arm):
    track = load_sprint(f"{FOLDER}/sequences/track.py")
    torch.manual_seed(0)
    model = load_sprint(f"{FOLDER}/sequences/arms.py").Classifier(arm, 6, 8, 2)
    moves = tasks.Moves(groups.make_group("S3").table, torch.arange(6))
    words, _ = tasks.draw_rows(moves, 2, 9, torch.Generator().manual_seed(0))
    changed = words.clone()
    changed[:, 5:] = (changed[:, 5:] + 1) % 6
    assert torch.allclose(model(words)[:, :5], model(changed)[:, :5], atol=1e-6)
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    list(track.fit(model, moves, track.Plan(3, 8, 6, 0.0), 1e-2, torch.Generator().manual_seed(0)))
    still = [name for name, parameter in model.named_parameters() if torch.equal(parameter, before[name])]
    assert not still


def test_a_transformer_tells_one_token_from_two_equal_ones(load_sprint):
    torch.manual_seed(0)
    model = load_sprint(f"{FOLDER}/sequences/arms.py").Classifier("transformer", 6, 8, 1)
    logits = model(torch.ones(1, 3, dtype=torch.long))[0]
    assert logits.shape == (3, 6)
    assert (logits[0] - logits[1]).abs().max() > 1e-6


def test_the_rate_is_searched_with_a_seed_of_its_own(load_sprint):
    search = load_sprint(f"{FOLDER}/sequences/rate_search.py")
    asked = []

    def loss_of(rate: float, seed: int) -> float:
        asked.append((rate, seed))
        return abs(rate - 2)

    found = search.best_rate(loss_of, (1.0, 2.0, 3.0), (0, 1), 9)
    assert (found.rate, found.losses) == (2.0, {"1": 1.0, "2": 0.0, "3": 1.0})
    assert asked == [(1.0, 9), (2.0, 9), (3.0, 9)]
    with pytest.raises(ValueError, match="seed of its own"):
        search.best_rate(loss_of, (1.0, 2.0), (0, 1), 1)
    asked.clear()
    assert search.best_rate(loss_of, (3.0,), (0, 1), 9) == search.Searched(3.0, {})
    assert asked == []  # there is nothing to choose


def test_parity_at_tiny_size(load_sprint):
    script = load_sprint(f"{FOLDER}/parity.py")
    config = script.Config(
        arms=("signed", "transformer"), d_model=8, longest=4, searched=9, tested=9, steps=3, batch_size=2,
        rates=(1e-2, 1e-3), rows=4, seeds=2,
    )  # fmt: skip
    results = script.main(config)
    assert results.lengths == [1, 4, 5, 9]
    assert all(len(runs.by_length) == 2 and len(runs.searched.losses) == 2 for runs in results.models.values())
    assert script.plot(results).axes
    again = script.main(config)
    assert again.models["transformer"].by_length == results.models["transformer"].by_length
    with pytest.raises(ValueError, match="larger --tested"):
        script.Config(tested=3).check()
    with pytest.raises(ValueError, match="multiple of 8"):
        script.Config(d_model=12).check()


def test_negative_decays_learn_parity_and_go_on(load_sprint):
    """The claim of note 11 at a small size: trained on up to 12 bits, read at 48."""
    script = load_sprint(f"{FOLDER}/parity.py")
    results = script.main(
        script.Config(
            arms=("signed",),
            d_model=16,
            longest=12,
            searched=48,
            tested=48,
            steps=300,
            batch_size=32,
            rates=(1e-2,),
            seeds=1,
        )
    )
    assert results.models["decays in [−1, 1]"].by_length[0][-1] > 0.95


def test_state_tracking_at_tiny_size(load_sprint):
    script = load_sprint(f"{FOLDER}/state_tracking.py")
    config = script.Config(
        arms=("rnn", "transformer"), depths=(1, 2), d_model=8, length=4, steps=3, batch_size=2, rates=(1e-2, 1e-3),
        rows=4, seeds=2,
    )  # fmt: skip
    results = script.main(config)
    assert {name: list(depths) for name, depths in results.models.items()} == {"RNN": [1], "transformer": [1, 2]}
    assert len(results.models["RNN"][1].by_length) == 4
    assert results.searched["transformer"].rate in (1e-2, 1e-3)
    assert len(results.models["transformer"][2].longest) == 2
    assert script.plot(results).axes
    assert script.main(config) == results
    with pytest.raises(ValueError, match="give more moves"):
        script.Config(moves=1).check()
    for preset in script.PRESETS.values():
        script.Config(**preset).check()

"""What notes 2 to 6 of sprint 26 and their exercises work out by hand, and what their scripts claim, made small."""

import math

import pytest
import torch
from lesson_texts import by_name, importable, lesson_texts, shown

SPRINT = "26_dynamic_knowledge_graph"
PAGE, note = lesson_texts(SPRINT)
on_path = importable(SPRINT)


def script(load_sprint, name: str):
    return load_sprint(f"{SPRINT}/{name}.py")


# note 2


def test_the_table_of_edits_and_the_similarities_are_those_of_note_2():
    strings, text = by_name("knowledge.strings"), note(2)
    table = strings.edit_table("jon", "john")
    assert table == [[0, 1, 2, 3, 4], [1, 0, 1, 2, 3], [2, 1, 0, 1, 2], [3, 2, 1, 1, 1]]
    for letter, row in zip("jo", table[1:3], strict=True):
        assert f"| **{letter}** | {' | '.join(map(str, row))} |" in text
    assert "| **n** | 3 | 2 | 1 | **1** |" in text.replace("| 1 | 1 | **1** |", "| 1 | **1** |")
    assert strings.shared_letters("jon", "john") == ([0, 1, 2], [0, 1, 3])
    shown(text, strings.jaro("jon", "john"), strings.jaro_winkler("jon", "john"), strings.jaro("ava", "eva"))
    assert (
        strings.jaro_winkler("jon", "john")
        == strings.jaro_winkler("ana", "anna")
        == strings.jaro_winkler("ruth", "ruht")
    )
    assert strings.levenshtein("eva", "ave") == 2


def test_no_threshold_on_strings_separates_the_pairs_of_note_2(load_sprint):
    pairs = script(load_sprint, "names_by_hand").main(script(load_sprint, "names_by_hand").Config()).pairs
    one = [pair.jaro_winkler for pair in pairs if pair.bits > 0]
    two = [pair.jaro_winkler for pair in pairs if pair.bits < 0]
    assert min(one) < min(two) < max(two)
    assert (
        max(two) >= sorted(one)[-2]
    )  # whatever joins all of the first joins all of the second, and the other way round
    joined = {"/".join(pair.names) for pair in pairs if pair.jaro_winkler >= 0.611}
    assert {"/".join(pair.names) for pair in pairs} - joined == {"bob/robert"}
    apart = {"/".join(pair.names) for pair in pairs if pair.jaro_winkler < 0.9}
    assert {"ava/eva", "bob/robert"} <= apart
    assert "ana/anna" not in apart


# note 3


def test_the_bits_of_note_3(load_sprint):
    by_hand, text = script(load_sprint, "evidence_by_hand"), note(3)
    found = by_hand.main(by_hand.Config())
    for levels in found.weights.values():
        shown(text, *levels.values(), form="+.2f")
    shown(text, found.prior, *found.total.values(), form="+.2f")
    for value in found.probability.values():
        assert f"{100 * value:.1f} %" in text
    shown(text, found.rare["0.05"], found.rare["0.0001"], form=".2f")
    assert 2 ** found.total[next(iter(found.total))] == pytest.approx(26, abs=0.2)
    assert found.step.match == pytest.approx([0.9, 0.1, 0.1, 0.0014], abs=1e-4)
    shown(text, found.step.m[0][1], found.step.share)
    assert sum(count * match for count, match in zip(by_hand.COUNTS, found.step.match, strict=True)) == pytest.approx(
        10.9, abs=0.01
    )


def test_the_answers_of_note_3():
    bits = math.log2(1 / 999) + math.log2(0.9 / 0.0001)
    shown(note(3), bits, form=".2f")
    assert 1 / (1 + 2**-bits) == pytest.approx(0.90, abs=0.005)


# note 4


def test_the_signatures_of_note_4(load_sprint):
    by_hand, text = script(load_sprint, "signatures_by_hand"), note(4)
    found = by_hand.main(by_hand.Config())
    assert [found.values[pair][0] for pair in by_hand.pairs_in_order("anna")] == [4, 7, 10, 2, 5]
    for name in ("anna", "ana", "eva"):
        assert ", ".join(map(str, found.signatures[name])) in text
    assert found.similarity == pytest.approx({"anna/ana": 0.8, "anna/eva": 0.125, "ana/eva": 1 / 7})
    assert (found.equal["anna/ana"], found.equal["anna/eva"]) == (0.75, 0.25)
    assert found.candidates == ["anna/ana"]


def test_the_curve_of_note_4():
    curve = by_name("knowledge.blocking").lsh_curve
    high, low = curve(torch.tensor([0.8, 0.2], dtype=torch.float64), 4, 5).tolist()
    shown(note(4), high, form=".2f")
    shown(note(4), low)
    assert pytest.approx(0.67, abs=0.005) == (1 / 5) ** (1 / 4)
    half = [float(curve(torch.tensor([0.5], dtype=torch.float64), 2, bands)) for bands in (8, 9)]
    assert half[0] < 0.9 < half[1]
    assert pytest.approx(0.9991, abs=1e-4) == 1 - 1000 * 45 / (10_000 * 9_999 / 2)


# note 5


def test_the_merges_of_note_5(load_sprint):
    by_hand = script(load_sprint, "merges_by_hand")
    found = by_hand.main(by_hand.Config())
    assert found.labels == {"closure": [0, 0, 0, 3, 3], "sums": [0, 0, 2, 3, 3], "0 and 1 are two": [0, 1, 1, 3, 3]}
    assert found.sums == {"closure": 1, "sums": 6, "0 and 1 are two": 5}
    assert found.best == 6
    clusters = by_name("knowledge.clusters")
    assert clusters.agglomerate(6, by_hand.LINKS | {(0, 5): 5.0, (2, 5): 5.0}).labels == [0, 0, 2, 3, 3, 0]
    every = [[]]
    for record in range(5):
        every = [[*labels, label] for labels in every for label in sorted({*labels, record})]
    assert len(every) == 52
    assert min(clusters.within(labels, by_hand.LINKS) for labels in every) == -14


def test_a_giant_cluster_appears_above_one_false_link(load_sprint):
    giant = script(load_sprint, "giant_cluster")
    found = giant.main(giant.Config(persons=400, links=(0.5, 2, 12), seeds=3))
    assert found.largest[0][0] < 0.1
    assert found.largest[1][0] == pytest.approx(found.formula[1], abs=0.1)
    assert found.all_one[2] > 0
    assert giant.giant_share(2) == pytest.approx(0.797, abs=5e-4)
    assert giant.giant_share(0.9) == 0


def test_clusters_by_sums_find_the_persons_and_say_why(load_sprint):
    sized = script(load_sprint, "precision_by_size")
    found = sized.main(sized.Config(persons=25, seeds=1, thresholds=(0, 4)))
    assert found.f1["sums, exact weights"][0] > 0.9
    assert sum(reason.bits for reason in found.explained) > 0
    assert found.ahead["exact"][0] >= 0


# the learnt evidence beside the optimum


def test_learnt_evidence_stands_between_strings_and_the_optimum(load_sprint):
    good = script(load_sprint, "how_good_can_it_be")
    found = good.main(good.Config(persons=100, seeds=1, subjects=(10,)))
    assert found.f1[good.STRINGS][0] < found.f1["and rare values"][0] < found.f1[good.OPTIMUM][0]


def test_the_same_seed_gives_the_same_weights(load_sprint):
    good, draw_world = script(load_sprint, "how_good_can_it_be"), by_name("knowledge.optimum").draw_world
    runs = []
    for _ in range(2):
        generator = torch.Generator().manual_seed(3)
        runs.append(good.rules(draw_world([2] * 12, generator), (2,), generator)[0])
    assert all(torch.equal(runs[0][name], runs[1][name]) for name in runs[0])


def test_rare_letters_and_reasons():
    weighing, comparisons = by_name("knowledge.weighing"), by_name("knowledge.comparisons")
    world = by_name("knowledge.optimum").draw_world([2] * 60, torch.Generator().manual_seed(0))
    first, second = world.records[::2], world.records[1::2]
    pairs = torch.cartesian_prod(torch.arange(60), torch.arange(60))
    kinds = comparisons.person_comparisons(world.records)
    weighed = weighing.weigh(first, second, pairs, kinds, 1 / 60)
    plain = weighed.evidence.weights(weighed.levels)
    fits = weighed.levels[:, 0] == kinds[0].initial
    letters: dict[str, float] = {}
    for value, share in comparisons.frequencies(world.records, "first").items():
        letters[value[0]] = letters.get(value[0], 0.0) + share
    agree = sum(share**2 for share in letters.values())
    for place in fits.nonzero().flatten().tolist()[:20]:
        letter = first[pairs[place, 0]].first[0]
        assert float((weighed.bits - plain)[place, 0]) == pytest.approx(math.log2(agree / letters[letter]))
    why = weighing.reasons(first[0], second[0], weighed.levels[0].tolist(), weighed.bits[0].tolist(), kinds)
    assert sum(reason.bits for reason in why) == pytest.approx(float(weighed.bits[0].sum()))
    assert [abs(reason.bits) for reason in why] == sorted((abs(reason.bits) for reason in why), reverse=True)
    assert all((reason.level == "not said") == (not (reason.first and reason.second)) for reason in why)


def test_names_that_stand_often_are_no_slips():
    comparisons = by_name("knowledge.comparisons")
    names = frozenset({"ana", "anna"})
    assert comparisons.name_or_slip("ana", "anna", names) == 1
    assert comparisons.name_or_slip("ana", "anna") == 2
    assert comparisons.name_or_slip("ruth", "ruht", names) == 2
    assert comparisons.name_or_slip("ana", "ana", names) == 3


def test_of_two_values_the_more_frequent_one_counts_and_unknown_ones_count_for_nothing():
    comparisons = by_name("knowledge.comparisons")
    sighting = by_name("knowledge.persons").Sighting
    first, second = [sighting(name, "", "", "", "") for name in ("ana", "anna")], [sighting("", "", "", "", "")]
    table = {"ana": 0.1, "anna": 0.3}
    pairs = torch.tensor([[0, 1], [1, 0], [0, 0]])
    assert comparisons.pair_frequencies(first, first, pairs, "first", table).tolist() == [0.3, 0.3, 0.1]
    assert comparisons.pair_frequencies(second, second, torch.tensor([[0, 0]]), "first", table).tolist() == [1.0]


# exercises


def test_the_answers_on_paper():
    prior, date, given = math.log2(1 / 1999), math.log2(0.95 * 20_000), math.log2(0.64 / 0.02)
    shown(PAGE, prior, date, given, math.log2(0.1 / 0.99), math.log2(0.3 / 0.99), form=".2f")
    for differs in (0.1, 0.3):
        bits = prior + date + given + math.log2(differs / 0.99)
        shown(PAGE, bits, form=".2f")
        assert f"{100 / (1 + 2**-bits):.1f} %" in PAGE
    assert round(2 ** (prior + date + given + math.log2(0.1 / 0.99))) == 31
    shown(PAGE, 1 - (1 - 0.125) ** 10, 1 - (1 - 0.008) ** 10)


# note 6


def test_the_plan_of_note_6():
    shown(note(6), math.log2(1 / 4999), form=".1f")
    left = 0.12 * 0.1
    assert [round(100 * left * 0.5**poor, 3) for poor in range(5)] == [1.2, 0.6, 0.3, 0.15, 0.075]
    assert all(number in note(6) for number in ("1.2 of 100", "leaves 0.6", "fourth 0.3", "fifth 0.15", "sixth 0.075"))


def test_persons_of_febrl_are_found(load_sprint):
    real = script(load_sprint, "real_persons")
    febrl = by_name("knowledge.febrl")
    try:
        lists = real.Lists(febrl.read_persons("dataset1"), None)
    except ValueError as error:
        pytest.skip(str(error))
    keys = [febrl.KEYS[name] for name in ("date of birth", "social security", "surname, number", "street, postcode")]
    pairs = by_name("knowledge.blocking").pairs_by_keys(lists.first, None, keys)
    assert len(lists.true()) == 500
    weights, guessed = real.rules(lists, pairs)
    assert guessed == pytest.approx(500, abs=15)
    _, best = by_name("knowledge.scores").best_threshold(weights["evidence"], lists.matches(pairs), 500)
    assert best.f1 > 0.98

"""Names and entities in sprint 26: strings, the law of the errors, evidence, blocking, clusters, and real persons."""

import itertools
import math
import random

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lesson_texts import by_name, importable

SPRINT = "26_dynamic_knowledge_graph"
on_path = importable(SPRINT)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WORDS = st.text("abcd", max_size=8)


def module(name: str):
    return by_name(f"knowledge.{name}")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


# strings


@settings(max_examples=300, deadline=None)
@given(first=WORDS, second=WORDS)
def test_string_measures_are_those_of_rapidfuzz(first, second):
    from rapidfuzz.distance import Jaro, JaroWinkler, Levenshtein

    strings = module("strings")
    assert strings.levenshtein(first, second) == Levenshtein.distance(first, second)
    assert strings.jaro(first, second) == pytest.approx(Jaro.similarity(first, second), abs=1e-12)
    assert strings.jaro_winkler(first, second) == pytest.approx(JaroWinkler.similarity(first, second), abs=1e-12)


@QUICK
@given(first=WORDS, second=WORDS, third=WORDS)
def test_edit_distance_is_a_metric(first, second, third):
    distance = module("strings").levenshtein
    assert distance(first, second) == distance(second, first) <= max(len(first), len(second))
    assert (distance(first, second) == 0) == (first == second)
    assert distance(first, third) <= distance(first, second) + distance(second, third)


# the world whose law is known


def test_a_slip_has_the_chances_that_are_said():
    slips = module("persons").slips("ann")
    assert sum(slips.values()) == pytest.approx(1)
    assert slips["an"] == pytest.approx(0.25 * 2 / 3)  # two of three letters to leave out
    assert slips["nan"] == pytest.approx(0.25 / 2)  # one of two neighbours to swap
    assert slips["ana"] == pytest.approx(0.25 / (3 * 25))
    assert slips["annn"] == pytest.approx(0.25 * 3 / (4 * 26))  # an n at three of four places
    assert slips["ann"] == pytest.approx(0.25 / 2)  # the two n changed places


def test_every_channel_writes_with_chances_that_add_up_to_one():
    for law in module("optimum").channels():
        assert float(law.prior.sum()) == pytest.approx(1)
        assert all(sum(table.values()) == pytest.approx(1) for table in law.written)


def test_the_log_ratio_is_that_of_all_joint_chances_added_up():
    persons, optimum = module("persons"), module("optimum")
    world = optimum.draw_world([2] * 3, seeded(1))
    found = optimum.log_ratios(world.records, world.records)
    for i, j in itertools.product(range(6), repeat=2):
        bits = 0.0
        for name, law in zip(persons.FIELDS, optimum.channels(), strict=True):
            a, b = (getattr(world.records[place], name) for place in (i, j))

            def chance(text, value, law=law):
                return math.prod(
                    law.written[value].get(piece, 0.0) for piece in (text.split() if law.draws > 1 else [text])
                )

            values = range(len(law.values))
            both = sum(float(law.prior[v]) * chance(a, v) * chance(b, v) for v in values)
            alone = [sum(float(law.prior[v]) * chance(text, v) for v in values) for text in (a, b)]
            bits += math.log2(both / math.prod(alone)) if both else -math.inf
        assert float(found[i, j]) == pytest.approx(bits, abs=1e-9)
        parts = optimum.by_field(world.records[i], world.records[j])
        assert sum(parts.values()) == pytest.approx(bits, abs=1e-9)


def test_expected_ratio_of_strangers_is_one():
    """E[P(a, b | one) / P(a) P(b)] over strangers is 1: the ratio integrates a density."""
    law = module("persons").years()
    texts = sorted({text for table in law.written for text in table})
    chances = [
        sum(float(p) * table.get(text, 0.0) for p, table in zip(law.prior, law.written, strict=True)) for text in texts
    ]
    profiles = torch.stack([law.profile(text) for text in texts])
    weights = torch.tensor(chances, dtype=torch.float64)
    assert float(weights @ (profiles @ profiles.mT) @ weights) == pytest.approx(1)


def test_context_joins_jon_smith_and_j_smith_and_keeps_ava_and_eva_apart():
    sighting, ratios = module("persons").Sighting, module("optimum").log_ratios
    odds = math.log2(1 / 999)  # one pair in a thousand is a match
    jon = sighting("jon", "smith", "", "oldham", "soup stove town")
    cook = sighting("j.", "smith", "", "oldham", "menu sauce week")
    teacher = sighting("j.", "smith", "", "ashford", "school pupils exam")
    ava, eva = (sighting(name, "smith", "", "oldham", "soup stove town") for name in ("ava", "eva"))
    bits = ratios([jon, ava], [cook, teacher, eva])
    assert bits[0, 0] + odds > 0 > bits[0, 1] + odds
    assert bits[1, 2] + odds < 0


def test_no_rule_for_pairs_beats_the_ratio_at_its_own_false_positive_rate():
    """Neyman and Pearson on drawn records: at equal false positives the ratio finds at least what other scores find."""
    optimum, comparisons = module("optimum"), module("comparisons")
    people = 150
    world = optimum.draw_world([2] * people, seeded(2))
    first, second = world.records[::2], world.records[1::2]
    pairs = torch.cartesian_prod(torch.arange(people), torch.arange(people))
    best = optimum.log_ratios(first, second).flatten()
    naive = (comparisons.levels_of(first, second, pairs, comparisons.person_comparisons()) > 0).sum(dim=1).double()
    match = pairs[:, 0] == pairs[:, 1]
    for allowed in (10, 100, 1000):
        found = [
            float((scores[match] > scores[~match].sort(descending=True).values[allowed]).double().mean())
            for scores in (best, naive)
        ]
        assert found[0] > found[1]


def test_assignment_is_the_best_of_all_permutations():
    optimum = module("optimum")
    weights = torch.randn(5, 5, generator=seeded(3), dtype=torch.float64)
    best = max(
        itertools.permutations(range(5)), key=lambda order: sum(float(weights[i, j]) for i, j in enumerate(order))
    )
    assert optimum.best_assignment(weights).tolist() == list(best)
    with pytest.raises(ValueError, match="equally long"):
        optimum.best_assignment(weights[:3])


def test_bad_worlds_and_texts_that_nobody_writes_are_refused():
    optimum = module("optimum")
    with pytest.raises(ValueError, match="number of records"):
        optimum.draw_world([], seeded())
    with pytest.raises(ValueError, match="zzzz"):
        optimum.channels()[0].profile("zzzz")


# scores


def test_scores_count_pairs_as_two_loops_do():
    scores = module("scores")
    found, true = [0, 0, 2, 2, 2, 5], [0, 1, 1, 1, 4, 4]
    pairs = list(itertools.combinations(range(6), 2))
    both = [(found[i] == found[j], true[i] == true[j]) for i, j in pairs]
    correct, said, there = sum(a and b for a, b in both), sum(a for a, _ in both), sum(b for _, b in both)
    got = scores.cluster_scores(found, true)
    assert (got.precision, got.recall) == pytest.approx((correct / said, correct / there))
    assert got.f1 == pytest.approx(2 * got.precision * got.recall / (got.precision + got.recall))


def test_the_best_threshold_is_the_best_of_all_thresholds():
    scores = module("scores")
    weights = torch.randint(6, (60,), generator=seeded(4)).double()
    match = torch.rand(60, generator=seeded(5)) < weights / 8
    threshold, best = scores.best_threshold(weights, match)
    every = [scores.at_threshold(weights, match, value).f1 for value in weights.unique().tolist()]
    assert best.f1 == pytest.approx(max(every))
    assert best == scores.at_threshold(weights, match, threshold)


# evidence


def small_pairs():
    """Records with three properties, all their pairs, and comparisons that splink can make too."""
    comparisons = module("comparisons")
    draw = random.Random(0)
    people = [
        (
            draw.choice(["anna", "adam", "bella", "ben", "carl"]),
            draw.choice(["wood", "field", "hill"]),
            draw.randint(1, 9),
        )
        for _ in range(40)
    ]
    rows = []
    for first, last, born in people * 2:
        first = "" if draw.random() < 0.1 else draw.choice("ab") + first[1:] if draw.random() < 0.2 else first
        last = "" if draw.random() < 0.1 else last
        rows.append({"first": first, "last": last, "born": str(born + (draw.random() < 0.15))})

    def name(a, b):
        return 2 if a == b else int(a[0] == b[0])

    def year(a, b):
        return 2 if a == b else int(abs(int(a) - int(b)) == 1)

    kinds = (
        comparisons.Comparison("first", ("differs", "same letter", "equal"), name, (2,)),
        comparisons.Comparison("last", ("differs", "equal"), comparisons.equal, (1,)),
        comparisons.Comparison("born", ("differs", "a year apart", "equal"), year),
    )
    records = [type("Row", (), row)() for row in rows]
    pairs = torch.combinations(torch.arange(len(rows)))
    return rows, records, pairs, kinds


def splink_linker(rows, begin, steps):
    """Return splink's model of the same comparisons, started at the same place."""
    splink = pytest.importorskip("splink")
    levels = pytest.importorskip("splink.comparison_level_library")
    library = pytest.importorskip("splink.comparison_library")
    pyarrow = pytest.importorskip("pyarrow")
    conditions = {
        "first": ['"first_l" = "first_r"', 'substr("first_l", 1, 1) = substr("first_r", 1, 1)'],
        "last": ['"last_l" = "last_r"'],
        "born": ['"born_l" = "born_r"', 'abs("born_l" - "born_r") = 1'],
    }
    compared = []
    for place, (name, rules) in enumerate(conditions.items()):
        m, u = begin.m[place].flip(0).tolist(), begin.u[place].flip(0).tolist()
        made = [levels.CustomLevel(rule) for rule in rules]
        if name != "born":
            made[0] = levels.ExactMatchLevel(name, term_frequency_adjustments=True)
        made.append(levels.ElseLevel())
        made = [level.configure(m_probability=a, u_probability=b) for level, a, b in zip(made, m, u, strict=True)]
        compared.append(library.CustomComparison([levels.NullLevel(name), *made], output_column_name=name))
    table = pyarrow.table({
        "unique_id": list(range(len(rows))),
        **{name: [row[name] or None for row in rows] for name in ("first", "last")},
        "born": [int(row["born"]) for row in rows],
    })  # fmt: skip
    api = splink.DuckDBAPI()
    options = splink.SettingsCreator(
        link_type="dedupe_only", comparisons=compared, blocking_rules_to_generate_predictions=["1=1"],
        probability_two_random_records_match=begin.share, em_convergence=1e-12, max_iterations=steps,
        retain_intermediate_calculation_columns=True,
    )  # fmt: skip
    return splink.Linker(api.register(table), options)


def test_evidence_is_what_splink_learns_and_weighs():
    evidence, comparisons = module("evidence"), module("comparisons")
    rows, records, pairs, kinds = small_pairs()
    levels = comparisons.levels_of(records, records, pairs, kinds)
    begin = evidence.start(kinds, 0.02)
    ours = begin
    patterns, counts = evidence.patterns_of(levels)
    for _ in range(5):
        ours = evidence.em_step(ours, patterns, counts, fixed_u=False)
    linker = splink_linker(rows, begin, 5)
    linker.training.estimate_parameters_using_expectation_maximisation(
        "1=1", estimate_without_term_frequencies=True, fix_u_probabilities=False,
        populate_probability_two_random_records_match_from_trained_values=True,
    )  # fmt: skip
    learnt = linker.misc.save_model_to_json()
    assert learnt["probability_two_random_records_match"] == pytest.approx(ours.share, abs=1e-6)
    for place, comparison in enumerate(learnt["comparisons"]):
        made = [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]
        assert [level["m_probability"] for level in made] == pytest.approx(ours.m[place].flip(0).tolist(), abs=1e-6)
        assert [level["u_probability"] for level in made] == pytest.approx(ours.u[place].flip(0).tolist(), abs=1e-6)
    # the weight of each pair, rare names included
    shared = {
        name: comparisons.pair_frequencies(records, records, pairs, name, comparisons.frequencies(records, name))
        for name in ("first", "last")
    }
    bits = ours.weights(levels).sum(dim=1) + evidence.rarity_bits(ours, kinds, levels, shared).sum(dim=1) + ours.prior()
    predicted = {
        (row["unique_id_l"], row["unique_id_r"]): row["match_weight"]
        for row in linker.inference.predict().as_pyarrow_table().to_pylist()
    }
    for (a, b), weight in zip(pairs.tolist(), bits.tolist(), strict=True):
        assert predicted[a, b] == pytest.approx(weight, abs=1e-6)


def test_em_never_lowers_the_likelihood_and_finds_the_law_of_made_up_pairs():
    evidence = module("evidence")
    generator = seeded(6)
    match = torch.rand(20_000, generator=generator) < 0.2
    law = [(0.9, 0.1), (0.8, 0.3), (0.95, 0.05)]
    columns = [
        torch.where(match, torch.rand(20_000, generator=generator) < m, torch.rand(20_000, generator=generator) < u)
        for m, u in law
    ]
    levels = torch.stack(columns, dim=1).long()
    levels[torch.rand(levels.shape, generator=generator) < 0.1] = -1
    kinds = [module("comparisons").Comparison(str(place), ("differs", "equal"), int) for place in range(3)]
    now = evidence.start(kinds, 0.1)
    patterns, counts = evidence.patterns_of(levels)
    before = -math.inf
    for _ in range(30):
        now = evidence.em_step(now, patterns, counts, fixed_u=False)
        after = evidence.log_likelihood(now, patterns, counts)
        assert after >= before - 1e-6
        before = after
    now = evidence.learn(levels, now, fixed_u=False, steps=300)
    assert now.share == pytest.approx(0.2, abs=0.03)
    for place, (m, u) in enumerate(law):
        assert float(now.m[place][1]) == pytest.approx(m, abs=0.04)
        assert float(now.u[place][1]) == pytest.approx(u, abs=0.03)
    with pytest.raises(ValueError, match="got none"):
        evidence.learn(levels[:0], now)


def test_what_is_missing_weighs_nothing():
    evidence = module("evidence")
    kinds = [module("comparisons").Comparison("name", ("differs", "equal"), int)]
    weights = evidence.start(kinds, 0.5).weights(torch.tensor([[-1], [0], [1]]))
    assert weights.flatten().tolist() == pytest.approx([0, math.log2(0.1 / 0.9), math.log2(9)])


def test_names_are_compared_as_the_levels_say():
    comparisons = module("comparisons")
    first, last, born, town, about = comparisons.person_comparisons()
    assert [
        first.level(a, b)
        for a, b in (("ava", "ruth"), ("j.", "jon"), ("jon", "jonathan"), ("ava", "eva"), ("eva", "eva"))
    ] == [0, 2, 3, 4, 5]
    assert [last.level("smith", other) for other in ("wood", "smtih", "smith")] == [0, 2, 3]
    assert [born.level("1980", other) for other in ("1985", "1982", "1979", "1980")] == [0, 1, 2, 3]
    assert [about.level("a b c", other) for other in ("d d d", "c d d", "b a x")] == [0, 1, 2]
    assert town.level("oldham", "oldham") == 1


def test_subjects_are_found_that_words_alone_do_not_show():
    """Two texts without a common word are of one subject, for others use the words of both."""
    contexts = module("contexts")
    texts = [
        "bread oven flour",
        "oven dough bread",
        "dough flour yeast",
        "net boat tide",
        "tide hook net",
        "boat hook catch",
    ] * 5
    subjects = contexts.learn_subjects(texts, 2, seeded(7))
    bits = contexts.context_bits(subjects, ["bread", "bread"], ["yeast", "hook"], torch.tensor([[0, 0], [0, 1]]))
    assert bits[0] > 0.5 > -0.5 > bits[1]
    with pytest.raises(ValueError, match="1 to 2 subjects"):
        contexts.learn_subjects(texts[:2], 3, seeded())


# blocking


def test_pairs_by_keys_are_those_of_two_loops():
    blocking = module("blocking")
    left, right = ["ab", "ac", "", "bc"], ["ab", "bb", "", "cc"]
    keys = [lambda text: text[:1], lambda text: text[1:]]

    def by_loops(first, second, within):
        found = [
            (i, j)
            for i, a in enumerate(first)
            for j, b in enumerate(second)
            if any(k(a) and k(a) == k(b) for k in keys)
        ]
        return [[i, j] for i, j in found if i < j or not within]

    assert blocking.pairs_by_keys(left, right, keys).tolist() == by_loops(left, right, False)
    assert blocking.pairs_by_keys(left, None, keys).tolist() == by_loops(left, left, True)
    true = torch.tensor([[0, 0], [1, 3], [3, 0]])
    assert blocking.completeness(blocking.pairs_by_keys(left, right, keys), true) == pytest.approx(2 / 3)
    assert blocking.completeness(true[:0], true) == 0


def test_equal_values_of_signatures_estimate_jaccard():
    blocking = module("blocking")
    sets = [blocking.letter_pairs(word) for word in ("katherine", "catherine", "smith")]
    signed = blocking.signatures(sets, 4000, seeded(8))
    for i, j in ((0, 1), (0, 2), (1, 2)):
        share = blocking.jaccard(sets[i], sets[j])
        assert blocking.alike(signed, i, j) == pytest.approx(
            share, abs=4 * math.sqrt(max(share * (1 - share), 0.01) / 4000)
        )
    assert torch.equal(signed, blocking.signatures(sets, 4000, seeded(8)))
    with pytest.raises(ValueError, match="a member"):
        blocking.signatures([frozenset()], 4, seeded())


def test_the_signature_of_a_union_is_the_smaller_value_of_both():
    blocking = module("blocking")
    one, other = blocking.letter_pairs("anna"), blocking.letter_pairs("eva")
    signed = blocking.signatures([one, other, one | other], 50, seeded(11))
    assert torch.equal(signed[2], torch.minimum(signed[0], signed[1]))


def test_lsh_finds_pairs_as_often_as_its_curve_says():
    blocking = module("blocking")
    sets = [frozenset(map(str, range(10))), frozenset(map(str, range(4, 14)))]  # 6 of 14 in common
    rows, bands, tries = 2, 3, 400
    signed = blocking.signatures(sets, rows * bands * tries, seeded(9)).view(2, tries, rows * bands)
    found = sum(len(blocking.pairs_by_lsh(signed[:, place], bands)) for place in range(tries)) / tries
    share = float(blocking.lsh_curve(torch.tensor([6 / 14], dtype=torch.float64), rows, bands))
    assert found == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / tries))
    assert share == pytest.approx(1 - (1 - (6 / 14) ** 2) ** 3)
    with pytest.raises(ValueError, match="divide"):
        blocking.lsh_keys(signed[:, 0], 4)


# clusters


def some_links(count: int, seed: int) -> dict[tuple[int, int], float]:
    draw = random.Random(seed)
    return {pair: draw.gauss(-1, 4) for pair in itertools.combinations(range(count), 2) if draw.random() < 0.8}


def test_closure_is_connected_components():
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    draw = random.Random(1)
    links = [(draw.randrange(60), draw.randrange(60)) for _ in range(40)]
    graph = coo_array(([1] * 40, tuple(zip(*links, strict=True))), shape=(60, 60))
    labels = module("clusters").closure(60, links)
    other = connected_components(graph, directed=False)[1].tolist()
    assert len(set(labels)) == len(set(other)) == len(set(zip(labels, other, strict=True)))
    assert all(label == labels.index(label) for label in labels)


@QUICK
@given(seed=st.integers(0, 10_000), count=st.integers(2, 7))
def test_agglomeration_is_greedy_and_never_beats_the_best_clustering(seed, count):
    clusters = module("clusters")
    links = some_links(count, seed)
    found = clusters.agglomerate(count, links, unknown=-0.5)
    total = clusters.within(found.labels, links, -0.5)
    assert 0 <= total <= clusters.within(clusters.best_clusters(count, links, -0.5), links, -0.5) + 1e-9
    assert total == pytest.approx(sum(merge.bits for merge in found.merges))
    assert found.labels == greedily(count, links, -0.5)


def greedily(count, links, unknown):
    """Merge the two clusters with the largest sum between them, all sums computed anew at each step."""
    labels = list(range(count))
    while True:
        sums = {}
        for a, b in itertools.combinations(range(count), 2):
            if labels[a] != labels[b]:
                key = tuple(sorted((labels[a], labels[b])))
                sums[key] = sums.get(key, 0.0) + links.get((a, b), unknown)
        best = max(sums, key=lambda pair: sums[pair], default=None)
        if best is None or sums[best] <= 0:
            return labels
        labels = [best[0] if label == best[1] else label for label in labels]


@QUICK
@given(seed=st.integers(0, 10_000))
def test_clusters_depend_on_the_set_of_links_alone(seed):
    clusters = module("clusters")
    links = some_links(12, seed)
    shuffled = list(links.items())
    random.Random(seed).shuffle(shuffled)
    assert clusters.agglomerate(12, dict(shuffled)) == clusters.agglomerate(12, links)


def test_what_was_said_to_be_apart_stays_apart_and_the_rest_is_as_before():
    clusters = module("clusters")
    links = {(0, 1): 9.0, (1, 2): 8.0, (0, 2): 7.0, (3, 4): 5.0}
    assert clusters.agglomerate(5, links).labels == [0, 0, 0, 3, 3]
    undone = clusters.agglomerate(5, links, apart=[(2, 0)])
    assert undone.labels == [0, 0, 2, 3, 3]
    assert clusters.agglomerate(5, links, together=[(4, 2)]).labels == [0, 0, 0, 0, 0]
    with pytest.raises(ValueError, match="together and apart"):
        clusters.agglomerate(5, links, apart=[(0, 1)], together=[(0, 1)])
    with pytest.raises(ValueError, match="over others"):
        clusters.agglomerate(5, links, apart=[(0, 1)], together=[(0, 3), (1, 3)])
    with pytest.raises(ValueError, match="smaller first"):
        clusters.agglomerate(2, {(1, 0): 1.0})
    with pytest.raises(ValueError, match="at most 0"):
        clusters.agglomerate(2, {}, unknown=1.0)


def test_the_pivot_rule_is_within_three_times_the_fewest_mistakes_on_average():
    clusters = module("clusters")
    draw = random.Random(2)
    pairs = list(itertools.combinations(range(7), 2))
    alike = {pair for pair in pairs if draw.random() < 0.5}

    def mistakes(labels):
        return sum((labels[a] == labels[b]) != ((a, b) in alike) for a, b in pairs)

    signs = {pair: 1.0 if pair in alike else -1.0 for pair in pairs}
    fewest = mistakes(clusters.best_clusters(7, signs))
    generator = seeded(10)
    average = sum(mistakes(clusters.pivot(7, alike, generator)) for _ in range(200)) / 200
    assert fewest <= average <= 3 * fewest
    with pytest.raises(ValueError, match="at most 9"):
        clusters.best_clusters(10, signs)


# real persons


def test_a_table_of_persons_is_read_and_a_broken_one_is_refused():
    febrl = module("febrl")
    row = ["rec-7-dup-0", " ana ", "", "6", "road", "", "town", "4011", "wa", "19081209", "6988048"]
    (person,) = febrl.parse([[f" {name}" for name in febrl.COLUMNS], row])
    assert (person.owner, person.given_name, person.surname) == (7, "ana", "")
    assert febrl.KEYS["given name, postcode"](person) == "ana|4011"
    assert febrl.KEYS["surname, postcode"](person) == ""
    with pytest.raises(ValueError, match="columns"):
        febrl.parse([["a", "b"]])
    with pytest.raises(ValueError, match="line 2"):
        febrl.parse([febrl.COLUMNS, row[:-1]])

"""Facts, times and the store of sprint 26: equal to working it out at once, in any order; kills; what is refused."""

import contextlib
import functools
import itertools
import math
import random
import re
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.text.debian import Package

SPRINT = "26_dynamic_knowledge_graph"


@pytest.fixture
def parts(load_sprint):
    """Return the modules of the package by name."""
    names = ("kinds", "store", "sqlite_store", "whole", "periods", "faults", "hearsay")
    return SimpleNamespace(**{name: load_sprint(f"{SPRINT}/knowledge/{name}.py") for name in names})


def drawn(parts, seed, number):
    return parts.hearsay.hearsay(number, torch.Generator().manual_seed(seed))


def new_store(parts, path=None):
    return parts.sqlite_store.SqliteStore(path, parts.hearsay.Prefixes(), parts.hearsay.SOURCES, parts.hearsay.SINGLE)


def whole(parts, arrivals):
    return parts.whole.known(arrivals, parts.hearsay.Prefixes(), parts.hearsay.SOURCES, parts.hearsay.SINGLE)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), number=st.integers(1, 40))
def test_what_is_known_depends_on_the_set_of_records_alone(parts, seed, number):
    arrivals, rng = drawn(parts, seed, number), random.Random(seed)
    expected = whole(parts, arrivals)
    for _ in range(2):
        with new_store(parts) as store:
            store.add(arrivals)
            assert store.dump(times=False) == expected
        arrivals = arrivals + rng.choices(arrivals, k=len(arrivals) // 2) if arrivals else []
        rng.shuffle(arrivals)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_what_was_known_is_what_the_first_arrivals_say(parts, seed):
    arrivals = drawn(parts, seed, 40)
    with new_store(parts) as store:
        store.add(arrivals)
        for known in random.Random(seed).sample(range(len(arrivals) + 1), 15):
            assert store.dump(times=False, known=known) == whole(parts, arrivals[:known])


def test_facts_by_hand_of_note_1(load_sprint):
    script = load_sprint(f"{SPRINT}/facts_by_hand.py")
    results = script.main(script.Config())
    assert results.by_pair == {"Ava Luna": "works_at", "Ava ragout": "cooks", "Ben Luna": "works_at"}
    facts = {"Ava works_at Luna": ["r1", "r5"], "Ava cooks ragout": ["r2"], "Ben works_at Luna": ["r3"]}
    assert results.facts == facts | {"Ava owns Luna": ["r4"]}
    assert results.later["Ava works_at Luna"] == ["r5"]
    assert (results.spans["r1"], results.spans["r2"][2:]) == ([0, 3, 13, 17], [10, 16])
    assert "Ava works_at Luna" not in script.main(script.Config(taken_back=("r1", "r5"))).later


def test_two_times_by_hand_of_note_9(load_sprint, parts):
    script = load_sprint(f"{SPRINT}/two_times_by_hand.py")
    results = script.main(script.Config())
    assert [row[9] for row in results.known] == ["", "Luna", "Sol", "Sol", "Sol", "Luna"]
    assert [row[6] for row in results.known] == ["", "Luna", "Luna", "Mira", "Mira", "Mira"]
    assert results.known[3] == results.known[4]
    assert results.weights == pytest.approx({"herald": 2.197, "gossip": 0.405}, abs=5e-4)
    assert results.gossips_to_outweigh == 6
    log_odds = parts.periods.log_odds
    assert 1 / (1 + math.exp(2 * log_odds(0.6) - log_odds(0.9))) == pytest.approx(0.8)  # of the truth of a claim
    assert log_odds(0.3) == pytest.approx(-0.847, abs=5e-4)
    with parts.sqlite_store.SqliteStore(sources={"herald": 0.9, "gossip": 0.6}, single=["works_at"]) as store:
        store.add([*script.ARRIVALS, parts.hearsay.said("a6", "Ava", "works_at", "Sol", 6)])
        after = {day: store.facts("person:Ava", day=day)[0].object for day in (3, 6, 8, 9, 12)}
        rows = store.dump()["facts"]
    assert after == {3: "shop:Luna", 6: "shop:Sol", 8: "shop:Sol", 9: "shop:Luna", 12: "shop:Luna"}
    luna, sol, mira = (2, 3, 4)  # the third question of "check yourself": object, since, until, known from, known until
    assert [row[3:] for row in rows if row[6] < 6] == [
        [luna, 3, None, 1, 2], [luna, 3, 9, 2, 3], [sol, 9, None, 2, 5], [luna, 3, 6, 3, None], [mira, 6, 9, 3, 6],
        [luna, 9, None, 5, None],
    ]  # fmt: skip


def test_what_was_known_on_paper_in_exercise_e(parts):
    said = parts.hearsay.said
    arrivals = [
        said("1", "P", "works_at", "Sol", 2), said("2", "P", "works_at", "Sol", 5, "gossip", holds=False),
        said("3", "P", "works_at", "Luna", 4), parts.hearsay.taken_back("4", "2", "gossip"),
    ]  # fmt: skip
    with parts.sqlite_store.SqliteStore(sources={"herald": 0.9, "gossip": 0.6}, single=["works_at"]) as store:
        store.add(arrivals)
        on = {day: [[one.object for one in store.facts(day=day, known=tick)] for tick in range(1, 5)] for day in (3, 6)}
        rows = store.dump()["facts"]
    assert on == {3: [["shop:Sol"]] * 4, 6: [["shop:Sol"], [], ["shop:Luna"], ["shop:Luna"]]}
    assert [row[7] for row in rows] == [2, 3, None, None]
    assert [row[4:6] for row in rows if row[7] is None] == [[2, 4], [4, None]]


def test_the_sum_of_log_odds_is_the_best_decision(parts):
    """Over all that four sources can say: nobody is right more often than who believes the sign of the sum."""
    reliable = {"a": 0.9, "b": 0.7, "c": 0.6, "d": 0.55}
    for votes in itertools.product((True, False), repeat=4):
        said = [parts.periods.Said(1, 0, vote, source, source) for vote, source in zip(votes, reliable, strict=True)]
        if_true = math.prod(p if vote else 1 - p for vote, p in zip(votes, reliable.values(), strict=True))
        if_false = math.prod(1 - p if vote else p for vote, p in zip(votes, reliable.values(), strict=True))
        found = parts.periods.periods(said, lambda source: parts.periods.log_odds(reliable[source]))
        assert bool(found) == (if_true > if_false)


def test_of_many_answers_two_weak_sources_outweigh_a_strong_one(parts):
    """With ten possible answers two gossips are hardly ever wrong in the same way: 2 * 2.60 is more than 4.39."""
    Said, log_odds = parts.periods.Said, parts.periods.log_odds
    said = [Said(1, 0, True, "herald", "a"), Said(2, 0, True, "gossip", "b"), Said(2, 0, True, "rumour", "c")]
    weights = {source: log_odds(p) for source, p in parts.hearsay.SOURCES.items()}
    assert log_odds(0.9) + math.log(9) == pytest.approx(4.39, abs=5e-3)
    assert log_odds(0.6) + math.log(9) == pytest.approx(2.60, abs=5e-3)
    believed = [parts.periods.periods(said, weights.__getitem__, options)[0].object for options in (2, 3, 6, 10)]
    assert believed == [1, 1, 2, 2]
    with parts.sqlite_store.SqliteStore(sources=parts.hearsay.SOURCES, single={"works_at": 10}) as store:
        rows = (("a", "Luna", "herald"), ("b", "Sol", "gossip"), ("c", "Sol", "rumour"))
        store.add([parts.hearsay.said(key, "Ava", "works_at", shop, 1, source) for key, shop, source in rows])
        assert [fact.object for fact in store.facts()] == ["shop:Sol"]


def test_equal_sums_are_equal_in_every_order(parts):
    """0.1 + 0.2 + 0.3 is 0.6 or a little more, as one adds them up."""
    Said = parts.periods.Said
    weights = {"a": 0.1, "b": 0.2, "c": 0.3, "d": 0.6}
    for names in itertools.permutations("wxyz"):  # a set of strings has no order that could be relied on
        renamed = dict(zip("abcd", names, strict=True))
        said = [Said(1 if one == "d" else 2, 0, True, name, name) for one, name in renamed.items()]
        weight = {name: weights[one] for one, name in renamed.items()}
        assert parts.periods.periods(said, weight.__getitem__) == []


def test_sums_that_are_equal_but_for_the_rounding_of_logarithms_are_equal(parts):
    """Of five answers: 9 * 4 = 36 for one source of 0.9, and (1.5 * 4) ** 2 = 36 for two of 0.6."""
    Said = parts.periods.Said
    said = [Said(1, 0, True, "herald", "a"), Said(2, 0, True, "gossip", "b"), Said(2, 0, True, "rumour", "c")]
    weights = {source: parts.periods.log_odds(p) for source, p in parts.hearsay.SOURCES.items()}
    assert parts.periods.periods(said, weights.__getitem__, 5) == []


def test_a_fact_rests_on_those_who_say_it_while_it_holds(parts):
    Said, Period = parts.periods.Said, parts.periods.Period
    said = [
        Said(1, 2, True, "herald", "a"), Said(1, 5, True, "gossip", "b"), Said(1, 7, True, "gossip", "c"),
        Said(2, 7, True, "herald", "d"), Said(1, 1, False, "gossip", "e"), Said(1, 9, True, "gossip", "f"),
    ]  # fmt: skip
    found = parts.periods.periods(said, {"herald": 2.0, "gossip": 1.0}.__getitem__)
    assert found == [Period(1, 2, 7, ("a", "b")), Period(2, 7, 9, ("d",)), Period(1, 9, None, ("f",))]


def test_rules_beside_the_optimum(load_sprint):
    script = load_sprint(f"{SPRINT}/whom_to_believe.py")
    results = script.main(script.Config(answers=(2, 5), questions=4000, through_the_store=20, seeds=(0, 1)))
    assert results.as_the_store + results.undecided == results.asked == 80
    assert results.optimum["2"] == pytest.approx(0.9)
    for answers, rules in results.accuracy.items():
        assert rules["weights"][0] == pytest.approx(results.optimum[answers], abs=0.01)
        assert rules["last"][0] == pytest.approx(0.67, abs=0.02)
    assert results.accuracy["5"]["log-odds"][0] < results.accuracy["5"]["majority"][0]


def test_periods_agree_with_an_asof_join(parts):
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is in the group reference")
    arrivals = [one for one in drawn(parts, 3, 300) if hasattr(one, "record") and not one.record.retracts]
    changes = {}
    for one in arrivals:  # one source, one thing said for each day and person: no contradictions
        claim = one.claims[0]
        changes[claim.subject.text, claim.day] = (one.record.key, claim.object.text)
    with parts.sqlite_store.SqliteStore(single=["is_at"]) as store:
        store.add([parts.hearsay.said(key, who, "is_at", shop, day) for (who, day), (key, shop) in changes.items()])
        ours = {
            (who, day): facts[0].object.removeprefix("shop:")
            for who in parts.hearsay.NAMES
            for day in range(8)
            if (facts := store.facts(f"person:{who}", "is_at", day=day))
        }
    connection = duckdb.connect()
    connection.execute("CREATE TABLE said (who TEXT, day INT, shop TEXT)")
    connection.executemany("INSERT INTO said VALUES (?, ?, ?)", [(*at, shop) for at, (_, shop) in changes.items()])
    connection.execute("CREATE TABLE asked AS SELECT DISTINCT who, d.day::INT AS day FROM said, range(8) d(day)")
    rows = connection.execute(
        "SELECT asked.who, asked.day, said.shop FROM asked ASOF JOIN said "
        "ON asked.who = said.who AND asked.day >= said.day"
    ).fetchall()
    assert ours == {(who, day): shop for who, day, shop in rows}


def test_what_cannot_be_used_is_kept_aside_with_its_reason(parts):
    said, Reading = parts.hearsay.said, parts.store.Reading
    good = said("r1", "ava", "likes", "Sun", 1)
    misplaced = Reading(good.record, (replace(good.claims[0], object=parts.kinds.Mention(5, 9, "Luna", "shop")),))
    arrivals = [
        (said("r2", "x" * 10_000, "likes", "Sun", 1), r"at most 200 characters; got 10000"),
        (said("r3", "ava", "likes", "Sun", 10**30), "a day is a whole number"),
        (said("r4", "ava", "likes", "Sun", "tomorrow"), "a day is a whole number"),
        (said("r5", "a\x00", "likes", "Sun", 1), "character 0"),
        (said("r6", "a\ud800", "likes", "Sun", 1), "half characters"),
        (said("", "ava", "likes", "Sun", 1), "the key must be letters"),
        (misplaced, r"the text has no 'Luna' from 5 to 9"),
        (said("r1", "ava", "likes", "Moon", 1), "is that of another record"),
        (parts.hearsay.taken_back("r7", "r7"), "cannot take itself back"),
        (parts.store.Decision("d", "person:ava", "person:ava", True, 1), "about two nodes"),
        (parts.store.Malformed("{", "half a line"), "half a line"),
    ]
    with new_store(parts) as store:
        store.add([good, *(arrival for arrival, _ in arrivals)])
        assert [fact.object for fact in store.facts()] == ["shop:Sun"]
        aside = store.aside()
    assert [tick for tick, _, _ in aside] == list(range(2, 13))
    for (_, expected), (_, reason, _) in zip(arrivals, aside, strict=True):
        assert re.search(expected, reason)


def test_sql_in_a_name_is_a_name(parts):
    name = "'; DROP TABLE facts; --"
    with new_store(parts) as store:
        store.add([parts.hearsay.said("r1", "ava", "likes", name, 1)])
        assert [fact.records for fact in store.facts(object=f"shop:{name}")] == [("r1",)]
        assert store.facts(relation="' OR 1 = 1 --") == []


def test_merges_in_a_circle_and_a_decision_that_is_undone(parts):
    said, Decision = parts.hearsay.said, parts.store.Decision
    names = [f"person:{name}" for name in ("Zed", "Yan", "Xia")]
    with parts.sqlite_store.SqliteStore() as store:
        store.add(
            [said(f"r{place}", name.removeprefix("person:"), "likes", "Sun", 1) for place, name in enumerate(names)]
        )
        alone = store.dump(times=False)
        circle = zip(names, [*names[1:], names[0]], strict=True)
        store.add([Decision(f"d{place}", one, other, True, 1) for place, (one, other) in enumerate(circle)])
        assert [fact.records for fact in store.facts()] == [("r0", "r1", "r2")]
        assert store.facts(subject="person:Xia") == store.facts(subject="person:Zed")
        assert set(store.entities()["person:Xia"]) == set(names)
        circle = zip(names, [*names[1:], names[0]], strict=True)
        store.add([Decision(f"e{place}", other, one, False, 2) for place, (one, other) in enumerate(circle)])
        assert store.dump(times=False) == alone
        assert len(store.entities(known=6)) == 2  # what was known before it was undone


def test_a_gap_is_refused_and_what_is_known_is_passed_over(parts, tmp_path):
    arrivals = drawn(parts, 0, 20)
    with new_store(parts, tmp_path / "s") as store, new_store(parts, tmp_path / "s") as reader:
        store.add(arrivals[:10])
        before = store.dump()
        with pytest.raises(ValueError, match="has 10 arrivals of 'news'; from 11 on there would be a gap"):
            store.add(arrivals[11:], start=11)
        assert (store.dump(), store.tick) == (before, 10)
        assert store.add(arrivals, start=0) == 10
        assert reader.dump() == store.dump()  # another connection sees what is committed
        assert store.offset("another stream") == 0


def test_clocks_that_are_set_back_and_files_that_are_no_store(parts, tmp_path):
    seconds = iter([100.0, 40.0, 130.0])
    with parts.sqlite_store.SqliteStore(clock=lambda: next(seconds)) as store:
        for one in drawn(parts, 0, 3):
            store.add([one])
        assert [store.known_at(time) for time in (99, 100, 129, 130)] == [2, 2, 2, 3]
    (tmp_path / "letter").write_text("Dear reader, " * 100, encoding="utf-8")
    with pytest.raises(ValueError, match="is not the file of a store"):
        new_store(parts, tmp_path / "letter")
    with pytest.raises(ValueError, match="above 0 and below 1; got 1"):
        parts.sqlite_store.SqliteStore(sources={"pope": 1.0})


def test_clusters_that_are_none_are_refused_and_nothing_is_written(parts):
    class Forgetful(parts.hearsay.Prefixes):
        def clusters(self, names, weights):  # noqa: ARG002
            return [names[:1]]

    with parts.sqlite_store.SqliteStore(None, Forgetful()) as store:
        store.add([parts.hearsay.said("r1", "av", "likes", "Sun", 1)])
        before = store.dump()
        with pytest.raises(ValueError, match="clusters must hold each of"):
            store.add([parts.hearsay.said("r2", "ava", "likes", "Sun", 1)])
        assert store.dump() == before


def test_killed_processes_leave_what_an_undisturbed_one_would(load_sprint, parts, tmp_path):
    script = load_sprint(f"{SPRINT}/killed_store.py")
    arrivals, config = drawn(parts, 0, 60), script.Config(batch=10)
    statements = script.take(tmp_path / "calm", arrivals, 10)
    moments = [statements // 4, statements // 3, statements // 5]
    assert script.killed_at_random(tmp_path / "killed", config, arrivals, moments) == [0, 1, 2]
    with new_store(parts, tmp_path / "calm") as calm, new_store(parts, tmp_path / "killed") as killed:
        assert killed.dump() == calm.dump()


class Killed(BaseException):
    """In place of a signal: a test of every moment has no time for processes."""


class Inline:
    """A process that is none; its connection is closed without a commit when it is killed."""

    def __init__(self, target, args):
        self.call = lambda: target(*args)

    def start(self):
        with contextlib.suppress(Killed):
            self.call()

    def join(self):
        pass


def test_killed_at_every_statement_nothing_is_lost(load_sprint, monkeypatch, tmp_path, parts):
    def die(*_):
        raise Killed

    script = load_sprint(f"{SPRINT}/killed_store.py")
    monkeypatch.setattr(script.os, "kill", die)
    monkeypatch.setattr(script.multiprocessing, "get_context", lambda _: SimpleNamespace(Process=Inline))
    found = {}
    for way in script.WAYS:
        (tmp_path / way).mkdir()
        work = script.take if way == script.WAYS[0] else functools.partial(script.take_apart, way=way)
        moments = script.every_moment(work, tmp_path / way, [parts.hearsay.said("r1", "ava", "likes", "Sun", 1)], 1)
        found[way] = (moments.twice, moments.lost > 10)
    assert found == {"with the data": (0, False), "data first": (1, False), "offset first": (0, True)}


def test_as_of_equals_the_first_arrivals_and_the_last_writer_does_not(load_sprint):
    script = load_sprint(f"{SPRINT}/as_of.py")
    results = script.main(script.Config(arrivals=80, times=10, orders=3))
    assert (results.equal_times, results.equal_orders, results.equal_last_writer) == (10, 3, 0)


def test_waiting_by_hand_of_note_11():
    def lasts(fixed, each, rate):
        return fixed / (1 - each * rate)

    assert lasts(10, 0.1, 1) == pytest.approx(11.1, abs=0.05)
    assert 1.5 * lasts(10, 0.1, 1) == pytest.approx(16.7, abs=0.05)
    assert 2 * lasts(10, 0.1, 1) == pytest.approx(22.2, abs=0.05)
    assert [lasts(10, 0.1, 9), lasts(10, 0.1, 9.9), lasts(5, 0.2, 4)] == pytest.approx([100, 1000, 25])
    assert pytest.approx(3333, abs=0.5) == 50 / (5 + 0.2 * 50) * 1000


def test_a_crowd_is_taken_and_its_broken_lines_are_kept_aside(load_sprint):
    script = load_sprint(f"{SPRINT}/stream.py")
    results = script.main(script.Config(arrivals=300, people=50, rate=2000, seconds=0.1))
    assert results.arrivals == 300
    assert 0 < results.aside < 30
    assert 0 < results.facts < results.claims < 300


def test_an_update_denies_what_is_no_longer_needed(load_sprint, parts):
    arriving = load_sprint(f"{SPRINT}/knowledge/arriving.py")
    old, new = (
        Package("a", version=version, depends=needs) for version, needs in (("1", "b (>= 2), c"), ("2", "c | d"))
    )
    with parts.sqlite_store.SqliteStore() as store:
        store.add(list(arriving.debian([old, Package("b")], [new])))
        needs = {
            fact.object.removeprefix("package:"): (fact.since, fact.until) for fact in store.facts("package:a", "needs")
        }
        assert store.aside() == []
    assert needs == {"b": (0, 1), "c": (0, None), "d": (1, None)}


def test_messages_of_one_minute_are_all_kept(load_sprint, parts):
    arriving = load_sprint(f"{SPRINT}/knowledge/arriving.py")
    try:
        beginning = list(itertools.islice(arriving.messages(), 400))
    except ValueError as error:
        pytest.skip(str(error))
    with parts.sqlite_store.SqliteStore() as store:
        assert store.add(beginning) == 400
        assert sum(len(fact.records) for fact in store.facts(relation="wrote_to")) == 400
        assert store.dump(times=False) == parts.whole.known(beginning, parts.store.ByName(), {}, [])

"""Questions to the graph of sprint 26: paths in SQL = walks in networkx, as of any time; notes 14 and 15."""

import random
from types import SimpleNamespace

import networkx as nx
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SPRINT = "26_dynamic_knowledge_graph"
RELATIONS, STARTS = ("works_at", "likes"), ("person:ava", "person:av", "person:bo", "person:b", "shop:Sun", "shop:Star")
days = st.none() | st.integers(0, 6)
steps = st.lists(st.tuples(st.sampled_from(RELATIONS), st.sampled_from((True, False, None))), min_size=1, max_size=3)


@pytest.fixture
def parts(load_sprint):
    """Return the modules of the package by name."""
    names = ("queries", "store", "sqlite_store", "hearsay")
    return SimpleNamespace(**{name: load_sprint(f"{SPRINT}/knowledge/{name}.py") for name in names})


def store_of(parts, arrivals):
    world = parts.hearsay
    store = parts.sqlite_store.SqliteStore(None, world.Prefixes(), world.SOURCES, world.SINGLE)
    store.add(arrivals)
    return store


def graph_of(store, day=None, known=None):
    """Return the facts as a graph of networkx."""
    graph = nx.MultiDiGraph()
    for fact in store.facts(day=day, known=known):
        graph.add_edge(fact.subject, fact.object, key=(fact.relation, fact.since))
    return graph


def step_from(graph, found, relation, forward):
    ways = {True: ["out"], False: ["in"], None: ["out", "in"]}[forward]
    after = set()
    for way in ways:
        edges = graph.out_edges(found, keys=True) if way == "out" else graph.in_edges(found, keys=True)
        after |= {edge[way == "out"] for edge in edges if edge[2][0] == relation}
    return after


def walked(graph, entities, path):
    """Return where a path ends, hop by hop in networkx."""
    found = {name for name, nodes in entities.items() if path.start in nodes} & set(graph)
    for relation, forward in path.steps:
        found = step_from(graph, found, relation, forward)
    return sorted(found)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), walks=st.lists(st.tuples(st.sampled_from(STARTS), steps, days), min_size=5),
       share=st.floats(0, 1))  # fmt: skip
def test_paths_are_the_walks_of_networkx_now_and_as_of_any_time(parts, seed, walks, share):
    arrivals = parts.hearsay.hearsay(40, torch.Generator().manual_seed(seed))
    known = int(share * 40)
    with store_of(parts, arrivals) as store, store_of(parts, arrivals[:known]) as then:
        for reference, tick in ((store, None), (then, known)):
            entities = reference.entities()
            for start, some, day in walks:
                path = parts.queries.Path(start, tuple(some), day, tick)
                expected = walked(graph_of(reference, day), entities, path)
                assert parts.queries.ask(store, path) == expected
                assert parts.queries.how_many(store, path) == len(expected)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), one=steps, other=steps, day=days, known=st.integers(0, 40))
def test_what_two_paths_have_in_common_and_who_has_the_most(parts, seed, one, other, day, known):
    Path, Both, Most, ask = (getattr(parts.queries, name) for name in ("Path", "Both", "Most", "ask"))
    first, second = Path(STARTS[0], tuple(one), day, known), Path(STARTS[2], tuple(other), None, known)
    with store_of(parts, parts.hearsay.hearsay(40, torch.Generator().manual_seed(seed))) as store:
        entities, graph = store.entities(known), graph_of(store, day, known)
        ends = walked(graph, entities, first)
        common = set(ends) & set(walked(graph_of(store, None, known), entities, second))
        assert ask(store, Both(first, second)) == sorted(common)
        for forward in (True, False, None):
            counts = {end: len(step_from(graph, {end}, "likes", forward)) for end in ends}
            most = max([*counts.values(), 1])
            expected = sorted(end for end, count in counts.items() if count == most)
            assert ask(store, Most(first, ("likes", forward), day)) == expected


def test_a_question_goes_by_the_name_of_any_node_that_was_joined_then(parts):
    said, Path = parts.hearsay.said, parts.queries.Path
    arrivals = [said("r1", "ava", "likes", "Sun", 1), said("r2", "bo", "likes", "Moon", 1),
                parts.store.Decision("d1", "person:ava", "person:bo", True, 1)]  # fmt: skip
    with store_of(parts, arrivals) as store:
        now, before = (Path("person:bo", (("likes", True),), known=tick) for tick in (None, 2))
        assert parts.queries.ask(store, now) == ["shop:Moon", "shop:Sun"]
        assert parts.queries.ask(store, before) == ["shop:Moon"]
        back = [Path("shop:Moon", (("likes", False),), known=tick) for tick in (None, 2)]
        assert [parts.queries.ask(store, path) for path in back] == [["person:ava"], ["person:bo"]]
        assert parts.queries.ask(store, Path("person:ava", (("likes", True), ("likes", False)))) == ["person:ava"]


def test_who_likes_the_most_of_those_who_like_the_sun(parts):
    said, Path, Most = parts.hearsay.said, parts.queries.Path, parts.queries.Most
    pairs = (("ava", "Sun"), ("ava", "Moon"), ("bo", "Sun"), ("bob", "Moon"), ("bob", "Star"), ("bob", "Rain"))
    arrivals = [said(f"r{place}", one, "likes", other, 1) for place, (one, other) in enumerate(pairs)]
    arrivals.append(said("r9", "bo", "likes", "Star", 4))
    with parts.sqlite_store.SqliteStore() as store:
        store.add(arrivals)
        fans = Path("shop:Sun", (("likes", False),))
        assert parts.queries.ask(store, Most(fans, ("likes", True), day=3)) == ["person:ava"]
        assert parts.queries.ask(store, Most(fans, ("likes", True))) == ["person:ava", "person:bo"]
        assert parts.queries.how_many(store, fans) == 2


def test_sql_in_a_name_or_in_a_relation_is_a_name(parts):
    Path, evil = parts.queries.Path, "Sun') OR 1 = 1; DROP TABLE facts; --"
    with store_of(parts, [parts.hearsay.said("r1", "ava", "likes", evil, 1)]) as store:
        back = Path(f"shop:{evil}", (("likes", False),))
        assert parts.queries.ask(store, back) == ["person:ava"]
        assert parts.queries.ask(store, Path("person:ava", (("likes' OR '1' = '1", True),))) == []
        sql, values = parts.queries.show(back)
        assert "Sun" not in sql
        assert "likes" not in sql
        assert values == [f"shop:{evil}", "likes"]
        with pytest.raises(ValueError, match="invalid literal"):
            parts.queries.ask(store, Path("person:ava", (("likes", True),), known="1 OR 1 = 1"))


def test_many_walks_are_one_answer_and_do_not_slow_it(parts):
    """A ladder of 20 rungs has 2 ** 20 walks from end to end: without DISTINCT on each step they were all made."""
    said, Path = parts.hearsay.said, parts.queries.Path
    rng = random.Random(0)
    rungs = [said(f"r{place}{one}{other}", f"n{place}{one}", "likes", f"n{place + 1}{other}", 1)
             for place in range(20) for one in "ab" for other in "ab"]  # fmt: skip
    rng.shuffle(rungs)

    class Things(parts.store.ByName):
        def node(self, record, mention):  # noqa: ARG002
            return parts.store.Node(mention.text, "thing")

    with parts.sqlite_store.SqliteStore(None, Things()) as store:
        store.add(rungs)
        assert parts.queries.ask(store, Path("n0a", (("likes", True),) * 20)) == ["n20a", "n20b"]
        assert parts.queries.ask(store, Path("n20b", (("likes", False),) * 20)) == ["n0a", "n0b"]


def test_questions_that_make_no_sense_are_refused(parts):
    Path, Both = parts.queries.Path, parts.queries.Both
    with pytest.raises(ValueError, match="at least one step"):
        Path("person:ava", ())
    with pytest.raises(ValueError, match="known at one time; got 3 and None"):
        Both(Path("person:ava", (("likes", True),), known=3), Path("person:bo", (("likes", True),)))


def test_asking_by_hand_of_note_14(load_sprint, parts):
    script = load_sprint(f"{SPRINT}/asking_by_hand.py")
    results = script.main(script.Config())
    assert results.as_known == {"1": [], "2": [], "3": ["Rome"], "4": ["Rome"], "5": ["Pisa"], "6": ["Pisa"]}
    assert (results.known_once, results.on_day, results.day_once) == (["Oslo"], ["Rome"], ["Oslo"])
    assert (results.with_ava, results.number, results.busiest) == (["Ava", "Ben"], 2, ["Luna"])
    after_5 = script.main(script.Config(known=5))
    assert after_5.known_once == ["Pisa"]
    ask, Path = parts.queries.ask, parts.queries.Path
    with parts.sqlite_store.SqliteStore(None, script.Letters(), {"herald": 0.9}, ["works_at", "located_in"]) as store:
        store.add(script.ARRIVALS)
        question = Path("Ben", (*script.TOWN, ("located_in", False), script.WORKERS), 3, 3)
        assert ask(store, question) == []
        assert ask(store, Path("Ben", question.steps, 3, 4)) == ["Ava", "Ben"]
    assert round(0.9**3, 2) == 0.73


def test_two_and_three_hops_are_right_where_nobody_errs(load_sprint):
    script = load_sprint(f"{SPRINT}/multi_hop.py")
    results = script.main(script.Config(size=200, persons=15, shops=6, questions=25, seeds=2))
    assert results.as_the_walk == results.asked == 600
    for hops in ("2", "3"):
        assert results.right["nobody errs"][hops][0] >= 0.95
        assert results.day_once[hops][0] < results.right["sources err"][hops][0] < 0.95
        assert results.as_known[hops][0] < 1 == results.as_known["1"][0]
    assert (
        script.main(script.Config(size=100, persons=20, shops=8, questions=5, seeds=1)).facts["sources err"][1] is None
    )


def test_kinds_of_walks(load_sprint):
    typed_paths = load_sprint(f"{SPRINT}/knowledge/news_graph.py").typed_paths
    assert [len(typed_paths(hops)) for hops in (1, 2, 3)] == [9, 21, 45]
    assert ("shop", (("works_at", False), ("works_at", True))) not in typed_paths(2)
    assert ("person", (("works_at", True), ("works_at", False))) in typed_paths(2)

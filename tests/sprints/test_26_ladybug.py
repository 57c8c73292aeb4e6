"""The graph of sprint 26 in ladybug: it follows a store from any tick, and walks in Cypher are those of its facts."""

import random
from types import SimpleNamespace

import pytest
import torch

pytest.importorskip("ladybug", reason="ladybug is in the group databases")
SPRINT = "26_dynamic_knowledge_graph"


@pytest.fixture
def parts(load_sprint):
    names = ("store", "sqlite_store", "ladybug_store", "hearsay")
    return SimpleNamespace(**{name: load_sprint(f"{SPRINT}/knowledge/{name}.py") for name in names})


def test_the_graph_follows_the_store_and_can_fall_behind(parts, tmp_path):
    world = parts.hearsay
    arrivals = world.hearsay(60, torch.Generator().manual_seed(0))
    with (
        parts.sqlite_store.SqliteStore(None, world.Prefixes(), world.SOURCES, world.SINGLE) as store,
        parts.ladybug_store.LadybugGraph(tmp_path / "graph") as graph,
    ):
        for start in (0, 10, 45):
            store.add(arrivals[start : {0: 10, 10: 45, 45: 60}[start]])
            assert graph.tick == start
            assert graph.follow(store) > 0
            assert graph.follow(store) == 0
            rows = graph.ask(
                "MATCH (a:Entity)-[f:Fact]->(b:Entity) RETURN a.number, f.relation, b.number, f.since, f.until"
            )
            facts = store._rows("SELECT subject, relation, object, since, until FROM facts WHERE known_until IS NULL")
            assert sorted(map(repr, map(tuple, rows))) == sorted(map(repr, facts))


def test_walks_in_cypher_are_those_of_the_facts(parts, tmp_path):
    class Things(parts.store.ByName):
        def node(self, record, mention):  # noqa: ARG002
            return parts.store.Node(mention.text, "thing")

    rng = random.Random(0)
    with (
        parts.sqlite_store.SqliteStore(None, Things()) as store,
        parts.ladybug_store.LadybugGraph(tmp_path / "graph") as graph,
    ):
        for place in range(30):
            subject, relation, object = f"n{rng.randrange(6)}", rng.choice("ab"), f"n{rng.randrange(6)}"
            store.add([parts.hearsay.said(f"r{place}", subject, relation, object, rng.randrange(4))])
        graph.follow(store)
        for day, start in ((1, "n0"), (3, "n1"), (3, "n5")):
            found = {start}
            for relations in (("a",), ("a", "b"), ("a", "b", "b")):
                found = {fact.object for one in found for fact in store.facts(one, relations[-1], day=day)}
                assert graph.walk(start, relations, day) == sorted(found)
        assert graph.walk("n1", ("a", "b", "b"), 3)
        # Once this fails ladybug is mended, and `walk` can ask for all hops in one pattern.
        wrong = 0
        for start in (f"n{number}" for number in range(6)):
            pattern = "(e0:Entity {name: $start})-[:Fact {relation: 'a'}]->()-[:Fact {relation: 'b'}]->()"
            rows = graph.ask(f"MATCH {pattern}-[:Fact {{relation: 'b'}}]->(e3) RETURN DISTINCT e3.name", start=start)
            wrong += sorted(name for (name,) in rows) != graph.walk(start, ("a", "b", "b"), 3)
        assert wrong
        assert graph.walk("'}) DETACH DELETE n //", ("a",), 3) == []
        with pytest.raises(ValueError, match="at least one relation"):
            graph.walk("n0", (), 1)

"""What holds for the whole sprint: names that are one, what is known of them, and no order that matters."""

import random

SPRINT = "26_dynamic_knowledge_graph"


def test_news_in_any_order_and_twice_become_the_same_graph(load_sprint, tmp_path):
    news, names, sqlite = (
        load_sprint(f"{SPRINT}/knowledge/{name}.py") for name in ("example_news", "spoken_names", "sqlite_store")
    )
    arrivals = news.example_news()
    known = []
    for number in range(4):
        order = arrivals if number == 0 else random.Random(number).sample(arrivals * 2, 2 * len(arrivals))
        store = sqlite.SqliteStore(
            tmp_path / f"{number}.db", linker=names.SpokenNames(), sources=news.SOURCES, single=set(news.SINGLE)
        )
        with store:
            for arrival in order:
                store.add([arrival])
            known.append([store.facts(day=day) for day in (4, 9, 12)])
    assert known[0] == known[1] == known[2] == known[3]
    facts = {(fact.subject, fact.relation, fact.object) for fact in known[0][2]}
    works = {subject: thing for subject, relation, thing in facts if relation == "works_at"}
    assert len([subject for subject in works if "Berg" in subject]) == 2  # Ava and Eva Berg are two
    assert not [fact for fact in facts if fact[1] == "owns"]  # its only source took it back
    assert {fact.object for fact in known[0][1] if fact.relation == "works_at"} >= {"shop:Luna", "shop:Mira"}

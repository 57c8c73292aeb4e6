"""Kitchen news in sprint 26: places of mentions, the law of sources and delays, the truth, and memory."""

import gc
from collections import Counter, defaultdict
from itertools import islice
from random import Random

import pytest
from lesson_texts import by_name, importable

SPRINT = "26_dynamic_knowledge_graph"
on_path = importable(SPRINT)


def module(name: str):
    return by_name(f"knowledge.{name}")


@pytest.fixture(scope="module")
def news(on_path):  # noqa: ARG001
    return module("news").News(seed=3, size=1500)


def test_the_same_seed_gives_the_same_news_and_another_one_others(news):
    News = module("news").News
    assert list(islice(News(3, 1500).stream(), 200)) == list(news.pieces[:200])
    assert list(islice(News(4, 1500).stream(), 200)) != list(news.pieces[:200])


def test_every_mention_stands_where_it_says(news):
    kinds = Counter()
    for piece in news.pieces:
        ends = [(mention.start, mention.end) for mention in piece.mentions]
        assert ends == sorted(ends)
        for mention, entity in zip(piece.mentions, piece.entities, strict=True):
            assert piece.record.text[mention.start : mention.end] == mention.text != ""
            assert entity.startswith(mention.kind)
            kinds[mention.kind] += 1
        for claim in piece.claims:
            assert {claim.subject, claim.object} <= set(piece.mentions)
            assert claim.record == piece.record.key
    assert set(kinds) == {"person", "shop", "dish", "town"}


def test_sources_are_as_reliable_as_is_said_and_take_back_what_was_wrong():
    News, sources = module("news").News, module("news").SOURCES
    once = {piece.record.key: piece for piece in News(5, 3000).stream()}.values()
    taken_back = {piece.record.retracts for piece in once}
    right, back = defaultdict(list), defaultdict(list)
    for piece in once:
        if piece.claims and piece.claims[0].relation != "is_now":
            right[piece.record.source].append(piece.right)
            back[piece.right].append(piece.record.key in taken_back)
    for source, reliability in sources.items():
        count = len(right[source])
        error = 4 * (reliability * (1 - reliability) / count) ** 0.5
        assert sum(right[source]) / count == pytest.approx(reliability, abs=error)
    assert sum(back[False]) / len(back[False]) == pytest.approx(0.5, abs=0.09)
    assert 0 < sum(back[True]) / len(back[True]) < 0.02


def test_delays_have_their_law_and_a_retraction_can_come_first(news):
    delay, rng = module("news").delay, Random(0)
    days = Counter(delay(rng) for _ in range(20_000))
    assert days[0] / 20_000 == pytest.approx(0.6, abs=0.02)
    assert days[1] / 20_000 == pytest.approx(0.4 * 0.7, abs=0.02)
    assert days[2] / 20_000 == pytest.approx(0.4 * 0.3 * 0.7, abs=0.02)
    seen, early, twice = set(), 0, 0
    for record in news.records:
        early += bool(record.retracts) and record.retracts not in seen
        twice += record.key in seen
        seen.add(record.key)
    assert early > 0
    assert twice > 50


def test_facts_follow_from_what_happens():
    news, Happening = module("news_world"), module("news_world").Happening
    story = [
        (1, "works_at", "person:1", "shop:1", True),
        (2, "married_to", "person:2", "person:1", True),
        (3, "cooks", "person:1", "dish:a", True),
        (3, "cooks", "person:1", "dish:b", True),
        (4, "works_at", "person:1", "shop:2", True),
        (4, "works_at", "person:1", "shop:3", True),
        (5, "cooks", "person:1", "dish:a", False),
        (6, "married_to", "person:1", "person:2", False),
        (7, "works_at", "person:1", "shop:3", False),
        (8, "", "", "", True),
    ]
    happenings = [
        Happening(number, day, relation, subject, object, holds)
        for number, (day, relation, subject, object, holds) in enumerate(story)
    ]
    found = news.happened(happenings, {0: {"n0.1", "n0.0"}})
    assert [(fact.relation, fact.object, fact.since, fact.until) for fact in found] == [
        ("cooks", "dish:a", 3, 5),
        ("cooks", "dish:b", 3, None),
        ("married_to", "person:2", 2, 6),
        ("works_at", "shop:1", 1, 4),
        ("works_at", "shop:3", 4, 7),
    ]
    assert found[3].records == ("n0.0", "n0.1")


def test_the_truth_is_what_the_world_is_in_the_end(news):
    world = news.world()
    list(world.happenings(news.size))
    holds = {(fact.subject, fact.relation, fact.object) for fact in news.truth.facts if fact.until is None}
    now = {(one, relation, other) for relation, pairs in world.single.items() for one, other in pairs.items()}
    now = {(min(one, other), relation, max(one, other)) if relation == "married_to" else (one, relation, other)
           for one, relation, other in now}  # fmt: skip
    assert holds == now | {(one, "cooks", dish) for one, dishes in world.cooks.items() for dish in dishes}


def test_a_shop_keeps_its_number_when_it_is_renamed(news):
    renamed = [piece for piece in news.pieces if piece.claims and piece.claims[0].relation == "is_now"]
    assert renamed
    for piece in renamed:
        claim = piece.claims[0]
        one, other = (news.truth.mentions[piece.record.key, end.start] for end in (claim.subject, claim.object))
        names = news.truth.entities[one]
        assert one == other
        assert names.index(claim.subject.text) + 1 == names.index(claim.object.text)


def test_a_store_takes_the_news(news, tmp_path):
    """Retractions that come first, repetitions and wrong reports among them; most of what it believes is so."""
    store, single = by_name("knowledge.store"), module("news_world").SINGLE
    pieces = news.pieces[:300]
    readings = [store.Reading(piece.record, piece.claims) for piece in pieces]
    sources = module("news").SOURCES
    with by_name("knowledge.sqlite_store").SqliteStore(
        tmp_path / "news.db", linker=store.ByName(), sources=sources, single=set(single)
    ) as kept:
        kept.add(readings)
        assert kept.aside() == []
        assert kept.offset() == 300
        found = {(fact.subject, fact.object) for fact in kept.facts(relation="located_in")}
    wanted = {
        (f"{claim.subject.kind}:{claim.subject.text}", f"{claim.object.kind}:{claim.object.text}")
        for piece in pieces for claim in piece.claims if claim.relation == "located_in" and piece.right
    }  # fmt: skip
    assert len(found & wanted) > 0.6 * len(found) > 0


def test_halves_share_no_name_and_a_town_that_is_a_last_name_stays_one():
    words, _ = module("news_grammar").read_grammar()
    one, other = words.half(False), words.half(True)
    for field in ("first", "last", "town", "shop_first", "shop_last", "dish_first"):
        assert not set(getattr(one, field)) & set(getattr(other, field))
        assert len(getattr(one, field)) + len(getattr(other, field)) == len(getattr(words, field))
    assert all(set(half.last) & set(half.town) for half in (one, other))
    assert len(set(words.last) & set(words.town)) == 11


def test_slips_keep_the_first_letter():
    slip, rng = module("news_grammar").slip, Random(1)
    found = {slip("Berg", rng) for _ in range(300)}
    assert found == {"Breg", "Begr", "Brg", "Beg", "Berrg", "Beerg"}


def test_only_what_has_not_arrived_yet_is_in_memory():
    Piece, News = module("news").Piece, module("news").News

    def alive() -> int:
        return sum(type(thing) is Piece for thing in gc.get_objects())

    before = alive()
    stream = News(0, 3000).stream()
    counts = [alive() - before for _ in range(4) if list(islice(stream, 700))]
    assert 0 < max(counts) < 100


def test_a_world_too_small_is_refused():
    with pytest.raises(ValueError, match="4 persons"):
        module("news").News(0, 10, persons=1)
    with pytest.raises(ValueError, match="names for"):
        list(module("news").News(0, 10, shops=10_000).stream())

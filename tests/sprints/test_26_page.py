"""Sprint 26, the page: an entity as of any time, why its names are one, undo, and a browser that does all of it."""

import importlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from browser_pages import browsed

SPRINT = "26_dynamic_knowledge_graph"


@pytest.fixture(scope="module")
def part() -> Callable[[str], ModuleType]:
    """Load a module of the sprint's package."""

    def load(name: str) -> ModuleType:
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(Path(__file__).parents[2] / "sprints" / SPRINT))
            return importlib.import_module(f"knowledge.{name}")

    return load


def new_desk(part: Callable[[str], ModuleType], path: Path) -> Any:
    news = part("example_news")
    desk = part("desk").Desk(path, news.SOURCES, news.SINGLE)
    with desk.open() as store:
        store.add(news.example_news(), "example", start=0)
    return desk


@pytest.fixture
def desk(part, tmp_path) -> Any:
    return new_desk(part, tmp_path / "page.db")


def relations(seen: Any) -> set[tuple[str, str, str]]:
    return {(fact.subject, fact.relation, fact.object) for fact in seen.facts}


def test_an_entity_is_seen_as_of_a_day_and_as_it_was_known(desk):
    """Ava moves from Luna to Mira on day 10, which is known after 12 arrivals."""
    early = desk.see("person:Ava Berg", day=9, known=15)
    late = desk.see("person:Ava Berg", day=10, known=15)
    assert ("person:A. Berg", "works_at", "shop:Luna") in relations(early)
    assert ("person:A. Berg", "works_at", "shop:Mira") in relations(late)
    assert ("person:A. Berg", "works_at", "shop:Luna") not in relations(late)
    before = desk.see("person:Ava Berg", day=10, known=10)
    assert ("person:A. Berg", "works_at", "shop:Luna") in relations(before)
    assert desk.see("person:Ava Berg", day=10, known=2).names == ("person:Ava Berg",)
    assert desk.see("person:B. Kaya", day=8, known=8) is None
    # The rumour of r10 dies with the fifteenth arrival.
    rumour = ("person:B. Kaya", "owns", "shop:Luna")
    assert rumour in relations(desk.see("shop:Luna", day=9, known=10))
    assert desk.see("person:Ben Kaya", day=9, known=9) is not None
    assert not any(fact.relation == "owns" for fact in desk.see("shop:Luna", day=9, known=9).facts)
    assert rumour in relations(desk.see("shop:Luna", day=9, known=14))
    assert rumour not in relations(desk.see("shop:Luna", day=9, known=15))


def test_the_numbers_of_note_16(part, desk):
    found = {(pair.one, pair.other): pair for pair in desk.compared("person:Ava Berg")}
    joined = found["person:A. Berg", "person:Ava Berg"]
    assert (joined.bits, joined.same) == (3, True)
    assert joined.reasons == [
        ("before any evidence: seldom one", -4),
        ("the last names are the same", 5),
        ("one is the initial of the other", 2),
    ]
    assert (found["person:Ava Berg", "person:Eva Berg"].bits, found["person:Ava Berg", "person:Eva Berg"].same) == (
        -5,
        False,
    )
    assert (found["person:Berg", "person:Eva Berg"].bits, found["person:Berg", "person:Eva Berg"].same) == (1, False)
    linker = part("spoken_names").SpokenNames()
    weights = {("person:A. Berg", "person:Ava Berg"): 3.0, ("person:A. Berg", "person:Berg"): 1.0,
               ("person:Ava Berg", "person:Berg"): 1.0, ("person:Berg", "person:Eva Berg"): 1.0,
               ("person:A. Berg", "person:Eva Berg"): -5.0, ("person:Ava Berg", "person:Eva Berg"): -5.0}  # fmt: skip
    for (one, other), weight in weights.items():
        assert linker.weight(linker.named(one), linker.named(other)) == weight
        assert linker.weight(linker.named(other), linker.named(one)) == weight
    names = sorted({name for pair in weights for name in pair})
    assert sorted(map(list, linker.clusters(names, weights))) == [names[:3], names[3:]]
    assert linker.weight(linker.named("person:Bo Li"), linker.named("person:Cy Li")) == -5
    assert linker.weight(linker.named("person:Bo Li"), linker.named("person:Bea Li")) == -2
    assert linker.weight(linker.named("person:Bo Li"), linker.named("person:Bo Lo")) == 0
    assert linker.weight(linker.named("shop:Bo Li"), linker.named("person:Bo Li")) == 0


def test_one_decision_moves_a_name_and_its_facts_and_another_brings_it_back(desk):
    moved = ("person:A. Berg", "lives_in", "town:Pisa")
    assert moved in relations(desk.see("person:Ava Berg", 12, 15))
    desk.decide("person:Berg", "person:Ava Berg", same=False)
    assert desk.see("person:Berg", 12, 16).names == ("person:Berg", "person:Eva Berg")
    assert moved not in relations(desk.see("person:Ava Berg", 12, 16))
    assert ("person:Berg", "lives_in", "town:Pisa") in relations(desk.see("person:Eva Berg", 12, 16))
    assert moved in relations(desk.see("person:Ava Berg", 12, 15)), "what was known before is still known to have been"
    decided = {(pair.one, pair.other): pair.decided for pair in desk.compared("person:Berg")}
    assert [pair for pair, said in decided.items() if said] == [("person:Ava Berg", "person:Berg")]
    desk.decide("person:Ava Berg", "person:Berg", same=True)
    assert desk.see("person:Berg", 12, 17).names == ("person:A. Berg", "person:Ava Berg", "person:Berg")
    for pair in (("person:Berg", "person:Berg"), ("person:Berg", "person:Nobody")):
        with pytest.raises(ValueError, match="two different names that are known"):
            desk.decide(*pair, same=True)


def test_what_stands_on_the_page_is_escaped_and_short(part, tmp_path):
    kinds, store_part = part("kinds"), part("store")
    evil = "<script>alert(1)</script> O'Neil\"; DROP TABLE facts;--"
    long = "x" * 200  # a longer name is kept aside by the store
    desk = new_desk(part, tmp_path / "page.db")
    with desk.open() as store:
        for number, name in enumerate((evil, long)):
            text = f"{name} likes Luna"
            start = len(text) - 4
            mentions = kinds.Mention(0, len(name), name, "person"), kinds.Mention(start, len(text), "Luna", "shop")
            record = kinds.Record(f"e{number}", "<b>herald</b>", 12, text)
            store.add(
                [store_part.Reading(record, (kinds.Claim(record.key, mentions[0], "likes", mentions[1], 12),))],
                "example",
            )
    shown = part("page").show(desk, "shop:Luna", 12, 17)
    assert "<script" not in shown
    assert "<b>herald" not in shown
    assert "&lt;script&gt;" in shown
    svg = shown.partition("</svg>")[0]
    assert long[:23] + "…" in svg
    assert long not in svg
    assert "Nobody had heard" in part("page").show(desk, "person:Nobody", 12, 17)
    for name, day in ((None, 1), ("x" * 10_001, 1), ("person:Berg", "1"), ("person:Berg", float("nan"))):
        with pytest.raises(ValueError, match=r"choose an entity|whole numbers"):
            part("page").show(desk, name, day, 1)
    with pytest.raises(ValueError, match="choose two names first"):
        part("page").decide(desk, None, same=True)


@pytest.fixture(scope="module")
def server(part, tmp_path_factory) -> Iterator[Any]:
    started = part("page").serve(new_desk(part, tmp_path_factory.mktemp("page") / "page.db"))
    yield started
    started.close()


def test_a_program_asks_as_the_page_does(server):
    address = f"{server.url}gradio_api/call/show"
    posted = httpx.post(address, json={"data": ["person:Ava Berg", 9, 15]}, timeout=60)
    answer = httpx.get(f"{address}/{posted.json()['event_id']}", timeout=60).text
    event, data = answer.strip().split("\n\n")[-1].split("\n", 1)
    assert event == "event: complete"
    assert "Ava Berg works at Luna." in json.loads(data.removeprefix("data: "))[0]


@pytest.fixture
def page(server: Any) -> Iterator[Any]:
    with browsed(server.url, "#apart", (1000, 1300)) as opened:
        yield opened


def until(page: Any, holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < end, page.locator("#page").inner_text()
        page.wait_for_timeout(50)


def test_a_browser_goes_back_in_time_and_undoes_a_merge(page):
    names, text = page.locator("#page .names"), page.locator("#page")
    until(page, lambda: names.inner_text() == "Known as: A. Berg, Ava Berg, Berg")
    assert "Mira" in text.locator("svg").text_content()
    page.locator("#day input[type=number]").fill("9")
    page.locator("#day input[type=number]").press("Enter")
    until(page, lambda: "Ava Berg works at Luna." in text.inner_text())
    page.locator("#known input[type=number]").fill("2")
    page.locator("#known input[type=number]").press("Enter")
    # Texts of all that are there: asked one by one, an element may be gone before its text is read.
    until(page, lambda: names.all_inner_texts() in ([], ["Known as: Ava Berg"]))
    page.locator("#pair input").fill("person:Ava Berg | person:Berg")
    page.locator("#pair input").press("Enter")
    page.locator("#apart").click()
    until(page, lambda: names.all_inner_texts() == ["Known as: A. Berg, Ava Berg"])
    assert "as somebody said" in text.inner_text()
    page.locator("#together").click()
    until(page, lambda: names.inner_text() == "Known as: A. Berg, Ava Berg, Berg")
    assert (page.foreign, page.faults) == ([], [])


def test_the_script_serves_reads_nothing_twice_and_keeps_broken_lines_aside(load_sprint, tmp_path, capsys):
    script = load_sprint(f"{SPRINT}/page.py")
    line = {
        "key": "a",
        "source": "herald",
        "day": 1,
        "text": "Bo Li likes tea",
        "claims": [[[0, 5, "person"], "likes", [12, 15, "dish"], True]],
    }
    file = tmp_path / "own.jsonl"
    file.write_text(json.dumps(line) + "\nnot JSON\n")
    for _ in range(2):
        results = script.main(script.Config(data=file, seconds=0.0, out=tmp_path))
        assert (results.arrivals, results.kept_aside, results.entities) == (2, 1, 2)
    assert "kept aside: a record is JSON" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        script.main(script.Config(record="default"))

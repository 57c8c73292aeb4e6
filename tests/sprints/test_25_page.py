"""Sprint 25, the page: a question in, an answer with its sources in place out, and a browser that asks."""

import importlib
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from browser_pages import browsed

SPRINT = "25_retrieval_augmented_generation"
FILES = {
    "tea.md": "# Tea\n\nLeaves.\nGreen tea needs water of 70 degrees.\nBlack tea needs it boiling.\n\n<b>Milk</b>",
    "bread.txt": "Rye bread needs sourdough.\nIt is baked at 220 degrees.",
}
QUESTION, SENTENCE = "Which water does green tea need?", "Green tea needs water of 70 degrees."


@pytest.fixture(scope="module")
def part() -> Callable[[str], ModuleType]:
    """Load a module of the sprint's package."""

    def load(name: str) -> ModuleType:
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(Path(__file__).parents[2] / "sprints" / SPRINT))
            return importlib.import_module(f"retrieval.{name}")

    return load


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("own")
    for name, text in FILES.items():
        (target / name).write_text(text)
    return target


@pytest.fixture(scope="module")
def asker(part, folder, tmp_path_factory) -> Any:
    store = part("store").Store(tmp_path_factory.mktemp("index"), part("encoders").WORDS_ONLY, longest=90)
    store.update(part("folder").find_files(folder))
    return part("asking").Asker(store.load(), part("encoders").WORDS_ONLY, enough=0.4)


def test_the_answer_comes_word_by_word_and_names_its_place(part, asker):
    steps = list(part("page").say(asker, QUESTION))
    texts = [text for _, text in steps]
    assert texts[:3] == ["Green", "Green tea", "Green tea needs"]
    assert texts[-1] == f"{SENTENCE} [tea.md, line 4]"
    assert f"<mark>{SENTENCE}</mark>" in steps[-1][0]
    assert steps[-1][0].count("<mark>") == 1


def test_sources_stand_in_their_lines_and_are_escaped(part, asker):
    answer = asker.ask(QUESTION)
    source = next(one for one in answer.sources if one.chunk.document == "tea.md" and one.place.first <= 4)
    shown = part("page_html").in_place(asker.indexed.documents["tea.md"], source, answer.sentence)
    numbers = re.search(r'"numbers">([\d\n]+)<', shown)[1].split("\n")
    lines = re.sub("<[^>]+>", "", re.search(r'"text">(.*)</pre>', shown, re.DOTALL)[1]).split("\n")
    assert len(numbers) == len(lines)
    file = FILES["tea.md"].split("\n")
    for number, line in zip(numbers, lines, strict=True):
        assert line.replace("&lt;", "<").replace("&gt;", ">") == file[int(number) - 1]
    assert "<b>" not in shown
    assert "&lt;b&gt;Milk" in shown


def test_lines_of_a_page_of_a_pdf_are_counted_from_its_beginning(part):
    folder, asking, kinds = part("folder"), part("asking"), part("kinds")
    document = folder.Document("a.pdf", "one\ntwo\nthree\nfour", (0, 8))
    chunk = kinds.Chunk("a.pdf", 14, 18, "four")
    shown = part("page_html").in_place(document, asking.Source(chunk, document.place(14, 18)), None)
    assert 'numbers">1\n2<' in shown
    assert 'text">three\n<span class="piece">four</span>' in shown


def test_what_is_not_known_is_said_and_nothing_is_marked(part, asker):
    *_, (shown, text) = part("page").say(asker, "Who paints the bread museum of Ulaanbaatar in March?")
    assert text == part("asking").UNKNOWN
    assert "unknown" in shown
    assert "<mark>" not in shown
    *_, (shown, text) = part("page").say(asker, "zzz")
    assert text == part("asking").UNKNOWN


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("", "write a question"),
        (None, "write"),
        (["a"], "write"),
        ("a" * 301, "at most 300 characters; this one has 301"),
    ],
)
def test_bad_questions_are_refused(part, asker, question, message):
    with pytest.raises(ValueError, match=message):
        list(part("page").say(asker, question))


@pytest.fixture(scope="module")
def server(part, asker) -> Iterator[Any]:
    started = part("page").serve(asker, "own <texts>")
    yield started
    started.close()


def test_a_program_asks_as_the_page_does(server, capfd):
    address = f"{server.url}gradio_api/call/ask"

    def ask(question: Any) -> tuple[str, Any]:
        posted = httpx.post(address, json={"data": [question]}, timeout=60)
        answer = httpx.get(f"{address}/{posted.json()['event_id']}", timeout=60).text
        event, data = answer.strip().split("\n\n")[-1].split("\n", 1)
        return event, json.loads(data.removeprefix("data: "))

    event, (_, text) = ask(QUESTION)
    assert (event, text) == ("event: complete", f"{SENTENCE} [tea.md, line 4]")
    event, error = ask(" ")
    assert (event, error["error"]) == ("event: error", "write a question")
    assert "Traceback" not in "".join(capfd.readouterr())
    assert httpx.post(f"{server.url}gradio_api/upload", files={"files": ("a.md", b"x")}, timeout=60).status_code == 404


@pytest.fixture
def page(server: Any) -> Iterator[Any]:
    with browsed(server.url, "#ask", (1000, 900)) as opened:
        yield opened


def test_a_browser_asks_and_sees_the_sentence_marked(page):
    page.locator("#question input, #question textarea").first.fill(QUESTION)
    page.locator("#ask").click()
    end, text = time.monotonic() + 120, page.locator("#text textarea")
    while text.input_value() != f"{SENTENCE} [tea.md, line 4]":
        assert time.monotonic() < end, text.input_value()
        page.wait_for_timeout(50)
    assert page.locator("#page mark").inner_text() == SENTENCE
    assert page.locator("#page mark").is_visible()
    assert page.locator("#page summary").first.inner_text().startswith("tea.md, lines")
    page.locator("#question input, #question textarea").first.fill("Who paints museums in March?")
    page.locator("#question input, #question textarea").first.press("Enter")
    page.locator("#page .answer", has_text="I do not know").wait_for()
    page.locator("#question input, #question textarea").first.fill(" ")
    page.locator("#ask").click()
    page.get_by_text("write a question").first.wait_for()
    assert (page.foreign, page.faults) == ([], [])


def test_the_demo_serves_until_it_is_told_to_stop(load_sprint, folder, tmp_path, capsys):
    script = load_sprint(f"{SPRINT}/demo.py")
    results = script.main(script.Config(folder=folder, seconds=0.0, out=tmp_path))
    assert results.url in capsys.readouterr().out
    assert results.pieces == 2
    with pytest.raises(httpx.ConnectError):
        httpx.get(results.url)
    with pytest.raises(SystemExit):
        script.main(script.Config(record="default"))

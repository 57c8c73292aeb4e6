"""Sprint 22, the page: pictures in, captions out, what a word looked at, and a browser that lays a table."""

import base64
import io
import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
import torch
from browser_pages import browsed
from PIL import Image

SPRINT = "22_pictures_and_words"
SPRINT_FOLDER = Path(__file__).parents[2] / "sprints" / SPRINT


@pytest.fixture(scope="module")
def part() -> Callable[[str], ModuleType]:
    """Load a module of the sprint's package."""
    import importlib

    def load(name: str) -> ModuleType:
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(SPRINT_FOLDER))
            return importlib.import_module(f"seeing.{name}")

    return load


@pytest.fixture(scope="module")
def model(part) -> tuple[Any, Any]:
    """Return a tiny model that has learnt nothing, and its tokenizer."""
    table, vision = part("table_gpt"), part("vision_language")
    from shared.nn.gpt import GPT, GPTConfig
    from shared.nn.pretrained import load_tokenizer
    from shared.nn.vision_config import VisionConfig
    from shared.nn.vision_transformer import VisionTransformer

    generator, tokenizer = torch.Generator().manual_seed(0), load_tokenizer()
    assert table.TIED
    gpt = GPT(GPTConfig(vocab_size=len(tokenizer), context=128, layers=2, heads=2, d_model=16), generator)
    encoder = VisionTransformer(VisionConfig(patch=8, layers=1, heads=2, d_model=16), generator)
    reader = vision.VisionLanguageModel(encoder, vision.Projector(16, 16, generator), gpt).eval()
    with torch.no_grad():  # a picture has to matter, and the end token must not come first
        reader.encoder.position_embedding.mul_(50)
        reader.projector[2].weight.mul_(20)
    return reader, tokenizer


@pytest.fixture(scope="module")
def folder(part, model, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("model") / "table"
    part("table_gpt").save_table_gpt(model[0], target)
    return target


@pytest.fixture
def scene(part) -> Any:
    return part("scenes").scenes("test", 5, 1)[0]


def png(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def test_a_picture_survives_as_text(part, scene):
    picture, pages = part("drawing").render(scene), part("page_pictures")
    assert torch.equal(pages.from_uri(pages.to_uri(picture)), picture)
    grey = Image.new("L", (20, 40), 100)
    assert pages.from_uri(png(grey)).unique().tolist() == [100]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (7, "begins with data:image/png;base64,; got '7'"),
        ("<img src=x onerror=alert(1)>", "got '<img src=x onerror=alert(1)>'"),
        ("data:image/png;base64,Zm9vI", "must be base64"),
        ("data:image/png;base64,Zm9v", "no picture that can be read"),
        ("data:image/png;base64,", "the file is empty"),
        (png(Image.new("RGB", (64, 64), "red"))[:120] + "AA==", "broken"),
        (png(Image.new("1", (10_000, 6_000))), "make it smaller"),
    ],
)
def test_what_is_no_picture_is_refused_with_a_sentence(part, text, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        part("page_pictures").from_uri(text)


def test_empty_pictures_are_recognised(part, scene):
    pages, render = part("page_pictures"), part("drawing").render
    assert pages.is_empty(pages.empty_table())
    assert pages.is_empty(torch.full((3, 48, 48), 255, dtype=torch.uint8))
    blue = torch.zeros(3, 48, 48, dtype=torch.uint8)
    blue[2] = 200
    assert pages.is_empty(blue)
    assert not pages.is_empty(render(scene))
    table = render(scene)  # without its things it is the empty one
    for item in scene.items:
        rows, columns = slice(16 * item.row, 16 * item.row + 16), slice(16 * item.column, 16 * item.column + 16)
        table[:, rows, columns] = part("drawing").empty_place()
    assert torch.equal(table, pages.empty_table())


def test_things_are_put_on_a_table(part):
    page, pages, decode = part("demo_page"), part("page_pictures"), part("drawing").decode
    empty = pages.to_uri(pages.empty_table())
    one = page.put(empty, "plate", "red", "large", 4)
    two = page.put(one, "glass", "blue", "small", 0)
    found = {(item.kind, item.colour, item.size, item.row, item.column) for item in decode(pages.from_uri(two)).items}
    assert found == {("plate", "red", "large", 1, 1), ("glass", "blue", "small", 0, 0)}
    moved = page.put(two, "plate", "white", "large", 8)  # the plate is moved, and there is one
    assert [(item.kind, item.column) for item in decode(pages.from_uri(moved)).items] == [("glass", 0), ("plate", 2)]
    instead = page.put(two, "bowl", "green", "large", 4)  # what lay there is gone
    assert {item.kind for item in decode(pages.from_uri(instead)).items} == {"glass", "bowl"}
    assert page.put("no picture", "plate", "red", "large", 4) == one
    four = page.put(page.put(two, "knife", "black", "large", 1), "bowl", "black", "large", 2)
    with pytest.raises(ValueError, match="at most 4 things"):
        page.put(four, "napkin", "red", "small", 8)
    for wrong in (("plate", "pink", "large", 0), ("plate", "red", "large", 9), ("plate", "red", "large", -1)):
        with pytest.raises(ValueError, match="must be one of"):
            page.put(one, *wrong)


def test_a_caption_that_is_watched_is_the_one_that_is_written(part, model, scene):
    reader, tokenizer = model
    pictures = part("drawing").pictures([scene])
    said = list(part("watching").watch(reader, tokenizer, pictures[0], 12))
    assert 1 < len(said) <= 12
    written = part("saying")._write(reader, pictures, [[]], tokenizer, 12)[0]
    assert "".join(one.text for one in said) == written
    for one in said:
        assert len(one.looked) == 36
        assert 0 < sum(one.looked) < 1
    other = part("drawing").pictures(part("scenes").scenes("test", 6, 1))[0]
    assert [one.looked for one in part("watching").watch(reader, tokenizer, other, 12)] != [one.looked for one in said]


def test_a_token_looks_from_the_place_before_it(part, model, scene):
    reader, tokenizer = model
    pictures, end = part("drawing").pictures([scene]), part("describing").end_of(tokenizer)
    said = list(part("watching").watch(reader, tokenizer, pictures[0], 4))
    ids = tokenizer("".join(one.text for one in said), add_special_tokens=False)["input_ids"]
    weights = reader.attention_to_patches(pictures, torch.tensor([[end, *ids]]))
    torch.testing.assert_close(torch.tensor(said[2].looked), weights[0, :, :, 2].mean(dim=(0, 1)))


def test_what_the_page_shows_is_escaped_and_darkens_what_was_not_looked_at(part):
    said = part("watching").Said("<script>", [0.1, 0.2, 0.0, 0.05])
    shown = part("page_html").shown(part("page_pictures").empty_table(), [said], "<b>")
    assert "<script" not in shown
    assert "<b>" not in shown
    assert [float(cell[:4]) for cell in shown.split("--dark:")[1:]] == [0.5, 0.0, 1.0, 0.75]
    assert "repeat(2,1fr)" in shown


def test_the_map_of_the_note():
    heads = torch.tensor([[0.60, 0.10, 0.05, 0.05], [0.10, 0.10, 0.10, 0.10]])
    mean = heads.mean(dim=0)
    note = (SPRINT_FOLDER / "notes" / "12_a_page_that_sees.md").read_text(encoding="utf-8")
    for numbers, form in ((mean / mean.sum(), ".3f"), (mean / mean.max(), ".2g")):
        assert f"({', '.join(f'{number:{form}}' for number in numbers.tolist())})" in note
    assert "(0.35, 0.10, 0.075, 0.075). Together 0.60" in note
    assert mean.sum().item() == pytest.approx(0.60)
    bowl = torch.tensor([[0.45] + [0.05] * 8, [0.1 / 9] * 9])  # exercise Z
    mean = bowl.mean(dim=0)
    assert mean.tolist()[:2] == pytest.approx([0.2306, 0.0306], abs=1e-4)
    assert (mean[0] / mean.sum()).item() == pytest.approx(0.485, abs=1e-3)
    assert (bowl[:, 0] / bowl.sum(dim=1)).mean().item() == pytest.approx(0.320, abs=1e-3)


def test_a_bomb_is_small():
    assert len(png(Image.new("1", (10_000, 6_000)))) < 40_000


def test_an_empty_picture_gets_a_sentence(part, model):
    pages, page = part("page_pictures"), part("demo_page")
    ((shown, text),) = page.say(*model, pages.to_uri(pages.empty_table()))
    assert text.startswith("There is nothing on this picture.")
    assert text in shown


def test_places_gather_their_patches(part):
    place_shares = part("where_words_look").place_shares
    patches = torch.arange(36.0)
    expected = [0 + 1 + 6 + 7, 2 + 3 + 8 + 9, 4 + 5 + 10 + 11]
    assert place_shares(patches)[:3].tolist() == expected
    assert torch.equal(place_shares(torch.arange(9.0)), torch.arange(9.0))
    assert place_shares(torch.rand(2, 3, 36)).shape == (2, 3, 9)


def test_spots_are_the_words_for_colours_and_kinds(part, model):
    words, (_, tokenizer) = part("where_words_look"), model
    for scene, caption in part("captions").pairs("test", 0, 20):
        ids, found = words.spots(scene, caption, tokenizer)
        assert len(found) == 2 * len(scene.items)
        for spot in found:
            rest = tokenizer.decode(ids[spot.index :]).strip()
            assert rest.startswith(getattr(spot.item, spot.part)), (caption, spot)
    with pytest.raises(ValueError, match="there is no spoon"):
        words.spots(scene, "a red spoon.", tokenizer)


def test_what_is_removed_is_a_thing_of_the_scene(part, model):
    words, (reader, tokenizer) = part("where_words_look"), model
    scene, caption = next(pair for pair in part("captions").pairs("test", 20, 20) if len(pair[0].items) == 3)
    ids, found = words.spots(scene, caption, tokenizer)
    lost = words.lost_without(reader, scene, ids, found, scene.items[1])
    assert [sum(own for own, _ in lost[part]) for part in words.PARTS] == [1, 1]
    rest = part("scenes").Scene((scene.items[0], scene.items[2]))
    logits = [
        reader(part("drawing").pictures([one]), torch.tensor([ids])).log_softmax(dim=-1)[0] for one in (scene, rest)
    ]
    spot = found[0]
    expected = (logits[0] - logits[1])[spot.index - 1, ids[spot.index]].item()
    assert lost[spot.part][0][1] == pytest.approx(expected, abs=1e-5)
    looked = words.looks_at_own_place(reader, scene, ids, found)
    assert looked["kind"].shape == (3, 2, 2)


def test_a_head_that_does_not_look_at_the_picture_has_a_share_of_0(part, model, monkeypatch):
    reader, tokenizer = model
    scene, caption = next(iter(part("captions").pairs("test", 0, 1)))
    words = part("where_words_look")
    ids, found = words.spots(scene, caption, tokenizer)
    blind = reader.attention_to_patches

    def without_a_head(pictures, tokens):
        weights = blind(pictures, tokens).clone()
        weights[:, 0, 1] = 0.0
        return weights

    monkeypatch.setattr(reader, "attention_to_patches", without_a_head)
    looked = words.looks_at_own_place(reader, scene, ids, found)["kind"]
    assert looked[:, 0, 1].tolist() == [0.0] * len(looked)
    assert (looked[:, 0, 0] > 0).all()


# The page itself


@pytest.fixture(scope="module")
def server(part, model) -> Iterator[Any]:
    started = part("demo_page").serve(*model)
    yield started
    started.close()


def look(server: Any, picture: Any) -> tuple[bool, Any]:
    """Send a picture as a program does; return whether it was answered, and the last data or the error."""
    address = f"{server.url}gradio_api/call/look"
    posted = httpx.post(address, json={"data": [picture]}, timeout=30)
    answer = httpx.get(f"{address}/{posted.json()['event_id']}", timeout=30).text
    event, data = answer.strip().split("\n\n")[-1].split("\n", 1)
    return event == "event: complete", json.loads(data.removeprefix("data: "))


def test_a_program_gets_the_models_caption(part, server, model, scene):
    answered, (shown, text) = look(server, part("page_pictures").to_uri(part("drawing").render(scene)))
    assert answered
    assert text == part("saying").captions_by(model[0], part("drawing").pictures([scene]), model[1])[0].strip()
    assert shown.count('class="word"') > 3


@pytest.mark.parametrize("picture", [None, 7, "x", ["a"], {"path": "/etc/hostname"}, "data:image/png;base64,Zm9v"])
def test_bad_pictures_get_a_message(server, capfd, picture):
    answered, error = look(server, picture)
    assert not answered
    assert "picture" in error["error"]
    assert "Traceback" not in "".join(capfd.readouterr())


def test_files_come_in_and_nothing_goes_out(server):
    posted = httpx.post(f"{server.url}gradio_api/upload", files={"files": ("a.png", b"not a picture")}, timeout=30)
    assert posted.status_code == 200
    (path,) = posted.json()
    assert httpx.get(f"{server.url}gradio_api/file={path}", timeout=30).status_code == 404
    assert httpx.post(f"{server.url}gradio_api/upload", content=b"x" * 21_000_000, timeout=30).status_code == 413


@pytest.fixture
def page(server: Any) -> Iterator[Any]:
    with browsed(server.url, "#lay", (1100, 800)) as opened:
        yield opened


def wait_for_text(page: Any, expected: str, seconds: int = 120) -> None:
    end, text = time.monotonic() + seconds, page.locator("#text textarea")
    while text.input_value() != expected:
        assert time.monotonic() < end, (text.input_value(), expected)
        page.wait_for_timeout(50)


def test_a_browser_lays_a_table_and_drops_pictures(part, page, model, tmp_path):
    scenes, drawing, pages = part("scenes"), part("drawing"), part("page_pictures")

    def caption(scene: Any) -> str:
        return part("saying").captions_by(model[0], drawing.pictures([scene]), model[1])[0].strip()

    # A table is laid, and its caption comes.
    page.locator("#number input").fill("7")
    page.locator("#lay").click()
    wait_for_text(page, caption(scenes.scenes("test", 7, 1)[0]))
    assert page.locator("#number input").input_value() == "8"
    # Pointing at a word shows what it looked at.
    word = page.locator("#page .word", has_text=re.compile("[a-z]{2}")).first
    assert not word.locator(".cover").is_visible()
    word.hover()
    assert word.locator(".cover").is_visible()
    assert word.locator(".cover i").count() == 36
    # An empty table is a sentence.
    page.locator("#clear").click()
    page.locator("#page", has_text="There is nothing on this picture").wait_for()
    # A click puts a thing into the place where it was: the middle column of the upper row.
    page.locator("#kind").get_by_label("glass").check()
    page.locator("#colour").get_by_label("blue").check()
    page.locator("#page .picture").click(position={"x": 190, "y": 40})
    drawn = scenes.Scene((scenes.Item("glass", "blue", "large", 0, 1),))
    wait_for_text(page, caption(drawn))
    # A picture is dropped; a broken one is a message, and the page goes on.
    other = scenes.scenes("test", 9, 1)[0]
    Image.fromarray(drawing.render(other).permute(1, 2, 0).numpy()).save(tmp_path / "table.png")
    (tmp_path / "broken.png").write_bytes((tmp_path / "table.png").read_bytes()[:200])
    page.locator("#file input[type=file]").set_input_files(tmp_path / "broken.png")
    page.get_by_text("broken.png: the picture is broken").first.wait_for(timeout=60_000)
    page.locator("#file button[aria-label='Clear'], #file button[aria-label='Remove this file']").first.click()
    page.locator("#file input[type=file]").set_input_files(tmp_path / "table.png")
    wait_for_text(page, caption(other))
    assert (page.foreign, page.faults) == ([], [])
    assert pages.URI in page.locator("#page img").get_attribute("src")


# The scripts


def test_the_memory_is_measured_and_captions_are_the_models(load_sprint, folder):
    script = load_sprint(f"{SPRINT}/flat_memory.py")
    results = script.main(script.Config(model=folder, pictures=8, every=2, compared=3))
    assert (results.answered, results.equal) == (8, 3)
    assert [number for number, _ in results.megabytes] == [2, 4, 6, 8]
    script.plot(results)
    with pytest.raises(ValueError, match="got 8 pictures and a look every 4"):
        script.Config(pictures=8, every=4).check()


def test_where_it_looks_runs_small(load_sprint, folder):
    script = load_sprint(f"{SPRINT}/where_it_looks.py")
    results = script.main(script.Config(model=folder, scenes=6))
    assert results == script.main(script.Config(model=folder, scenes=6))
    assert 0 < results.own_place["kind"][0] < 1
    script.plot(results)


def test_the_demo_serves_until_it_is_told_to_stop_and_has_nothing_to_record(load_sprint, folder, capsys, tmp_path):
    script = load_sprint(f"{SPRINT}/demo.py")
    results = script.main(script.Config(model=folder, seconds=0.0))
    assert results.url in capsys.readouterr().out
    with pytest.raises(httpx.ConnectError):
        httpx.get(results.url)
    with pytest.raises(SystemExit):
        script.main(script.Config(record="default"))
    with pytest.raises(ValueError, match="there is no model in"):
        script.main(script.Config(model=tmp_path, seconds=0.0))

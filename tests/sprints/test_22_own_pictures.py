"""Own pictures in sprint 22: what is read, how, and what is refused with a sentence."""

import io
import json
import zlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image

SPRINT = "22_pictures_and_words"


@pytest.fixture
def files(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/seeing/picture_squares.py")


@pytest.fixture
def own(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/seeing/own_pictures.py")


def noise(height: int, width: int, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def packed(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def plain(size: tuple[int, int], mode: str, value) -> Image.Image:
    return Image.new(mode, size, value)


@pytest.mark.parametrize(("height", "width"), [(60, 91), (91, 60), (20, 33), (48, 48)])
def test_a_picture_becomes_the_square_that_preprocessing_makes(files, load_sprint, height: int, width: int):
    image = noise(height, width)
    preprocessing = load_sprint(f"{SPRINT}/seeing/preprocessing.py").Preprocessing(size=24)
    whole = torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)
    square = files.read_square(packed(image), "x", 24)
    torch.testing.assert_close(square.float() / 127.5 - 1, preprocessing(whole), atol=1e-6, rtol=0)


def test_other_kinds_of_pixels_become_red_green_and_blue(files):
    for image, expected in (
        (plain((5, 5), "L", 90), (90, 90, 90)),
        (plain((5, 5), "1", 1), (255, 255, 255)),
        (plain((5, 5), "I;16", 90 * 257), (90, 90, 90)),
        (plain((5, 5), "RGBA", (200, 0, 0, 0)), (255, 255, 255)),
        (plain((5, 5), "RGBA", (200, 0, 0, 255)), (200, 0, 0)),
        (plain((5, 5), "LA", (0, 0)), (255, 255, 255)),
        (plain((5, 5), "RGB", (10, 20, 30)).quantize(), (10, 20, 30)),
    ):
        square = files.read_square(packed(image), "x", 4)
        assert square.dtype == torch.uint8
        assert square.shape == (3, 4, 4)
        assert square[:, 0, 0].tolist() == list(expected), image.mode
    film = packed(plain((5, 5), "RGB", "white"), "GIF", save_all=True, append_images=[plain((5, 5), "RGB", "black")])
    assert files.read_square(film, "x", 4).min() == 255


def test_a_picture_is_turned_as_the_camera_was_held(files):
    image = plain((8, 8), "RGB", "white")
    image.paste((0, 0, 0), (0, 0, 8, 4))  # the upper half
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    square = files.read_square(packed(image, exif=exif), "x", 8)
    assert square[:, :, 5:].max() == 0
    assert square[:, :, :3].min() == 255


def says(width: int, height: int) -> bytes:
    """Return a PNG of a few bytes that says it has so many pixels."""
    head = b"IHDR" + width.to_bytes(4) + height.to_bytes(4) + bytes([8, 2, 0, 0, 0])
    whole = packed(noise(2, 2))
    return whole[:8] + (13).to_bytes(4) + head + zlib.crc32(head).to_bytes(4) + whole[33:]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"no picture at all", "no picture that can be read"),
        (packed(noise(20, 20))[:200], "broken"),
        (packed(noise(20, 20), "JPEG")[:300], r"broken|no picture"),
        (says(30_000, 30_000), "more than 50,000,000 pixels"),
        (says(10_000, 9_000), "10,000 x 9,000 pixels are more"),
        (packed(plain((200, 5), "RGB", "red")), "more than 16 times"),
        (packed(plain((5, 5), "F", 0.5), "TIFF"), "floating-point"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "no picture that can be read"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(files, content: bytes, words: str):
    with pytest.raises(ValueError, match=rf"^a\.png: .*({words})"):
        files.read_square(content, "a.png")


def test_no_file(files, tmp_path: Path):
    with pytest.raises(ValueError, match=r"b\.png: there is no such file"):
        files.read_square(tmp_path / "b.png", "b.png")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, seed in (("a.png", 1), ("b.png", 2)):
        noise(30, 40, seed).save(tmp_path / name)
    (tmp_path / "captions.csv").write_text('file,caption\na.png,"a bowl, and a glass"\nb.png,a plate\na.png,a bowl\n')
    return tmp_path


def test_a_folder_is_read(own, folder: Path):
    pairs = own.own_pairs(folder, size=16)
    assert pairs.pictures.shape == (2, 3, 16, 16)
    assert pairs.pictures.min() >= -1
    assert pairs.pictures.max() <= 1
    assert pairs.captions == ["a bowl, and a glass", "a bowl", "a plate"]
    assert pairs.picture_of.tolist() == [0, 0, 1]
    (folder / "captions.csv").unlink()
    rows = [{"file_name": "a.png", "text": "one"}, {"file_name": "b.png", "text": "two"}]
    (folder / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n")
    again = own.own_pairs(str(folder), size=16)
    assert torch.equal(again.pictures, pairs.pictures)
    assert again.captions == ["one", "two"]
    with pytest.raises(ValueError, match="two pictures are needed"):
        own.own_pairs(folder, most=1)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("captions.csv", "", "column file or file_name or image is missing; there are none"),
        ("captions.csv", "file;caption\n", "there are file;caption"),
        ("captions.csv", "file,words\n", "column caption or text is missing"),
        ("captions.csv", "file,caption\n", "no line with a picture"),
        ("captions.csv", "file,caption\na.png,\n", r"captions\.csv:2: the caption is missing"),
        ("captions.csv", "file,caption\na.png\n", r"captions\.csv:2: the caption is missing"),
        ("captions.csv", "file,caption\na.png, a bowl, a glass\n", "needs quotes"),
        ("captions.csv", 'file,caption\na.png,"a bowl\n', "quotes"),
        ("captions.csv", "file,caption\n,a bowl\n", r"captions\.csv:2: the file is missing"),
        ("captions.csv", "file,caption\nc.png,a bowl\n", r"captions\.csv:2: there is no file c\.png"),
        ("captions.csv", "file,caption\n../c.png,a bowl\n", r"there is no file \.\./c\.png in the folder"),
        ("captions.csv", "file,caption\na.png,a bowl\n", r"without a caption in captions\.csv: 1 \(b\.png\)"),
        ("captions.jsonl", '{"file": "a.png", "caption": 3}', r"captions\.jsonl:1: the caption is missing"),
        ("captions.jsonl", '{"file": "a.png"', r"captions\.jsonl:1: no JSON"),
        ("captions.jsonl", '["a.png"]', "a line is such as"),
    ],
)
def test_a_wrong_list_is_refused(own, folder: Path, name: str, content: str, words: str):
    (folder / "captions.csv").unlink()
    (folder.parent / "c.png").write_bytes(packed(noise(4, 4)))
    (folder / name).write_text(content)
    with pytest.raises(ValueError, match=words):
        own.own_pairs(folder)


def test_a_folder_needs_one_list(own, folder: Path):
    (folder / "metadata.csv").write_text("file_name,text\n")
    with pytest.raises(ValueError, match=r"it has captions\.csv, metadata\.csv"):
        own.own_pairs(folder)
    (folder / "empty").mkdir()
    with pytest.raises(ValueError, match="it has none of them"):
        own.own_pairs(folder / "empty")
    with pytest.raises(ValueError, match="there is no folder"):
        own.own_pairs(folder / "nowhere")
    (folder / "metadata.csv").unlink()
    (folder / "captions.csv").write_bytes(b"file,caption\na.png,caf\xe9\n")
    with pytest.raises(ValueError, match="no text in UTF-8"):
        own.own_pairs(folder)


def test_a_broken_picture_of_a_folder_is_named(own, folder: Path):
    (folder / "b.png").write_bytes(packed(noise(30, 40))[:500])
    with pytest.raises(ValueError, match=r"b\.png: the picture is broken"):
        own.own_pairs(folder)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch):
    """Put data in the place of a data set of the hub: columns by name, pictures as bytes."""
    datasets = pytest.importorskip("datasets")

    def put(**columns) -> None:
        data = datasets.Dataset.from_dict(columns)
        if "image" in columns:
            data = data.cast_column("image", datasets.Image())
        monkeypatch.setattr(datasets, "load_dataset", lambda *_, **__: data.to_iterable_dataset())

    return put


def test_a_data_set_of_the_hub_is_read(own, hub):
    images = [{"bytes": packed(noise(20, 20, seed)), "path": None} for seed in range(3)]
    hub(image=images, captions=[["one", " uno "], ["two"], ["three"]])
    pairs = own.own_pairs("hub:some/pictures", size=8, most=2)
    assert pairs.captions == ["one", "uno", "two"]
    assert pairs.picture_of.tolist() == [0, 0, 1]
    assert pairs.pictures.shape == (2, 3, 8, 8)


def test_a_data_set_that_does_not_fit_is_refused(own, hub, monkeypatch: pytest.MonkeyPatch):
    good = {"bytes": packed(noise(20, 20)), "path": None}
    for columns, words in (
        ({"image": [good], "label": [1]}, r"needs a column of pictures .* \['image', 'label'\]"),
        ({"image": [good], "caption": [""]}, "row 0: the caption is missing"),
        ({"image": [good, None], "caption": ["a", "b"]}, "row 1: the picture is missing"),
        ({"image": [good, {"bytes": b"GIF", "path": None}], "caption": ["a", "b"]}, "row 1: no picture that can"),
    ):
        hub(**columns)
        with pytest.raises(ValueError, match=words):
            own.own_pairs("hub:some/pictures")

    def offline(*_, **__):
        raise ConnectionError("no route")

    monkeypatch.setattr("datasets.load_dataset", offline)
    with pytest.raises(ValueError, match="hub:some/pictures cannot be opened: ConnectionError: no route"):
        own.own_pairs("hub:some/pictures")


def test_a_folder_that_is_written_is_read_back(own, tmp_path: Path):
    drawn = [torch.from_numpy(np.asarray(noise(8, 8, seed)).copy()).permute(2, 0, 1) for seed in range(2)]
    folder = own.write_folder(tmp_path / "new", [(drawn[0], 'a "red", bowl'), (drawn[1], "a plate")])
    pairs = own.own_pairs(folder, size=8)
    torch.testing.assert_close((pairs.pictures + 1) * 127.5, torch.stack(drawn).float(), atol=1e-4, rtol=0)
    assert pairs.captions == ['a "red", bowl', "a plate"]
    assert own.own_pairs(own.write_folder(folder, [(drawn[1], "b"), (drawn[0], "c")]), size=8).captions == ["b", "c"]


@pytest.fixture
def study(load_sprint) -> ModuleType:
    return load_sprint(f"{SPRINT}/seeing/own_study.py")


def test_a_study_keeps_its_parts_apart(own, study):
    pictures = torch.arange(30.0)[:, None, None, None].expand(30, 3, 16, 16) / 30
    picture_of = [row for row in range(30) for _ in range(2)]
    captions = [f"picture {row} said {time}" for row in range(30) for time in range(2)]
    pairs = own.OwnPairs(pictures, captions, torch.tensor(picture_of))
    parts = study.Study(pairs, torch.Generator().manual_seed(0))
    assert [len(parts.rows[part]) for part in ("train", "validation", "test")] == [18, 6, 6]
    assert torch.cat(list(parts.rows.values())).unique().numel() == 30
    shown, said = parts.searched("test")
    assert [f"picture {round(value * 30)} said 0" for value in shown[:, 0, 0, 0].tolist()] == [
        captions[row] for row in said
    ]
    seen = set()
    batches = parts.batches(64, torch.Generator().manual_seed(0))
    for _ in range(8):
        batch, tokens = next(batches)
        assert len(batch) == 18
        words = [parts.tokenizer.decode(row, skip_special_tokens=True).split() for row in tokens.tolist()]
        assert [int(word[1]) for word in words] == [round(value * 30) for value in batch[:, 0, 0, 0].tolist()]
        seen |= {tuple(word) for word in words}
    assert len(seen) > 30  # both captions of the 18 pictures come
    with pytest.raises(ValueError, match="at least 25 pictures"):
        study.Study(own.OwnPairs(pictures[:24], captions[:48], torch.tensor(picture_of[:48])), torch.Generator())


def test_towers_and_ridge_regression_search_ones_own_pictures(
    load_sprint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    script = load_sprint(f"{SPRINT}/few_pictures.py")
    monkeypatch.setattr(script, "PENALTIES", (10.0,))
    config = script.Config(drawn=40, steps=4, batch=8, rates=(0.02,), seeds=1, out=tmp_path / "run")
    results = script.main(config)
    assert (results.pictures, results.searched, results.rate) == (40, 8, 0.02)
    assert results.chance["text_to_picture@5"] == 5 / 8
    assert results.optimum is not None
    assert results.optimum["text_to_picture@5"] <= 1
    script.plot(results)
    # The example is a folder like any other; of others no optimum is known.
    folder = tmp_path / "run" / "pictures"
    again = script.main(script.Config(pictures=str(folder), steps=4, batch=8, rates=(0.02,), seeds=1))
    assert again.optimum is None
    assert (again.ridge, again.towers) == (results.ridge, results.towers)
    script.plot(again)
    with pytest.raises(ValueError, match="at least 25 tables"):
        script.Config(drawn=10).check()
    with pytest.raises(ValueError, match="there is no folder"):
        script.main(script.Config(pictures=str(tmp_path / "nowhere")))

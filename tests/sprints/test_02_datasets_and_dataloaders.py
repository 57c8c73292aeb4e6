"""Sprint 2's claims, at a small size."""

import multiprocessing
import os
import signal
from collections import Counter
from itertools import combinations, permutations
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import grey_dilation, grey_erosion
from scipy.stats import chisquare
from sklearn.impute import SimpleImputer
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch.utils.data import DataLoader, WeightedRandomSampler, default_collate
from torchvision import datasets, tv_tensors

from shared.lab.digits import load_flat_digits

FOLDER = "02_datasets_and_dataloaders"
OWN = Path(os.environ.get("SPRINTS_DATA", "nowhere"))
needs_mnist = pytest.mark.skipif(not (OWN / "MNIST" / "raw").is_dir(), reason="SPRINTS_DATA holds no MNIST/raw")
needs_fork = pytest.mark.skipif(
    multiprocessing.get_context().get_start_method() != "fork",
    reason="workers are spawned here: they would have to import the script, and a test has not imported it by a name",
)
# Tests make workers on machines with one core too.
pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create")


@pytest.fixture
def script(load_sprint, request: pytest.FixtureRequest) -> ModuleType:
    """Return the script that a test names with @pytest.mark.parametrize(..., indirect=True)."""
    return load_sprint(f"{FOLDER}/{request.param}.py")


def of(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("script", [name], indirect=True)


@pytest.mark.parametrize(
    ("name", "words", "sentence"),
    [
        ("augment", "--folds 1", "--folds: must be greater than or equal to 2; got 1"),
        ("augment", "--copies 0", "--copies: must be greater than or equal to 1; got 0"),
        ("how_much_shuffling", "--buffers 1 0", "--buffers: must be greater than or equal to 1; got (1, 0)"),
        ("how_much_shuffling", "--learning-rate 0", "--learning-rate: must be greater than 0; got 0.0"),
        ("how_workers_fail", "--timeout 0", "--timeout: must be greater than 0; got 0.0"),
        ("how_workers_fail", "--timeout 1e300", "--timeout: must be less than or equal to 3600; got 1e+300"),
        ("images_on_disk", "--items 1798", "--items: must be less than or equal to 1797; got 1798"),
        ("images_on_disk", "--size 100000", "--size: must be less than or equal to 1024; got 100000"),
        ("imbalance", "--rare 87", "--rare: must be less than or equal to 86; got 87"),
        ("lines_of_text", "--recipes 9", "--recipes: must be greater than or equal to 10; got 9"),
        ("lines_of_text", "--words 0", "--words: must be greater than or equal to 1; got (0,)"),
        ("loader_by_hand", "--batch-sizes 0", "--batch-sizes: must be greater than or equal to 1; got (0,)"),
        ("look_at_the_data", "--items 0", "--items: must be greater than or equal to 1; got 0"),
        ("padding", "--lines 8 --batch-sizes 2 9", "a batch has at most all lines; got --batch-sizes 9 of --lines 8"),
        ("pinned_memory", "--features -1", "--features: must be greater than or equal to 1; got -1"),
        ("prefetch", "--step 0", "--step: must be greater than 0; got 0.0"),
        ("prefetch", "--load 1e9", "--load: must be less than or equal to 60; got 1000000000.0"),
        ("read_a_table", "--missing 1", "--missing: must be less than or equal to 0.9; got 1.0"),
        ("resume_mid_epoch", "--stop-batch 30", "its 3 epochs of 29 batches; got --stop-epoch 1 --stop-batch 30"),
        ("resume_mid_epoch", "--stop-epoch 3", "its 3 epochs of 29 batches; got --stop-epoch 3 --stop-batch 10"),
        ("stream", "--workers 0", "--workers: must be greater than or equal to 1; got 0"),
        ("throughput", "--workers 0 65", "--workers: must be less than or equal to 64; got (0, 65)"),
        ("throughput", "--wait -1", "--wait: must be greater than or equal to 0; got -1.0"),
        ("worker_randomness", "--items 0", "--items: must be greater than or equal to 1; got 0"),
    ],
)
def test_a_bad_command_line_is_refused_in_a_sentence(refusal, name: str, words: str, sentence: str):
    assert sentence in refusal(f"{FOLDER}/{name}.py", words)


# What is in the data


@of("look_at_the_data")
def test_the_simplest_classifiers_are_scikit_learns(script: ModuleType):
    (train, labels), (test, answers) = script.load("digits")
    known, new = train.flatten(1).numpy(), test.flatten(1).numpy()
    results = script.main(script.Config())
    assert results.nearest_neighbour == KNeighborsClassifier(1).fit(known, labels).score(new, answers)
    assert results.nearest_mean == NearestCentroid().fit(known, labels).score(new, answers)
    assert results.mean == pytest.approx(known.mean() / 16)
    assert results.std == pytest.approx(known.std() / 16)
    assert sum(results.class_counts["train"]) == len(train)
    assert results.majority < results.nearest_mean < results.nearest_neighbour
    assert script.main(script.Config()) == results, "same data, same results"
    assert np.array_equal(script.plot(results).axes[0].images[0].get_array(), train[labels == 0][0])


@of("look_at_the_data")
def test_repeats_are_found(script: ModuleType, monkeypatch: pytest.MonkeyPatch):
    images = torch.arange(10, dtype=torch.uint8).reshape(10, 1, 1).repeat(2, 2, 2)
    labels = torch.arange(10).repeat(2)
    monkeypatch.setattr(script, "load", lambda data: ((images, labels), (images[7:9], labels[7:9])))  # noqa: ARG005
    results = script.main(script.Config())
    assert (results.repeats_within_train, results.test_images_in_train) == (10, 2)
    with pytest.raises(ValueError, match="9 is not among the first 9: give more --items"):
        script.main(script.Config(items=9))


@needs_mnist
@of("look_at_the_data")
def test_mnist_is_what_torchvision_reads(script: ModuleType):
    (train, labels), (test, _) = script.load("mnist")
    assert (tuple(train.shape), tuple(test.shape)) == ((60_000, 28, 28), (10_000, 28, 28))
    assert (train.double().mean() / 255).item() == pytest.approx(0.1307, abs=1e-4)
    image, label = datasets.MNIST(OWN, train=True)[3]
    assert np.array_equal(np.asarray(image), train[3])
    assert label == labels[3]


# Data sets of one's own


@of("read_a_table")
def test_standardising_is_scikit_learns(script: ModuleType):
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(50, 4, generator=generator) * torch.tensor([1.0, 10.0, 0.1, 1000.0]) + 5
    rows[torch.rand(rows.shape, generator=generator) < 0.2] = torch.nan
    reference = make_pipeline(StandardScaler(), SimpleImputer(strategy="constant", fill_value=0.0)).fit(rows[:30])
    ours = script.Standardise(rows[:30])(rows)
    assert np.allclose(ours, reference.transform(rows), atol=1e-4)


@of("read_a_table")
def test_a_table_says_where_it_is_wrong(script: ModuleType, tmp_path: Path):
    path = tmp_path / "table.csv"
    path.write_text("a,b,kind\n1,,x\n3,4,y\n\n5,6,x\n\n", encoding="utf-8")
    table = script.TableDataset(path, target="kind")
    assert (table.columns, table.classes, table.labels) == (["a", "b"], ["x", "y"], [0, 1, 0])
    assert table[0][0].isnan().tolist() == [False, True]
    assert table[1][0].tolist() == [3, 4]
    with pytest.raises(ValueError, match=r"column of table.csv \(a, b, kind\); got 'label'"):
        script.TableDataset(path, target="label")


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        (b"a,b,kind\n1,2,x\n3,four,y", "line 3, b: a cell must be a number or empty; got 'four'"),
        (b"a,b,kind\n1,2,x\n\n3,inf,y", "line 4, b: a cell must be a number or empty; got 'inf'"),
        (b"a,b,kind\n1,2,x\n3,4,", "line 3, kind: a row must have a class; got none"),
        (b"a,b,kind\n1,2,x\n3,4,NaN", "line 3, kind: a row must have a class; got NaN"),
        (b"a,b,kind\n1,2,x\n3,4", "line 3: a row must have 3 cells, got 2"),
        (b"a,b,kind\n1,2,x\n3,4,5,y", "line 3: a row must have 3 cells, got 4"),
        (b"a,b,kind\n1,2,x,\n3,4,y,", "line 2: a row must have 3 cells, got 4"),
        (b'a,b,kind\n1,2,"x\ny"\n3,4', "line 4: a row must have 3 cells, got 2"),
        (b"a,a,kind\n1,2,x", r"columns with names of their own; got \['a', 'a', 'kind'\]"),
        (b",b,kind\n1,2,x", r"columns with names of their own; got \['', 'b', 'kind'\]"),
        (b"a,b,kind\n", "table.csv must have rows"),
        (b"", "table.csv must have rows"),
        (b"a,b,kind\n1,2,caf\xe9", "this is no CSV in UTF-8"),
        (b"a,b,kind\n1,2," + 200_000 * b"x", r"this is no CSV in UTF-8 \(field larger"),
    ],
)
@of("read_a_table")
def test_a_table_is_refused_by_line(script: ModuleType, tmp_path: Path, table: bytes, sentence: str):
    path = tmp_path / "table.csv"
    path.write_bytes(table)
    with pytest.raises(ValueError, match=sentence):
        script.TableDataset(path, target="kind")


@of("read_a_table")
def test_a_table_as_programs_write_it_is_read_whole(script: ModuleType, tmp_path: Path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"\xef\xbb\xbfa, b ,kind\r\n1, 2,x\r\nNA,nan,y \r\n N/A ,?,x\r\n")
    table = script.TableDataset(path, target="kind")
    assert (table.columns, table.classes, table.labels) == (["a", "b"], ["x", "y"], [0, 1, 0])
    assert table.values.isnan().tolist() == [[False, False], [True, True], [True, True]]


@of("read_a_table")
def test_units_and_offsets_change_nothing_and_a_constant_becomes_0(script: ModuleType, tmp_path: Path):
    rows = torch.randn(60, 2, generator=_seeded(), dtype=torch.float64)
    plain = script.Standardise(rows)(rows)
    for scale, offset in ((1.0, 1e9), (1e-9, 0.0), (1e9, 0.0), (1e-9, -1.0)):
        path = tmp_path / "table.csv"
        cells = (scale * rows + offset).tolist()
        lines = [f"{a!r},{b!r},0.1,{1e9 + 0.1!r},,x" for a, b in cells]
        path.write_text("\n".join(["a,b,same,far,empty,kind", *lines]))
        table = script.TableDataset(path, target="kind")
        standardised = script.Standardise(table.values)(table.values)
        assert standardised.dtype == torch.float32
        assert torch.allclose(standardised[:, :2], plain, atol=1e-6)
        assert standardised[:, 2:].eq(0).all()


@of("read_a_table")
def test_units_decide_and_the_leak_does_not(script: ModuleType):
    config = script.Config(splits=2, epochs=6)
    results = script.main(config)
    assert results.accuracy["standardised"] > results.accuracy["raw"] + 0.2
    assert results.accuracy["raw"] > results.accuracy["majority"] - 0.1
    assert abs(results.accuracy["standardised"] - results.accuracy["scikit-learn"]) < 0.1
    assert abs(results.accuracy["standardised"] - results.accuracy["standardised by all rows"]) < 0.05
    assert script.main(config) == results, "same seed, same results"


@of("images_on_disk")
def test_our_image_folder_is_torchvisions(script: ModuleType, tmp_path: Path):
    script.write_digits(tmp_path, count=30, size=8)
    ours = script.ImageFolder(tmp_path, transform=lambda image: image + 0)
    theirs = datasets.ImageFolder(str(tmp_path), loader=Image.open)
    assert ours.classes == theirs.classes
    assert [(str(path), label) for path, label in ours.samples] == theirs.samples
    assert all(np.array_equal(ours[index][0][0], np.asarray(theirs[index][0])) for index in range(30))
    (tmp_path / "0" / "deeper").mkdir()
    images_of = (tmp_path / "0").glob("*.png")
    for name in ("deeper/10000.PNG", "00000.jpeg"):
        (tmp_path / "0" / name).write_bytes(next(images_of).read_bytes())
    assert [(str(path), label) for path, label in script.ImageFolder(tmp_path).samples] == datasets.ImageFolder(
        str(tmp_path)
    ).samples


@of("images_on_disk")
def test_only_folders_of_images_are_classes_and_what_is_left_out_is_told(script: ModuleType, tmp_path: Path, capsys):
    script.write_digits(tmp_path, count=30, size=8)
    before = script.ImageFolder(tmp_path)
    assert before.left_out == []
    (tmp_path / ".ipynb_checkpoints").mkdir()
    for name in (".DS_Store", "0/._1.png", "0/notes.txt", "3/a.gif", "loose.png"):
        (tmp_path / name).write_bytes(b"")
    after = script.ImageFolder(tmp_path)
    assert (after.classes, after.samples) == (before.classes, before.samples)
    assert [path.name for path in after.left_out] == ["notes.txt", "a.gif", "loose.png"]
    assert capsys.readouterr().out == "left out: 3 files that are no images of a class, such as notes.txt\n"
    (tmp_path / "empty" / "folder").mkdir(parents=True)
    with pytest.raises(ValueError, match=r"must hold images of its class; \['empty'\] hold none: remove them"):
        script.ImageFolder(tmp_path)
    with pytest.raises(ValueError, match="one for each class; folder has none"):
        script.ImageFolder(tmp_path / "empty" / "folder")


@of("images_on_disk")
def test_a_file_that_is_no_array_of_images_is_refused(script: ModuleType, tmp_path: Path):
    path = tmp_path / "images.npy"
    with open(path, "wb") as file:
        np.savez(file, np.zeros((2, 1, 4, 4), np.uint8))  # of which np.load would make a dictionary
    with pytest.raises(ValueError, match=r"images.npy must be an array of NumPy"):
        script.ArrayDataset(path, [0, 1])
    np.save(path, np.zeros((3, 1, 4, 4), np.uint8))
    with pytest.raises(ValueError, match=r"one item for each of 2 labels; got uint8 \(3, 1, 4, 4\)"):
        script.ArrayDataset(path, [0, 1])


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16"])
@of("images_on_disk")
def test_images_of_all_kinds_come_in_one_mode_and_upright(script: ModuleType, tmp_path: Path, mode: str):
    (tmp_path / "kind").mkdir()
    picture = Image.new("L", (3, 2)).convert(mode) if mode != "I;16" else Image.new(mode, (3, 2))
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was held upright
    picture.save(tmp_path / "kind" / ("1.jpg" if mode == "CMYK" else "1.png"), exif=turned)
    for wanted, channels in (("RGB", 3), ("L", 1)):
        image, _ = script.ImageFolder(tmp_path, mode=wanted)[0]
        assert (tuple(image.shape), image.dtype) == ((channels, 3, 2), torch.uint8)


@pytest.mark.parametrize("damage", [lambda _: b"no image", lambda data: data[:-30], lambda data: data[:40]])
@of("images_on_disk")
def test_an_image_that_cannot_be_read_is_named(script: ModuleType, tmp_path: Path, damage):
    (tmp_path / "kind").mkdir()
    path = tmp_path / "kind" / "1.png"
    Image.effect_noise((64, 64), 50).save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"kind/1.png must be an image; it cannot be read .*: replace or remove it"):
        script.ImageFolder(tmp_path)[0]


@of("images_on_disk")
def test_all_stores_give_the_same_images(script: ModuleType):
    results = script.main(script.Config(items=20, size=32, rounds=1))
    assert results.equal
    assert results.times_memory["PNG files"] > results.times_memory["memory"] == 1
    assert results.bytes_per_image["memory, as float32"] == 4 * 32 * 32


@of("lines_of_text")
def test_lines_are_reached_by_their_place_in_bytes(script: ModuleType, tmp_path: Path):
    path = tmp_path / "text.txt"
    path.write_bytes("zwölf 🍋\r\n\nжар-птица\nlast, without an end".encode())
    data = script.LineDataset(path)
    lines = ["zwölf 🍋", "", "жар-птица", "last, without an end"]
    assert [data[index] for index in range(len(data))] == lines
    assert data[-1] == lines[-1]
    with pytest.raises(IndexError, match="line must be one of 4; got 4"):
        data[4]
    path.write_bytes(b"\xef\xbb\xbffirst\ncaf\xe9\n")
    data = script.LineDataset(path)
    assert data[0] == "first"
    with pytest.raises(ValueError, match=r"text.txt, line 2: this is no UTF-8"):
        data[1]


@needs_fork
@of("lines_of_text")
def test_workers_do_not_share_a_place_in_the_file(script: ModuleType, tmp_path: Path):
    lines = [f"line {number}" for number in range(40)]
    (tmp_path / "text.txt").write_text("\n".join(lines))
    data = script.LineDataset(tmp_path / "text.txt")
    assert [line for batch in DataLoader(data, num_workers=2) for line in batch] == lines


@of("lines_of_text")
def test_a_vocabulary_numbers_the_most_frequent_words(script: ModuleType):
    vocabulary = script.Vocabulary(["b a b", "c a b"], size=3)
    assert vocabulary.words == ["<unknown>", "b", "a"]
    assert vocabulary.encode("a b c d").tolist() == [2, 1, 0, 0]
    assert vocabulary.unknown_share(["a b", "c d"]) == 0.5
    results = script.main(script.Config(recipes=30, reads=3, words=(10, 50), rounds=1))
    assert results.equal
    assert results.index_bytes == 8 * results.lines < results.text_bytes
    for shares in results.unknown.values():
        assert shares == sorted(shares, reverse=True), "larger vocabularies know more words"
    assert results.unknown["flirty"][-1] > results.unknown["plain"][-1]


# Transforms


@of("augment")
def test_the_pipeline_is_its_formula(script: ModuleType):
    image = tv_tensors.Image(torch.arange(64, dtype=torch.uint8).reshape(1, 8, 8) * 4)
    out = script.pipeline(script.augmentations()["none"], mean=0.3, std=0.4)(image)
    assert torch.allclose(out, (image.float() / 255 - 0.3) / 0.4, atol=1e-6)
    pixels = Image.fromarray(image[0].numpy())
    assert torch.equal(script.pipeline(script.augmentations()["none"], mean=0.3, std=0.4)(pixels), out)


@of("augment")
@pytest.mark.parametrize(("strength", "extreme"), [(1.0, grey_dilation), (-1.0, grey_erosion)])
def test_pen_width_dilates_and_erodes(script: ModuleType, monkeypatch: pytest.MonkeyPatch, strength, extreme):
    image = tv_tensors.Image(torch.randint(256, (1, 9, 7), generator=torch.Generator().manual_seed(0)).to(torch.uint8))
    pen = script.PenWidth(1.0)
    monkeypatch.setattr(pen, "make_params", lambda flat_inputs: {"strength": strength})  # noqa: ARG005
    assert np.array_equal(pen(image)[0], extreme(image[0].numpy(), size=(3, 3), mode="nearest"))


@of("augment")
def test_pen_width_treats_image_and_mask_alike_and_leaves_labels(script: ModuleType):
    torch.manual_seed(1)
    pixels = torch.rand(1, 8, 8)
    sample = {"image": tv_tensors.Image(pixels), "mask": tv_tensors.Mask(pixels), "label": torch.tensor(3)}
    out = script.PenWidth(0.5)(sample)
    assert isinstance(out["image"], tv_tensors.Image)
    assert isinstance(out["mask"], tv_tensors.Mask)
    assert torch.equal(out["image"].as_subclass(torch.Tensor), out["mask"].as_subclass(torch.Tensor))
    assert not torch.equal(out["image"].as_subclass(torch.Tensor), pixels)
    assert out["label"] == 3
    again = script.PenWidth(0.5)(sample)
    assert not torch.equal(again["image"], out["image"]), "another sample, another pen"
    assert torch.equal(script.PenWidth(0.0)(sample)["image"], sample["image"])
    with pytest.raises(ValueError, match=r"strength must be between 0 and 1; got 1.5"):
        script.PenWidth(1.5)


@of("augment")
def test_turning_digits_over_is_worse_than_leaving_them(script: ModuleType, monkeypatch: pytest.MonkeyPatch):
    compared = {name: script.augmentations()[name] for name in ("none", "pen width", "turn by 180 degrees")}
    monkeypatch.setattr(script, "augmentations", lambda: compared)
    config = script.Config(folds=4, copies=1)
    results = script.main(config)
    assert results.mean_after == pytest.approx(0, abs=1e-5)
    assert results.std_after == pytest.approx(1, abs=1e-4)
    assert results.gain["turn by 180 degrees"] < results.gain["none"] == 0 < results.gain["pen width"]
    assert results.chosen == "pen width"
    assert sum(results.test["pen width"]) > sum(results.test["none"])
    assert script.main(config) == results, "same seed, same results"
    drawn = script.plot(results)
    assert len(drawn.axes) == 3 * 8
    assert not np.array_equal(*(drawn.axes[8 + column].images[0].get_array() for column in (1, 2))), "draws differ"
    assert all(
        np.array_equal(cell.images[0].get_array(), again.images[0].get_array())
        for cell, again in zip(drawn.axes, script.plot(results).axes, strict=True)
    ), "the same results, the same figure"


# Batches


@of("loader_by_hand")
def test_our_batches_are_pytorchs(script: ModuleType):
    results = script.main(script.Config(epochs=2, batch_sizes=(100, 599)))
    assert results.equal == results.batches == 2 * (18 + 18 + 17 + 3 * 3)
    assert results.equal_without_waste < results.batches
    assert results.seen_without_replacement == 1
    assert results.seen_with_replacement == pytest.approx(results.seen_with_replacement_expected, abs=0.03)


@of("loader_by_hand")
def test_collate_is_pytorchs(script: ModuleType):
    items = [{"x": torch.full((2,), i), "y": (i, float(i), f"item {i}")} for i in range(3)]
    ours, theirs = script.collate(items), default_collate(items)
    assert torch.equal(ours["x"], theirs["x"])
    assert ours["y"][2] == list(theirs["y"][2])
    for one, other in zip(ours["y"][:2], theirs["y"][:2], strict=True):
        assert torch.equal(one, other)
        assert one.dtype == other.dtype
    with pytest.raises(ValueError, match=r"one shape; got \(1,\), \(2,\): pad them"):
        script.collate([torch.zeros(1), torch.zeros(2)])
    with pytest.raises(ValueError, match="got NoneType"):
        script.collate([None])
    with pytest.raises(ValueError, match="batch_size must be at least 1; got 0"):
        script.Loader([1], 0, False, torch.Generator())


@needs_fork
@of("stream")
def test_workers_repeat_a_stream_unless_they_share_it(script: ModuleType):
    streams = script.main(script.Config(items=50, batch_size=8, workers=2)).streams
    whole, shares = streams["whole, 2 workers"], streams["shares, 2 workers"]
    assert (whole.items, whole.repeated, whole.missing) == (100, 50, 0)
    assert (shares.items, shares.repeated, shares.missing) == (50, 0, 0)
    assert streams["whole, 0 workers"] == streams["shares, 0 workers"]
    assert streams["whole, 0 workers"].in_order
    assert not shares.in_order
    batches = [(read.batches, read.short_batches) for read in (streams["whole, 0 workers"], whole, shares)]
    assert batches == [(7, 1), (14, 2), (8, 2)], "of 8, one loader or two workers; shares of 25 end with one item"


@of("how_much_shuffling")
def test_a_shuffle_buffer_permutes_within_its_bounds(script: ModuleType):
    for size in (1, 3, 10, 20, 50):
        order = list(script.ShuffleBuffer(range(20), size, torch.Generator().manual_seed(size)))
        assert sorted(order) == list(range(20)), "every item once"
        assert all(item - place <= size - 1 for place, item in enumerate(order)), "none arrives too early"
        assert (order == list(range(20))) == (size == 1)
    generator = torch.Generator().manual_seed(0)
    counts = Counter(tuple(script.ShuffleBuffer(range(3), 3, generator)) for _ in range(1200))
    assert len(counts) == 6
    assert chisquare(list(counts.values())).pvalue > 1e-3, "a buffer as large as the stream is a fair shuffle"
    firsts = Counter(next(iter(script.ShuffleBuffer(range(9), 3, generator))) for _ in range(600))
    assert set(firsts) == {0, 1, 2}
    assert chisquare(list(firsts.values())).pvalue > 1e-3, "each item of the buffer leaves with the same chance"
    with pytest.raises(ValueError, match="at least 1 item; got 0"):
        script.ShuffleBuffer([], 0, generator)


@of("how_much_shuffling")
def test_sorted_data_teach_badly(script: ModuleType):
    config = script.Config(buffers=(1, 898), epochs=3, seeds=1)
    results = script.main(config)
    (in_order,), (shuffled,) = results.accuracy
    assert results.majority < in_order < shuffled - 0.2
    assert shuffled < results.logistic_regression == pytest.approx(0.934, abs=0.003)
    assert results.classes_per_batch[0] < 2 < 9 < results.classes_per_batch[1]
    assert script.main(config) == results, "same seed, same results"
    (images, labels), (held_out, answers) = script.sorted_halves()
    assert labels.tolist() == sorted(labels.tolist())
    everything = load_flat_digits()
    assert torch.equal(held_out, everything[0][898:])
    assert torch.equal(answers, everything[1][898:])
    assert sorted(images.sum(1).tolist()) == sorted(everything[0][:898].sum(1).tolist()), "the first half, each once"
    with pytest.raises(ValueError, match=r"left the numbers at --learning-rate 3e\+38: give a lower one"):
        script.train([(images, labels)], script.Config(learning_rate=3e38))
    model, _ = script.train([(images, labels)], config)
    assert model.weight.detach()[:, images.std(0) > 0].ne(0).all(), "all weights move"
    assert model.bias.detach().ne(0).all()


@of("padding")
def test_expected_padding_is_the_mean_over_all_batches(script: ModuleType):
    lengths = [1, 2, 2, 5, 7, 11, 12]
    for size in (1, 2, 3, 7):
        longest = [max(batch) for batch in combinations(lengths, size)]
        expected = 1 - np.mean(lengths) / np.mean(longest)
        assert script.expected_padding(lengths, size) == pytest.approx(expected, abs=1e-12)


@of("padding")
def test_no_batches_have_less_padding_than_those_in_order_of_length(script: ModuleType):
    lengths = [1, 3, 3, 4, 8, 9]

    def places(order: tuple[int, ...]) -> int:
        return sum(2 * max(order[first : first + 2]) for first in range(0, 6, 2))

    least = min(places(order) for order in permutations(lengths))
    assert places(tuple(sorted(lengths))) == least
    rows = [[1] * length for length in sorted(lengths)]
    assert script.padding_of(DataLoader(rows, batch_size=2, collate_fn=script.pad_rows)) == 1 - sum(lengths) / least


@of("padding")
def test_buckets_deal_every_item_once_in_an_order_of_its_own(script: ModuleType):
    lengths = list(range(50))
    sampler = script.BucketSampler(lengths, batch_size=4, bucket=3, generator=torch.Generator().manual_seed(0))
    first, second = list(sampler), list(sampler)
    assert len(first) == len(sampler) == 13
    assert sorted(index for batch in first for index in batch) == lengths
    assert first != second, "another order in each epoch"
    assert sorted(map(sorted, first)) != sorted(map(sorted, second)), "other companions too"
    one_bucket = [batch[0] for batch in script.BucketSampler(lengths, 4, bucket=13, generator=_seeded())]
    assert one_bucket != sorted(one_bucket), "not from the short batches to the long ones"


@of("padding")
def test_buckets_lie_between_random_batches_and_the_least_possible(script: ModuleType):
    config = script.Config(lines=512, batch_sizes=(8,), bucket=8)
    results = script.main(config)
    (random,), (expected,) = results.padding["random"], results.padding["random, expected"]
    assert random == pytest.approx(expected, abs=0.04)
    least, buckets, longest = (
        results.padding[name][0] for name in ("least possible", "buckets", "to the longest of all")
    )
    assert least < buckets < random / 2 < random < longest
    assert "equal size" in results.refused
    assert script.main(config) == results, "same seed, same results"


@of("imbalance")
def test_weighted_draws_follow_the_weights(script: ModuleType, monkeypatch: pytest.MonkeyPatch):
    weights = torch.tensor([0.0, 1.0, 0.0, 3.0, 4.0, 0.0])
    counts = torch.bincount(torch.tensor(list(script.WeightedSampler(weights, 8000, _seeded()))), minlength=6)
    theirs = torch.bincount(torch.tensor(list(WeightedRandomSampler(weights.tolist(), 8000, generator=_seeded()))))
    assert counts[weights == 0].sum() == 0
    for found in (counts, theirs):
        drawn = found[[1, 3, 4]].numpy()
        assert chisquare(drawn, [1000, 3000, 4000]).pvalue > 1e-3
    labels = torch.tensor([0, 0, 0, 1, 2, 2])
    balancing = script.balancing_weights(labels)
    assert torch.bincount(labels, balancing).tolist() == pytest.approx([1, 1, 1])
    for wrong in (torch.tensor([1.0, -1.0]), torch.zeros(3)):
        with pytest.raises(ValueError, match="weights must be at least 0 and not all 0"):
            script.WeightedSampler(wrong, 1, _seeded())
    assert script.splits(86, _seeded())[0][1].sum() == (load_flat_digits()[1][:898] == 8).sum(), "all that there are"
    monkeypatch.setattr(torch, "rand", lambda count, **_: torch.zeros(count, dtype=torch.float64))
    assert list(script.WeightedSampler(weights, 2, _seeded())) == [1, 1], "the border of a weight of 0 is not its own"


def _seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@of("imbalance")
def test_the_measures_of_two_eights_and_four_others(script: ModuleType):
    row = script.measure(torch.tensor([3.0, -1, 2, 0, -4, -5]), torch.tensor([1, 1, 0, 0, 0, 0]), prior=0.1)
    assert (row["recall"], row["false_positive_rate"], row["balanced_accuracy"]) == (0.5, 0.25, 0.625)
    assert row["auc"] == 6 / 8
    certain = script.measure(torch.tensor([99.0, -99, 99, -99, -99, -99]), torch.tensor([1, 1, 0, 0, 0, 0]), prior=0.1)
    assert certain["mean_probability"] == pytest.approx(0.1 * 0.5 + 0.9 * 0.25)


@of("imbalance")
def test_each_seed_keeps_eights_of_its_own(script: ModuleType):
    (first, labels), (test, answers) = script.splits(16, _seeded())
    (second, _), _ = script.splits(16, torch.Generator().manual_seed(1))
    assert labels.sum() == 16
    assert not torch.equal(first[labels == 1], second[labels == 1])
    assert torch.equal(first[labels == 0], second[labels == 0])
    assert (len(test), answers.sum()) == (899, 88)


@of("imbalance")
def test_a_sampler_changes_the_prior_and_not_the_ranking(script: ModuleType):
    config = script.Config(epochs=25, seeds=1)
    results = script.main(config)
    assert results.rare_in_batches["plain"] == pytest.approx(results.prior)
    assert results.rare_in_batches["balanced sampler"] == pytest.approx(0.5, abs=0.03)
    recall, ranked = ({name: value[0] for name, value in d.items()} for d in (results.recall, results.auc))
    assert recall["plain"] < recall["balanced sampler"] - 0.2
    assert recall["plain, threshold at the prior"] > recall["plain"] + 0.2
    assert recall["balanced sampler, corrected"] < recall["balanced sampler"] - 0.2
    assert max(ranked.values()) - min(ranked.values()) < 0.05
    assert ranked["plain"] == ranked["plain, threshold at the prior"]
    probability = {name: value[0] for name, value in results.mean_probability.items()}
    assert probability["plain"] < 2 * results.prior < probability["balanced sampler"]
    assert script.main(config) == results, "same seed, same results"


# Workers


@needs_fork
@of("worker_randomness")
def test_only_randomness_by_key_is_the_same_with_any_workers(script: ModuleType, monkeypatch: pytest.MonkeyPatch):
    names = ("torch, global", "generator in the data set", "seed, epoch and index")
    monkeypatch.setattr(script, "SOURCES", {name: script.SOURCES[name] for name in names})
    results = script.main(script.Config(items=16))
    by_torch, own, by_key = (results.sources[name] for name in names)
    assert results.indices_same_with_any_workers
    assert by_torch == script.Randomness(1.0, 0.0, same_again=True, same_with_any_workers=False)
    assert own == script.Randomness(0.5, 1.0, same_again=True, same_with_any_workers=False)
    assert by_key == script.Randomness(1.0, 0.0, same_again=True, same_with_any_workers=True)


@needs_fork
@of("worker_randomness")
def test_a_worker_can_reseed_its_copy(script: ModuleType):
    config = script.Config(items=16)
    (first, second) = script.two_epochs(config, 2, script.from_own_generator, script.reseed)
    assert len({number for _, number in first + second}) == 32


@of("how_workers_fail")
def test_a_program_without_a_guard_fails_as_it_should(script: ModuleType):
    outcome = script.main(script.Config(faults=("no __main__ guard",))).outcomes["no __main__ guard"]
    assert outcome.exit_code == 1
    assert outcome.printed == ""
    assert "before the current process has finished its bootstrapping phase" in outcome.errors[0]
    assert "if __name__ == '__main__':" in outcome.errors[0]
    assert outcome.errors[-1] == "RuntimeError: DataLoader worker (pid(s) ...) exited unexpectedly"


@of("how_workers_fail")
def test_a_program_that_takes_too_long_is_told(script: ModuleType):
    with pytest.raises(ValueError, match=r"'no fault' has not ended after 0\.01 s: give a longer --timeout"):
        script.run_program("no fault", 0.01)


@of("how_workers_fail")
def test_a_fault_that_the_system_cannot_have_is_left_out(script: ModuleType, monkeypatch, capsys):
    assert script.possible(("a worker that is killed", "no fault")) == ["a worker that is killed", "no fault"]
    monkeypatch.delattr(signal, "SIGKILL")
    assert script.possible(("a worker that is killed", "no fault")) == ["no fault"]
    assert "left out: a worker that is killed, because this system has no signal SIGKILL" in capsys.readouterr().out


@of("how_workers_fail")
def test_errors_are_cut_out_of_what_a_program_wrote(script: ModuleType):
    text = (
        'Traceback (most recent call last):\n  File "a.py", line 1\nRuntimeError: worker (pid 17) is\n gone\n\n'
        "The above exception was the direct cause of the following exception:\n\nTraceback (most recent call last):\n"
        "ValueError: Caught ValueError in DataLoader worker process 0.\nOriginal Traceback (most recent call last):\n"
        '  File "/home/b.py", line 2\nValueError: item 5 is broken\n'
    )
    assert script.errors_in(text) == [
        "RuntimeError: worker (pid ...) is gone",
        "ValueError: Caught ValueError in DataLoader worker process 0.",
        "ValueError: item 5 is broken",
    ]


@needs_fork
@of("throughput")
def test_throughput_is_told_in_ratios_to_no_workers(script: ModuleType):
    config = script.Config(workers=(0, 1), batch_sizes=(4,), items=16, additions=10, wait=1e-4, rounds=1)
    results = script.main(config)
    assert set(results.speedup) == {"nothing", "computing", "waiting"}
    assert all(ratios[0] == 1 for sizes in results.speedup.values() for ratios in sizes.values())
    assert results.speedup["nothing"]["4"][1] < 1, "a worker costs more than an item that costs nothing"
    assert len(script.plot(results).axes) == 3
    data = script.kinds(config)["computing"]
    assert [script.loader_of(data, 4, workers).persistent_workers for workers in (0, 1)] == [False, True]
    alone, workers = (list(script.loader_of(data, 4, workers)) for workers in (0, 1))
    assert all(map(torch.equal, alone, workers))


# Loading ahead


@of("prefetch")
def test_loading_ahead_gives_the_same_batches_and_errors(script: ModuleType):
    for depth in (1, 3, 100):
        assert list(script.prefetch(range(20), depth)) == list(range(20))

    def broken():
        yield 1
        raise OSError("the disk is full")

    batches = script.prefetch(broken(), 2)
    assert next(batches) == 1
    with pytest.raises(OSError, match="the disk is full"):
        next(batches)
    with pytest.raises(ValueError, match="depth must be at least 1; got 0"):
        next(script.prefetch([], 0))


@of("prefetch")
def test_loading_ahead_ends_with_its_consumer(script: ModuleType):
    read = []

    def source():
        for number in range(1000):
            read.append(number)
            yield number

    batches = script.prefetch(source(), 3)
    next(batches)
    batches.close()
    threads = [thread for thread in script.threading.enumerate() if thread.name == "prefetch"]
    for thread in threads:
        thread.join(timeout=5)
        assert not thread.is_alive()
    assert len(read) <= 6, "at most the queue, the batch in hand and those around it"


@of("prefetch")
def test_the_recurrence_meets_the_cases_that_are_known(script: ModuleType):
    steady, step = [3.0] * 10, 5.0
    for depth in (1, 4):
        assert script.predicted_seconds(steady, step, depth) == 3 + 10 * 5, "the step is the bottleneck"
        assert script.predicted_seconds(steady, 2.0, depth) == 10 * 3 + 2, "loading is the bottleneck"
    assert [script.least_seconds(steady, seconds) for seconds in (step, 2.0)] == [3 + 10 * 5, 10 * 3 + 2]
    # Worked out by hand: with one place the third batch has to wait for the second to leave, with two it does not.
    assert script.predicted_seconds([1.0, 1.0, 1.0, 10.0], 4.0, depth=1) == 19
    assert script.predicted_seconds([1.0, 1.0, 1.0, 10.0], 4.0, depth=2) == 17
    uneven = [1.0, 1.0, 20.0, 1.0] * 5
    times = [script.predicted_seconds(uneven, step, depth) for depth in (1, 2, 4, 8, 16)]
    assert times == sorted(times, reverse=True), "a longer queue is never slower"
    assert times[0] > times[-1] >= script.least_seconds(uneven, step)
    config = script.Config(batches=6, load=0.002, step=0.003, depths=(1, 4))
    results = script.main(config)
    # Sleeps last at least as long as they are told to.
    for name, measured in results.measured.items():
        assert all(m > p * 0.99 for m, p in zip(measured, results.predicted[name], strict=True))


@pytest.mark.skipif(torch.accelerator.is_available(), reason="this machine has memory to pin")
@of("pinned_memory")
def test_without_an_accelerator_nothing_is_pinned(script: ModuleType):
    results = script.main(script.Config(items=8, batch_size=4, features=3))
    assert not results.pinned
    assert results.same_batches
    assert "no accelerator is found" in results.warning
    assert results.copy_speedup is results.overlap_speedup is None


# Resuming


@of("resume_mid_epoch")
def test_every_position_resumes_exactly(script: ModuleType):
    data = script.NoisyDigits(seed=0)
    noisy, again, next_epoch, next_item = (
        data[key][0] - data.images[key[1]] for key in ((0, 5), (0, 5), (1, 5), (0, 6))
    )
    assert torch.equal(noisy, again)
    assert (noisy - next_epoch).abs().min() > 0, "other noise in each epoch"
    assert (noisy - next_item).abs().min() > 0, "and for each item"
    loader = script.ResumableLoader(data, batch_size=400, seed=3)
    whole, states = [], [loader.state_dict()]
    for _ in range(2):
        for batch in loader:
            whole.append(batch)
            states.append(loader.state_dict())
    assert len(whole) == 10
    assert not torch.equal(whole[0][2], whole[5][2]), "another order in each epoch"
    for done, state in enumerate(states):
        resumed = script.ResumableLoader(data, batch_size=400, seed=3)
        resumed.load_state_dict(state)
        rest = [batch for _ in range(2 - resumed.epoch) for batch in resumed]
        assert len(rest) == 10 - done
        for one, other in zip(rest, whole[done:], strict=True):
            assert all(map(torch.equal, one, other))


@needs_fork
@of("resume_mid_epoch")
def test_batches_are_the_same_with_workers_and_may_resume_without(script: ModuleType):
    data = script.NoisyDigits(seed=0)
    alone = list(script.ResumableLoader(data, 400, seed=0))
    loader = script.ResumableLoader(data, 400, seed=0, workers=2)
    batches = iter(loader)
    first = [next(batches) for _ in range(2)]
    resumed = script.ResumableLoader(data, 400, seed=0)
    resumed.load_state_dict(loader.state_dict())
    for one, other in zip([*first, *resumed], alone, strict=True):
        assert all(map(torch.equal, one, other))


@of("resume_mid_epoch")
def test_a_position_in_another_order_is_refused(script: ModuleType):
    data = script.NoisyDigits(seed=0)
    state = script.ResumableLoader(data, 64, seed=0).state_dict()
    with pytest.raises(ValueError, match="seed is 1, was 0, batch_size is 32, was 64"):
        script.ResumableLoader(data, 32, seed=1).load_state_dict(state)


@needs_fork
@of("resume_mid_epoch")
def test_the_usual_ways_to_resume_lose_or_repeat(script: ModuleType):
    config = script.Config(epochs=2, batch_size=150, workers=1, stop_epoch=0, stop_batch=3)
    results = script.main(config)
    exact, thrown, again, sampler = (results.ways[way] for way in script.WAYS)
    assert exact == script.Resumption(used_twice=0, never_used=0, read_in_vain=0, same_weights=True)
    assert thrown == script.Resumption(used_twice=0, never_used=0, read_in_vain=450, same_weights=True)
    assert again == script.Resumption(used_twice=450, never_used=0, read_in_vain=0, same_weights=False)
    assert results.handed_out_ahead == 2, "two batches for each worker"
    assert sampler == script.Resumption(used_twice=0, never_used=300, read_in_vain=0, same_weights=False)


# Drawings of ideas


@of("first_dataset")
def test_batches_of_the_drawing_hold_the_fruits_of_their_indices(script: ModuleType):
    results = script.main(script.Config(batch_size=2, seed=3))
    assert sorted(index for batch in results.batches for index in batch) == list(range(7))
    assert [len(batch) for batch in results.batches] == [2, 2, 2, 1]
    for indices, features, labels in zip(results.batches, results.features, results.labels, strict=True):
        assert [(*fruit, kind) for fruit, kind in zip(features, labels, strict=True)] == [
            script.ROWS[index] for index in indices
        ]


@of("weights_on_a_line")
def test_points_on_the_line_balance_the_classes(script: ModuleType):
    results = script.main(script.Config(labels=(0, 0, 0, 2, 2), draws=4000))
    counts = Counter(results.labels[item] for item in results.drawn)
    assert chisquare([counts[0], counts[2]]).pvalue > 0.001
    assert results.ends[-1] == pytest.approx(2)


@pytest.mark.parametrize(
    "script",
    [
        "first_dataset",
        "units_by_hand",
        "one_buffer",
        "one_padded_batch",
        "weights_on_a_line",
        "loader_timeline",
        "worker_copies",
    ],
    indirect=True,
)
def test_drawings_of_other_options_can_be_drawn(script: ModuleType):
    assert script.plot(script.main(script.Config(seed=1))).axes

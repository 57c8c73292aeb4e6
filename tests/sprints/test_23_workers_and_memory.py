"""Workers and their memory of sprint 23: pages, storages, page cache, batches that wait, limits; and what notes say."""

import itertools
import json
import multiprocessing
import os
import pickle
import subprocess
import sys
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import psutil
import pytest
import torch
from lesson_texts import SPRINTS, lesson_texts
from torch.utils.data import DataLoader

SPRINT = "23_loader_memory"
page, note = lesson_texts(SPRINT)
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="pages are looked up in /proc")

# A process that has run hundreds of tests has free memory and open files of its own, which a fork of it would have too.
FRESH = "SPRINTS_FRESH_PROCESS"
alone = pytest.mark.skipif(FRESH not in os.environ, reason="run by the test of a fresh process")


@pytest.fixture
def part(load_sprint) -> Any:
    return lambda name: load_sprint(f"{SPRINT}/memory_study/{name}.py")


def forked(part: Any, function: Any, *arguments: Any) -> Any:
    return part("processes").in_a_process("fork", function, *arguments)


def test_memory_agrees_with_psutil_and_refuses_what_it_cannot_know(part, monkeypatch):
    memory = part("memory")
    found, rollup = memory.memory_of(), Path("/proc/self/smaps_rollup").read_text().splitlines()
    private = 1024 * sum(int(line.split()[1]) for line in rollup if line.startswith("Private_"))
    assert found.resident == pytest.approx(psutil.Process().memory_info().rss, rel=0.05)
    assert found.unique == pytest.approx(private, rel=0.05)
    assert found.unique <= found.proportional <= found.resident
    kinds = memory.kinds_of()
    assert kinds.anonymous + kinds.file + kinds.shared == pytest.approx(found.resident, rel=0.05)
    for ask in (memory.memory_of, memory.kinds_of):
        with pytest.raises(ValueError, match="no process 4194305"):
            ask(2**22 + 1)
    with pytest.raises(ValueError, match="ascend"):
        memory.private(np.array([5, 4]))
    with pytest.raises(ValueError, match="contiguous"):
        memory.pages_of(np.zeros((4, 4))[:, ::2])
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(ValueError, match="darwin"):
        memory.memory_of()


def test_a_page_becomes_private_when_it_is_written(part):
    memory = part("memory")
    array = np.zeros(4096 * 40, dtype=np.uint8)
    array[:] = 1
    pages = memory.pages_of(array)[1:-1]  # the ends may hold other things too
    assert len(pages) in (38, 39)

    def write() -> tuple[int, int, int]:
        fresh = memory.private(pages).sum()
        array[::4096].sum()  # reading an array writes nothing
        read = memory.private(pages).sum()
        array[4096 * 8 : 4096 * 18] += 1
        return int(fresh), int(read), int(memory.private(pages).sum())

    fresh, read, written = forked(part, write)
    assert fresh == read == 0
    assert written in (10, 11)


def test_processes_answer_or_say_why_not(part):
    assert forked(part, sum, [1, 2]) == 3

    def fail() -> None:
        raise KeyError("flour")

    with pytest.raises(ValueError, match="KeyError: 'flour'"):
        forked(part, fail)
    with pytest.raises(ValueError, match="ended with code 3"):
        forked(part, __import__("os")._exit, 3)


def test_what_a_fresh_process_measures():
    names = "lists_grow or leak_is or open_files_and"
    command = [sys.executable, "-m", "pytest", "-n", "0", "-q", "-p", "no:cacheprovider", __file__, "-k", names]
    done = subprocess.run(
        command, env=os.environ | {FRESH: "1"}, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "5 passed" in done.stdout or "....." in done.stdout


def test_pages_by_hand(load_sprint, part):
    script = load_sprint(f"{SPRINT}/pages_by_hand.py")
    found = script.main(script.Config())
    assert (found.copied, found.ways) == ([0, 1, 3], 495)
    assert found.mean_share == pytest.approx(1 - 126 / 495)
    assert found.formula == pytest.approx(19 / 27)
    for words in ("126 of the 495", f"{found.mean_share:.3f}", f"{found.formula:.3f}"):
        assert words in note(1)
    share = part("layouts").private_share
    assert f"{share(0.011, 63):.0%}" == "50%"
    assert "1.1 %" in note(1)
    assert 1 - share(0.25, 63) < 2e-8


@alone
@pytest.mark.parametrize("name", ["words", "texts", "records"])
def test_lists_grow_as_predicted(part, name: str):
    found = part("layouts").curve_of(name, 2, (0.02, 0.3), seed=1)
    for growth, predicted in zip(found.measured, found.predicted, strict=True):
        assert growth.pages == pytest.approx(predicted, rel=0.15, abs=0.02)
    assert 0.2 < found.in_order[1] < 0.7, "a small list fills gaps, so that its order is not that of the memory"
    assert found.frozen < 0.1
    assert (found.collected > 0.5) == (name == "records")


def test_an_item_counts_once_on_a_page(part):
    layouts = part("layouts")
    layout = layouts.Layout(lambda i: i, lambda item: item, 0)
    one, other = (1000, 1000), (1000, 1000)
    pages, to_a_page = layouts.objects_to_a_page([one, other], layout)
    assert len(pages) == 1
    assert to_a_page.tolist() == [2]


def test_storages_hold_the_same_and_pickle_sends_what_the_note_says(part, tmp_path: Path):
    texts = {name: kind(50, 3, tmp_path) for name, kind in part("texts").STORAGES.items()}
    expected = [item.tolist() for item in texts["list"]]
    assert len(expected) == len(texts["list"]) == 50
    assert len({len(item) for item in expected}) > 10
    sizes = {}
    for name, storage in texts.items():
        batches = [batch.tolist() for batch in DataLoader(storage, batch_size=None)]
        assert batches == expected, name
        sizes[name] = len(ForkingPickler.dumps(storage))
    data = sum(map(len, expected))
    assert all(sizes[name] > data for name in ("list", "array", "arrow"))
    assert all(sizes[name] < 2000 for name in ("memory map", "shared memory"))
    mapped = np.load(tmp_path / "texts.npy", mmap_mode="r")
    assert len(pickle.dumps(mapped)) > data, "a mapped array is sent as a copy"


def test_workers_make_the_same_batches_of_a_list_and_of_an_array(part, tmp_path: Path):
    families = part("families")
    found = [forked(part, families.family_of, name, 64, 2, "fork", 16, tmp_path, 0) for name in ("list", "array")]
    assert found[0].batches == found[1].batches
    assert found[0].data == found[1].data
    assert all(one.together < one.resident for one in found)
    assert families.pad([torch.tensor([1, 2]), torch.tensor([3])]).tolist() == [[1, 2], [3, 0]]


def test_pages_of_a_file_come_back_and_others_do_not(part, tmp_path: Path):
    cache, size = part("cache"), 4 << 20
    cache.write_noise(path := tmp_path / "noise", size, 0)
    assert cache.cached_bytes(path) == size
    backed = {moment.what: moment for moment in forked(part, cache.file_backed, path)}
    slack = 3 << 20
    assert backed["read"].file - backed["given back"].file == pytest.approx(size, abs=slack / 3)
    assert backed["read"].anonymous < slack
    assert len({moment.digest for moment in backed.values()} - {""}) == 1
    loaded = {moment.what: moment for moment in forked(part, cache.anonymous, path)}
    assert loaded["loaded"].anonymous - loaded["given back"].anonymous == pytest.approx(size, abs=slack / 3)
    assert loaded["loaded"].digest == backed["read"].digest != loaded["read again"].digest


@alone
def test_a_leak_is_anonymous(load_sprint, part, tmp_path: Path):
    script = load_sprint(f"{SPRINT}/page_cache.py")
    part("cache").write_noise(path := tmp_path / "noise", 32 << 20, 0)
    reads, leaks = (forked(part, script.loop, path, 16, leak) for leak in (False, True))
    # Eight more steps keep 4 MB each; what the allocator keeps differs from run to run, by a few arrays of 2 MB.
    assert leaks.anonymous[-1] - leaks.anonymous[8] > (24 << 20)
    assert reads.anonymous[-1] - reads.anonymous[8] < (12 << 20)
    assert reads.file[-1] > (31 << 20)


def test_as_many_batches_wait_as_workers_times_prefetch_factor(part):
    waiting = part("waiting")
    made = multiprocessing.get_context("fork").Value("i", 0)
    found = forked(part, waiting.epoch, [0.0] * 12, 1 << 16, made, 2, 2, 0.05)
    assert max(found.ready) == 4
    assert 3 * (1 << 16) <= max(found.shared_bytes) <= 4 * (1 << 16)
    assert found.ready[-1] == 0
    assert waiting.without_an_end(20, 0.005, 0.02)[-1] > 4


@alone
def test_too_many_open_files_and_its_cures(part):
    limits = part("limits")
    data = limits.Blocks(40, 100)
    kept = forked(part, limits.keep_batches, data, "file_descriptor", 1, False, 40)
    assert "Too many open files" in kept.error
    assert kept.batches < 40
    for strategy, clone in (("file_descriptor", True), ("file_system", False)):
        cured = forked(part, limits.keep_batches, data, strategy, 1, clone, 40)
        assert (cured.batches, cured.error) == (40, "")
        assert cured.named_files == (0 if clone else 40)


def test_too_little_shared_memory(part):
    limits = part("limits")
    before = psutil.disk_usage("/dev/shm").total
    try:
        kept = forked(
            part, limits.keep_batches, limits.Blocks(2, 1 << 21), "file_descriptor", 1, False, None, 1 << 20, 1
        )
    except ValueError as fault:
        pytest.skip(str(fault))
    assert "timed out" in kept.error
    assert "No space left on device" in kept.worker
    assert psutil.disk_usage("/dev/shm").total == before
    kept = forked(part, limits.keep_batches, limits.CutOff(1, 1 << 16))
    assert "bus error" in kept.worker


def test_note_2_and_4_by_hand(part):
    texts: ModuleType = part("texts")
    assert texts.offsets_of(3, 0).shape == (4,)
    lengths = np.array([len(word.encode()) for word in ("egg", "oil", "flour")])
    assert np.concatenate([[0], lengths.cumsum()]).tolist() == [0, 3, 6, 11]
    assert "0, 3, 6, 11" in note(2)
    batch = 32 * 3 * 224 * 224 * 4
    assert f"{batch:,} bytes" in note(4)
    assert f"{8 * batch / 1e6:.0f} MB" in note(4)
    assert f"{64 * batch / 1e9:.1f} GB" in note(4)
    assert f"{(64 - 8) * batch / 1e9:.1f} GB more" in note(4)
    waiting = 3600 * (1 / 0.075 - 1 / 0.1)
    assert f"{waiting:,.0f} batches wait, {waiting * batch / 1e9:.0f} GB" in note(4)
    assert f"{512 * 10 * 4096 / 1e6:.0f} MB, however few" in note(4)
    sizes = [sys.getsizeof(word) for word in ("egg", "oil", "flour")]
    if sys.version_info[:2] == (3, 11):
        assert f"{sizes[0]}, {sizes[1]} and {sizes[2]} bytes" in note(2)


def test_notes_3_and_5_by_hand():
    four = [128 / 4 + 16, 16]  # proportional and unique set of a worker with results of its own
    assert "PSS {:.0f}, USS {}".format(*four) in note(3)
    assert f"{128 + 4 * 16} MB in use" in note(3)
    assert f"64 − 18 = {64 - 18} batches" in note(5)
    assert f"that is {(64 - 18) // 3}" in note(5)
    assert f"= {(1024 - 100) // 4}." in note(5)
    assert f"{5 * 32 * 3 * 224 * 224 * 4 / 1e6:.0f} MB, too much" in note(5)


def test_locks_take_the_room_of_the_eighth_batch(part):
    recorded = json.loads((SPRINTS / SPRINT / "results" / "file_descriptors.json").read_text(encoding="utf-8"))
    assert recorded["results"]["shared_memory"]["small batches, all kept"]["batches"] == 7
    assert "Seven came" in note(5)
    limits = part("limits")
    for size, came in ((1 << 17, 7), ((1 << 17) - 8192, 8)):
        try:
            kept = forked(
                part, limits.keep_batches, limits.Blocks(10, size), "file_descriptor", 1, False, None, 1 << 20, 1
            )
        except ValueError as fault:
            pytest.skip(str(fault))
        assert kept.batches == came


def test_exercises_on_paper(part):
    share = part("layouts").private_share
    for fraction in (1 / 80, 1 / 8):
        private = share(fraction, 16)
        assert f"{private:.3f}" in page
        assert f"{6 * (1 + 8 * private):.1f} GB" in page
    full = 1 - (1 - (32 / 6 - 1) / 8) ** (1 / 16)
    assert f"f = {full:.4f}. That is {8 * full:.0%}".replace("%", " %") in page
    recorded = json.loads((SPRINTS / SPRINT / "results" / "a_list_that_grows.json").read_text(encoding="utf-8"))
    found = recorded["results"]
    counted = [
        100 * growth["pages"]
        for fraction, growth in zip(found["fractions"], found["layouts"]["texts"]["measured"], strict=True)
        if fraction in (0.1, 0.5)
    ]
    assert "{:.1f} % and {:.1f} % were counted".format(*counted) in page
    assert f"only {found['layouts']['texts']['items_to_a_page']:.1f} begin on a page" in page


def test_a_reader_in_order_touches_two_pages_with_each_batch():
    batches = [range(64 * number, 64 * (number + 1)) for number in range(2000)]
    pages = [{word // 63 for word in batch} for batch in batches[::4]]
    private = len(set(itertools.chain(*pages)))
    assert private / (64 * 2000 / 63) == pytest.approx(0.5, abs=0.02)

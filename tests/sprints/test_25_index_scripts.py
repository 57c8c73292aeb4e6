"""Sprint 25, indexes and folders: the scripts at a small size, and the numbers that notes work out by hand."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from lesson_texts import lesson_texts

SPRINT = "25_retrieval_augmented_generation"
FOLDER = Path(__file__).parents[2] / "sprints" / SPRINT
PAGE, note = lesson_texts(SPRINT)


def test_note_8_twelve_points(load_sprint):
    script = load_sprint(f"{SPRINT}/near_by_hand.py")
    results = script.main(script.Config())
    assert results.true == [3, 4, 2]
    assert [results.distances[point] for point in results.true] == [1, 4, 5]
    assert "Its three nearest points are 3, 4 and 2, at squared distances of 1, 4 and 5." in note(8)
    assert np.array_equal([np.square(np.subtract(centre, (4, 3))).sum() for centre in script.CENTRES], [5, 16, 26])
    for number, centre in enumerate(script.CENTRES):
        assert np.mean([script.POINTS[point] for point in range(4 * number, 4 * number + 4)], axis=0).tolist() == [
            *centre
        ]
    assert results.by_probed["1"] == [3, 2, 1]
    assert results.recalls == results.shares
    assert results.recalls["1"] == pytest.approx(2 / 3)
    assert results.tables == [[4, 1, 25], [1, 0, 25]]
    assert [results.coded[point] for point in (4, 3, 1, 0, 2)] == [1, 2, 4, 5, 5]
    assert sorted(results.coded)[4] == 5
    assert "the order is 4, 3, 1, and then 0 and 2. The true one is 3, 4, 2, 1" in note(8)
    assert results.walks["1"] == [11, 8, 9, 10]
    assert results.ends == {"1": [9], "2": [3, 4]}
    script.plot(results)
    moved = script.main(script.Config(query=(5.0, 4.5)))
    assert (moved.true, moved.ends["2"]) == ([4, 9, 3], [9, 8])
    assert [moved.recalls[probed] for probed in "123"] == pytest.approx([1 / 3, 2 / 3, 1])
    assert "The nearest are 4, 9 and 3, one in each cell" in PAGE


def test_exercises_m_and_n():
    assert round(0.9 + 0.1 * 7 / 997, 4) == 0.9007
    assert -(-997 // 2) + 3 == 502
    assert (384 * 4 / 10, (384 * 4 + 128) / 10, 48 / 10) == (153.6, 166.4, 4.8)
    for number in ("0.9007", "502 cells", "153.6 GB", "166.4 GB", "4.8 GB", "9.6 GB", "0.0625"):
        assert number in PAGE


def test_notes_13_and_14_by_hand(load_sprint):
    folder = load_sprint(f"{SPRINT}/retrieval/folder.py")
    text = "# Bread\n\nKneads well.\nFlour and water make a dough.\n\nBake it at 220 degrees."
    assert text.replace("\n", "⏎") in note(13)
    start = text.index("Flour")
    place = folder.Document("bread.md", text).place(start, text.index("Bake") + 4)
    assert (start, place.first, place.last) == (22, 4, 6)
    page = load_sprint(f"{SPRINT}/retrieval/page_html.py")
    tea = "Tea\nUse <70° water.\nWait."
    assert (tea.index("Use"), tea.index("water.") + 6) == (4, 19)
    marked = page.with_marks(tea, 0, len(tea), [(4, "<mark>"), (19, "</mark>")])
    assert marked.replace("\n", "⏎") == "Tea⏎<mark>Use &lt;70° water.</mark>⏎Wait."
    assert marked.replace("\n", "⏎") in note(14)


def test_codes_are_above_shannons_bound(load_sprint):
    script = load_sprint(f"{SPRINT}/codes_and_bits.py")
    results = script.main(script.Config(features=8, vectors=1500, held_out=500, rounds=4, seeds=2))
    for errors in results.errors.values():
        for found, least in zip(errors, results.bound, strict=True):
            assert min(found) > least
    script.plot(results)
    with pytest.raises(ValueError, match="a multiple of 8, the numbers of a part; got 12"):
        script.Config(features=12).check()


def test_speed_and_recall_asserts_the_identity(load_sprint, tmp_path):
    pytest.importorskip("faiss")
    script = load_sprint(f"{SPRINT}/speed_and_recall.py")
    generator = np.random.default_rng(0)
    for name, rows in (("vectors", 800), ("queries", 30)):
        np.save(tmp_path / f"{name}.npy", generator.normal(size=(rows, 16)).astype(np.float32))
    config = script.Config(vectors=tmp_path, cells=8, probed=(1, 8), widths=(10, 40), kept=(1, 16), rounds=1)
    results = script.main(config)
    cells = [point.recall for point in results.points if point.way == "cells"]
    assert cells == pytest.approx(results.shares_probed)
    assert cells[1] == 1
    assert results.bytes_a_vector["codes"] == 2
    script.plot(results)
    with pytest.raises(ValueError, match=r"vectors.npy is missing"):
        script.main(script.Config(vectors=tmp_path / "none"))


def test_killed_it_is_the_old_index_or_the_new_one(load_sprint):
    script = load_sprint(f"{SPRINT}/killed_index.py")
    results = script.main(script.Config(files=8, changed=4, updates=1, kills=2, step=0.02))
    assert (results.neither, results.files_left, results.old + results.new) == (0, 0, 2)
    assert results.repeated <= results.kills
    with pytest.raises(ValueError, match="--changed must be at most --files; got 5 of 4"):
        script.Config(files=4, changed=5).check()


def test_a_folder_is_asked_and_what_cannot_be_read_is_said(load_sprint, tmp_path, capsys):
    script, own = load_sprint(f"{SPRINT}/ask_folder.py"), tmp_path / "own"
    own.mkdir()
    (own / "tea.md").write_text("# Tea\n\nGreen tea needs water of 70 degrees.\n")
    (own / "bad.txt").write_bytes(b"\xff")
    config = script.Config(
        folder=own, questions=("Which water does green tea need?", "Who won?"), out=tmp_path, enough=0.2
    )
    results = script.main(config)
    assert [(one.answer, one.place) for one in results.asked] == [
        ("Green tea needs water of 70 degrees.", "tea.md, line 3"),
        ("I do not know.", None),
    ]
    assert "bad.txt is left out" in capsys.readouterr().out
    assert script.main(config).changes.kept == 1
    with pytest.raises(ValueError, match="needs at least one question"):
        script.Config(questions=(" ",)).check()
    with pytest.raises(SystemExit):
        script.main(script.Config(record="default"))


def test_a_threshold_treats_most_questions_rightly(load_sprint):
    script = load_sprint(f"{SPRINT}/own_questions.py")
    made = [(0.9, True, True), (0.6, True, True), (0.5, True, False), (0.4, False, False), (0.2, False, False)]
    outcomes = [script.Outcome("", answerable, sure, right, right, right, right) for sure, answerable, right in made]
    enough = script.threshold(outcomes)
    assert enough == pytest.approx(0.45)
    assert script.rightly(outcomes, enough) == 4
    assert script.rightly(outcomes, 0.0) == 2
    assert script.is_page("05_x/notes/01_a.md")
    assert not script.is_page("22_x/README.md")
    assert not script.is_page("05_x/exercises/README.md")


def test_what_the_recorded_thresholds_are_is_what_is_used(load_sprint):
    thresholds = load_sprint(f"{SPRINT}/retrieval/thresholds.py")
    for path in (FOLDER / "results").glob("own_questions*.json"):
        for name, score in json.loads(path.read_text(encoding="utf-8"))["results"]["models"].items():
            assert thresholds.ENOUGH[name] == pytest.approx(score["enough"], abs=0.01)


def test_faiss_before_torch_works_in_a_fresh_process():
    """Each brings an OpenMP runtime of its own; a clash ends or hangs the process. The other order is that of tests."""
    pytest.importorskip("faiss")
    program = (
        "import faiss, torch\nimport numpy as np\nfaiss.omp_set_num_threads(1)\ntorch.set_num_threads(1)\n"
        "x = torch.randn(500, 16) @ torch.randn(16, 16)\nindex = faiss.IndexFlatL2(16)\nindex.add(x.numpy())\n"
        "print(index.search(x.numpy(), 1)[1][:, 0].tolist() == list(range(500)))\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=True)
    assert ended.stdout.strip() == "True"

"""Sprint 25: one's own folder, the index on disk, and asking it."""

import json
import multiprocessing
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SPRINT = "25_retrieval_augmented_generation"
SPRINTS = Path(__file__).parents[2] / "sprints"


@pytest.fixture
def part(load_sprint):
    return lambda name: load_sprint(f"{SPRINT}/retrieval/{name}.py")


TEXTS = {
    "bread.md": "# Bread\n\nKneads well.\nFlour and water make a dough.\n\nBake it at 220 degrees.",
    "deep/tea.txt": "Green tea needs water of 70 degrees.\r\nBlack tea needs boiling water.",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in TEXTS.items():
        (tmp_path / "own" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "own" / name).write_bytes(text.encode())
    return tmp_path / "own"


def write_pdf(path: Path, pages: list[list[str]]) -> None:
    """Write a PDF with a font and lines of plain letters, byte by byte."""
    objects: list[bytes] = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    kids = []
    for lines in pages:
        words = "".join(f"({line}) Tj 0 -20 Td " for line in lines)
        stream = f"BT /F1 12 Tf 50 700 Td {words}ET".encode()
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Resources << /Font << /F1 3 0 R >> >> "
            b"/Contents %d 0 R >>" % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    written, starts = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        starts.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    written += b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1, table, len(objects) + 1, len(written),
    )  # fmt: skip
    path.write_bytes(written)


# Files


def test_files_are_found_by_name_and_nothing_outside_the_folder(part, folder):
    (folder / ".git").mkdir()
    (folder / ".git" / "a.md").write_text("hidden")
    (folder / "picture.png").write_bytes(b"\x89PNG")
    (folder.parent / "secret.txt").write_text("not below the folder")
    (folder / "link.txt").symlink_to(folder.parent / "secret.txt")
    (folder / "up").symlink_to(folder.parent)
    assert list(part("folder").find_files(folder)) == ["bread.md", "deep/tea.txt"]
    assert list(part("folder").find_files(folder, lambda name: "tea" in name)) == ["deep/tea.txt"]


def test_lines_are_those_of_an_editor(part):
    text = TEXTS["bread.md"]
    document = part("folder").as_document("bread.md", text.encode())
    start = text.index("Flour")
    assert str(document.place(start, start + 5)) == "bread.md, line 4"
    assert str(document.place(start, text.index("Bake") + 4)) == "bread.md, lines 4-6"
    assert str(document.place(0, len("# Bread\n"))) == "bread.md, line 1"  # a line break belongs to the line it ends
    marked = part("folder").as_document("a.txt", b"\xef\xbb\xbfone\r\ntwo")
    assert marked.text == "one\r\ntwo"
    assert marked.place(5, 8).first == 2


def test_a_pdf_is_read_page_by_page(part, tmp_path):
    write_pdf(tmp_path / "a.pdf", [["One egg.", "Two eggs."], ["Salt.", "Pepper and oil."]])
    document = part("folder").as_document("a.pdf", (tmp_path / "a.pdf").read_bytes())
    start = document.text.index("Pepper")
    assert str(document.place(start, start + 6)) == "a.pdf, page 2, line 2"
    assert document.place(document.text.index("Two"), start).page == 1
    assert str(document.place(document.text.index("One"), start)) == "a.pdf, page 1, lines 1-2"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.md", b"caf\xe9", "a.md is left out: it is no text in UTF-8 (byte 3 does not fit)"),
        ("a.txt", b"ab\0c", "a.txt is left out: it is no text (byte 2 is 0)"),
        ("a.txt", b" \n", "a.txt is left out: it is empty"),
        ("a.pdf", b"", "a.pdf is left out: it cannot be read as PDF"),
        ("a.pdf", b"%PDF-1.4 and nothing", "a.pdf is left out: it cannot be read as PDF"),
        ("a.PDF", None, "a.PDF is left out: its 1 pages have no text, as those of a scan"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(part, tmp_path, name, content, message):
    if content is None:
        write_pdf(tmp_path / name, [[]])
        content = (tmp_path / name).read_bytes()
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        part("folder").as_document(name, content)
    assert "\n" not in str(caught.value)


def test_a_locked_pdf_and_a_large_file_are_said(part, tmp_path):
    import pypdf

    write_pdf(tmp_path / "a.pdf", [["One egg."]])
    writer = pypdf.PdfWriter(tmp_path / "a.pdf")
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(tmp_path / "locked.pdf")
    with pytest.raises(ValueError, match=r"locked.pdf is left out: it is locked with a password"):
        part("folder").as_document("locked.pdf", (tmp_path / "locked.pdf").read_bytes())
    (tmp_path / "large.txt").write_bytes(b"a" * 10_000_000)
    with pytest.raises(ValueError, match=r"large.txt is left out: it has 10.0 MB, and at most 5 are read"):
        part("folder").read_content(tmp_path / "large.txt", "large.txt")
    with pytest.raises(ValueError, match=r"gone.txt is left out: No such file"):
        part("folder").read_content(tmp_path / "gone.txt", "gone.txt")


def test_a_folder_without_anything_is_refused(part, tmp_path):
    with pytest.raises(ValueError, match="nothing to read"):
        part("folder").find_files(tmp_path)
    with pytest.raises(ValueError, match="is no folder"):
        part("folder").find_files(tmp_path / "gone")


# The index on disk


@pytest.fixture
def counting(part) -> Any:
    """Return an encoder that makes a vector of the letters of a text, and notes how many texts it read."""
    read: list[int] = []

    def encode(texts: Any) -> np.ndarray:
        read.append(len(texts))
        counts = np.array([[1 + text.count(letter) for letter in "aeinrst"] for text in texts], dtype=np.float32)
        return counts / np.linalg.norm(counts, axis=1, keepdims=True)

    noted: Any = encode
    noted.read = read
    return part("encoders").Encoder("letters", "letters 1", encode)


@pytest.fixture
def store(part, tmp_path, counting) -> Any:
    return part("store").Store(tmp_path / "index", counting, longest=40)


def test_an_index_comes_back_as_it_was_written(part, store, folder, counting):
    files = part("folder").find_files(folder)
    changes = store.update(files)
    assert (changes.added, changes.removed, changes.kept, changes.left_out) == (list(TEXTS), [], 0, [])
    indexed = store.load()
    assert {name: document.text for name, document in indexed.documents.items()} == TEXTS
    for chunk in indexed.chunks:
        assert TEXTS[chunk.document][chunk.start : chunk.end] == chunk.text
    searched = [
        text
        for document in indexed.documents.values()
        for text in part("folder").titled(document, [one for one in indexed.chunks if one.document == document.name])
    ]
    assert searched[0].startswith("Bread\n# Bread")
    assert np.array_equal(indexed.vectors, counting.encode(searched))


def test_only_what_changed_is_read_again(part, store, folder, counting):
    find = part("folder").find_files
    store.update(find(folder))
    first = sum(counting.encode.read)
    assert store.update(find(folder)).kept == 2
    assert sum(counting.encode.read) == first
    (folder / "bread.md").rename(folder / "loaf.md")  # the same content under another name
    changes = store.update(find(folder))
    assert (changes.added, changes.removed, sum(counting.encode.read)) == (["loaf.md"], ["bread.md"], first)
    (folder / "loaf.md").write_text("Rye.")
    (folder / "deep" / "tea.txt").unlink()
    changes = store.update(find(folder))
    assert (changes.added, changes.removed, sum(counting.encode.read)) == (["loaf.md"], ["deep/tea.txt"], first + 1)
    assert [chunk.text for chunk in store.load().chunks] == ["Rye."]
    assert len(list((store.folder / "segments").iterdir())) == 1  # what is not needed is deleted


def test_one_bad_file_is_left_out_and_only_bad_files_are_refused(part, store, folder):
    (folder / "bad.txt").write_bytes(b"\xff\xfe")
    changes = store.update(part("folder").find_files(folder))
    assert changes.left_out == ["bad.txt is left out: it is no text in UTF-8 (byte 0 does not fit)"]
    assert list(store.load().documents) == list(TEXTS)
    with pytest.raises(ValueError, match=r"no file can be read: bad.txt is left out"):
        store.update(part("folder").find_files(folder, lambda name: name == "bad.txt"))
    assert list(store.load().documents) == list(TEXTS)  # what was there stays


def test_another_model_and_other_chunks_are_refused(part, store, folder, counting):
    store.update(part("folder").find_files(folder))
    other = part("encoders").Encoder("other letters", "letters 2", counting.encode)
    for wrong in (part("store").Store(store.folder, other, 40), part("store").Store(store.folder, counting, 50)):
        with pytest.raises(ValueError, match="was made with model letters 1; characters of a chunk 40, and this is"):
            wrong.load()
        with pytest.raises(ValueError, match="take another folder for it, or delete that one"):
            wrong.update(part("folder").find_files(folder))
    with pytest.raises(ValueError, match="there is no index in"):
        part("store").Store(store.folder / "none", counting).load()


def test_a_corrupt_index_is_refused_whatever_byte_is_wrong(part, store, folder):
    files = part("folder").find_files(folder)
    store.update(files)
    for path in [store.folder / "index.json", *(store.folder / "segments").iterdir()]:
        content = path.read_bytes()
        for place in range(0, len(content), max(1, len(content) // 8)):
            path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
            with pytest.raises(ValueError, match=r"is corrupt|was made with"):
                store.load()
        for half in (b"", content[: len(content) // 2], b"[]", b"{}"):
            path.write_bytes(half)
            with pytest.raises(ValueError, match="is corrupt"):
                store.load()
        path.write_bytes(content)
    gone = next((store.folder / "segments").iterdir())
    gone.unlink()
    with pytest.raises(ValueError, match="is missing"):
        store.load()
    store.update(files)  # what is damaged is made again
    assert len(store.load().documents) == 2


def test_a_list_cannot_lead_out_of_the_index(part, store, folder):
    store.update(part("folder").find_files(folder))
    path = store.folder / "index.json"
    content = json.loads(path.read_text())
    del content["seal"]
    content["files"]["bread.md"] = "../../own/bread.md"
    store._write_list(content["files"])
    with pytest.raises(ValueError, match="is missing"):
        store.load()


def _update_and_die(store: Any, files: Any, step: int) -> None:
    """End the process without any cleaning up at its step-th renaming, before it or behind it."""
    import shared.lab.files as files_module

    rename, done = os.replace, [0]

    def replace(source: Any, target: Any) -> None:
        done[0] += 1
        if done[0] == (step + 1) // 2 and step % 2:
            os._exit(9)
        rename(source, target)
        if done[0] == step // 2 and step % 2 == 0:
            os._exit(9)

    system: Any = files_module.os
    system.replace = replace
    store.update(files)
    os._exit(0)


def test_killed_at_any_renaming_the_index_is_the_old_or_the_new_one(part, store, folder):
    find = part("folder").find_files
    store.update(find(folder))
    (folder / "bread.md").write_text("Rye bread needs sourdough.")
    (folder / "salt.md").write_text("Salt comes last.")
    new = {name: path.read_bytes().decode() for name, path in find(folder).items()}
    fork, ended, seen = multiprocessing.get_context("fork"), [], []
    for step in range(1, 8):
        process = fork.Process(target=_update_and_die, args=(store, find(folder), step))
        process.start()
        process.join()
        ended.append(process.exitcode)
        seen.append({name: document.text for name, document in store.load().documents.items()})
        assert seen[-1] in (TEXTS, new)
    assert seen[0] == TEXTS
    assert seen[-1] == new
    assert 9 in ended
    assert ended[-1] == 0
    store.update(find(folder))
    assert len(list((store.folder / "segments").iterdir())) == 3  # nothing half written is left


# Asking


@pytest.fixture
def asker(part, store, folder) -> Any:
    files = part("folder").find_files(folder)
    words = part("encoders").WORDS_ONLY
    plain = part("store").Store(store.folder.with_name("words"), words)
    plain.update(files)
    return part("asking").Asker(plain.load(), words, enough=0.25)


def test_the_best_sentence_comes_with_its_place(asker):
    answer = asker.ask("How hot is the water for green tea?")
    assert answer.known
    assert answer.text == "Green tea needs water of 70 degrees."
    assert str(answer.sentence.place) == "deep/tea.txt, line 1"
    assert str(answer.sources[0].place) == "deep/tea.txt, lines 1-2"


def test_what_is_not_there_is_not_known(part, asker):
    assert asker.ask("Who won the cup?") is None
    answer = asker.ask("Where is the largest dough museum of Mongolia?")
    assert not answer.known
    assert answer.text == part("asking").UNKNOWN
    assert asker.confidences("green tea", ["tea that is green", "tea", "x"]).tolist()[::2] == [1, 0]


def test_vectors_and_words_are_asked_together(part, store, folder, counting):
    store.update(part("folder").find_files(folder))
    asker = part("asking").Asker(store.load(), counting, enough=0.0)
    answer = asker.ask("zzz")  # no word of it is anywhere: vectors answer
    assert answer is not None
    both = asker.confidences("green tea", ["green tea", "x"])
    assert both[0] == pytest.approx(1, abs=1e-6)
    assert 0 < both[1] < 0.5


def test_the_places_of_every_own_question_stand_once_in_their_files(part):
    known_part, folder = part("known"), part("folder")
    counts, seen, documents = {}, [], {}
    for kind in ("validation", "test", "questions", "development"):
        questions = known_part.own_questions(kind)
        counts[kind] = (len(questions), sum(not known.places for known in questions))
        for known in questions:
            for place in known.places:
                documents[place.file] = folder.as_document(place.file, (SPRINTS / place.file).read_bytes())
            for file, first, last in known.at(documents):
                assert part("own_exam").is_page(file)
                assert 1 <= first <= last <= first + 2
            assert len(set(known.places)) == len(known.places)
            assert known.at(documents, most=1) == known.at(documents)[:1]
            seen += [known.question, *known.places]
    assert counts == {"validation": (12, 4), "test": (30, 6), "questions": (20, 5), "development": (20, 5)}
    assert len(set(seen)) == len(seen)  # no question twice, and no place under two questions
    with pytest.raises(ValueError, match="exactly once"):
        known_part.KnownPlace("a.md", "tea").lines(folder.as_document("a.md", b"tea and tea"))


def test_an_answer_from_another_place_that_says_it_is_right(part, tmp_path):
    """Two files say the same; the question was written from the one that is found second."""
    (tmp_path / "a.md").write_text("# Tea\n\nGreen tea needs water of 70 degrees.\n\nIt is dear.\n", encoding="utf-8")
    (tmp_path / "b.md").write_text("# Pots\n\nA pot.\n\nFor green tea, boil to 70 degrees.\n", encoding="utf-8")
    store = part("store").Store(tmp_path / "index", part("encoders").WORDS_ONLY)
    store.update(part("folder").find_files(tmp_path))
    asker = part("asking").Asker(store.load(), part("encoders").WORDS_ONLY, enough=0.0)
    known, exam = part("known"), part("own_exam")
    places = (known.KnownPlace("b.md", "boil to 70 degrees"), known.KnownPlace("a.md", "needs water of 70"))
    question = "How hot is the water of green tea that it needs?"
    answer = asker.ask(question)
    assert answer.sentence.place.file == "a.md"
    assert exam.hits(answer, asker, known.Known(question, places)) == ([True, True], True)
    assert exam.hits(answer, asker, known.Known(question, places), most=1) == ([False, True], False)
    assert exam.hits(answer, asker, known.Known(question)) == ([False, False], False)
    assert exam.hits(None, asker, known.Known(question, places)) == ([], False)

"""Packed texts are read whole, or one sentence says why not."""

import gzip

import pytest

from shared.lab.datasets import DataError
from shared.text import packed_text as module
from shared.text.packed_text import packed_text


def test_a_packed_text_is_read_with_its_own_line_ends(own_data):
    own_data("words/some.gz", gzip.compress("é\r\nü\n".encode()))
    assert packed_text("words", "some.gz", "the words") == "é\r\nü\n"


def test_what_cannot_be_read_is_refused(own_data, monkeypatch):
    with pytest.raises(DataError, match=r"some\.gz is missing: make it from the words, or set SPRINTS_DATA"):
        packed_text("words", "some.gz", "the words")
    for content in (b"plain", gzip.compress(b"half of it")[:-4], gzip.compress(b"\xff")):
        own_data("words/some.gz", content)
        with pytest.raises(DataError, match="is damaged"):
            packed_text("words", "some.gz", "the words")
    own_data("words/some.gz", gzip.compress(b"four"))
    monkeypatch.setattr(module, "MOST", 4)
    with pytest.raises(DataError, match="more than 4 characters"):
        packed_text("words", "some.gz", "the words")

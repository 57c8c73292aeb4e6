"""Texts of any size: whole or in pieces, the same characters and the same tokens."""

from itertools import chain, pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.text import plain_text
from shared.text.plain_text import read_pieces, read_text
from shared.text.tokenizers import Tokenizer, train_bpe

TEXT = st.text(st.sampled_from("ab1é, '\n\t\u2003"), max_size=60)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_bpe(["ab ab abab 'ab \n\n ab11, é \t\n a"] * 3, 300)


@given(text=TEXT, size=st.integers(1, 9), cut=st.integers(0, 60))
def test_pieces_are_the_text_and_their_tokens_are_its_tokens(tmp_path_factory, tokenizer, text, size, cut):
    path = tmp_path_factory.getbasetemp() / "pieces.txt"
    path.write_text(text, encoding="utf-8", newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain_text, "PIECE", size)
        for part, (start, stop) in {text[:cut]: (0, cut), text[cut:]: (cut, None)}.items():
            pieces = list(read_pieces(path, start, stop))
            assert "".join(pieces) == part
            assert all(not one[-1].isspace() and other[0].isspace() for one, other in pairwise(pieces))
            assert [*chain(*tokenizer.encode_batch(pieces))] == tokenizer.encode(part)


def test_a_text_without_blanks_is_cut_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "dna.txt").write_text("acgt" * 50)
    monkeypatch.setattr(plain_text, "PIECE", 8)
    monkeypatch.setattr(plain_text, "LONGEST_WORD", 20)
    pieces = list(read_pieces(tmp_path / "dna.txt"))
    assert "".join(pieces) == "acgt" * 50
    assert max(map(len, pieces)) <= 28


def test_byte_order_marks_and_line_ends_are_not_in_the_text(tmp_path: Path):
    (tmp_path / "text.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo\r")
    assert read_text(tmp_path / "text.txt") == "one\ntwo\n" == "".join(read_pieces(tmp_path / "text.txt"))


def test_what_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "latin.txt").write_bytes("abc é".encode("latin-1"))
    with pytest.raises(ValueError, match=r"latin\.txt: it is not UTF-8 at byte 4: convert it"):
        read_text(tmp_path / "latin.txt")
    with pytest.raises(ValueError, match=r"latin\.txt: it is not UTF-8"):
        list(read_pieces(tmp_path / "latin.txt"))
    for read in (read_text, lambda path: list(read_pieces(path))):
        with pytest.raises(ValueError, match="it is a folder"):
            read(tmp_path)
        with pytest.raises(ValueError, match="there is no such file"):
            read(tmp_path / "none.txt")
    monkeypatch.setattr(plain_text, "LARGEST", 4)
    with pytest.raises(ValueError, match=r"is not read at once: take a part of it, or .*prepare_data\.py"):
        read_text(tmp_path / "latin.txt")

"""Sealed files: every flipped bit is found, and nothing that is read runs code."""

import os
import random
import zipfile
from pathlib import Path

import pytest
import torch

from shared.training.sealed import load_sealed, save_sealed

CONTENT = {"weights": torch.arange(6.0).unflatten(0, (2, 3)), "step": 3, "names": ["a", "b"]}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save_sealed(CONTENT, tmp_path / "file.pt")
    return tmp_path / "file.pt"


def test_what_was_written_is_read_and_stays_a_file_of_pytorch(path: Path):
    for content in (load_sealed(path), torch.load(path, weights_only=True)):
        assert torch.equal(content.pop("weights"), CONTENT["weights"])
        assert content == {"step": 3, "names": ["a", "b"]}
    assert zipfile.ZipFile(path).testzip() is None


def test_every_flipped_bit_is_found(path: Path):
    whole, draws = path.read_bytes(), random.Random(0)
    places = [0, len(whole) - 1, len(whole) - 65, *(draws.randrange(len(whole)) for _ in range(60))]
    for place in places:
        flipped = bytearray(whole)
        flipped[place] ^= 1 << draws.randrange(8)
        path.write_bytes(flipped)
        with pytest.raises(ValueError, match=r"file\.pt is truncated, damaged or of another program"):
            load_sealed(path)


def test_a_damaged_file_is_named_with_both_checksums(path: Path):
    whole = bytearray(path.read_bytes())
    whole[100] ^= 1
    path.write_bytes(whole)
    with pytest.raises(ValueError, match=r"its checksum is [0-9a-f]{16}, written was [0-9a-f]{16}"):
        load_sealed(path)


@pytest.mark.parametrize("content", [b"", b"step,loss\n1,2\n", b"x" * 5000, b"PK\x03\x04" + b"\0" * 100])
def test_foreign_files_are_refused(path: Path, content: bytes):
    path.write_bytes(content)
    with pytest.raises(ValueError, match="it ends in no checksum"):
        load_sealed(path)


def test_truncated_files_are_refused(path: Path):
    whole = path.read_bytes()
    for kept in (1, 63, 64, 65, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:kept])
        with pytest.raises(ValueError, match="truncated"):
            load_sealed(path)


class Evil:
    """What would make a folder when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple:
        return os.mkdir, (str(self.target),)


def test_a_payload_does_not_run_even_with_the_right_checksum(path: Path, tmp_path: Path):
    save_sealed({"weights": Evil(tmp_path / "owned")}, path)
    with pytest.raises(ValueError, match="holds more than tensors and plain values"):
        load_sealed(path)
    assert not (tmp_path / "owned").exists()

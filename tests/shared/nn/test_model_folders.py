"""A sealed folder is read as it was written, or not at all; a broken file is named."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from shared.lab.paths import DATA
from shared.nn.model_folders import check_seal, read_json, read_safetensors, refuse_if_not_finite, seal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_file({"w": torch.arange(5.0)}, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text('{"layers": 2}')
    seal(tmp_path)
    return tmp_path


def test_a_flipped_bit_a_missing_file_and_another_one_are_refused(folder: Path):
    check_seal(folder)
    file = folder / "model.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ValueError, match=r"model.safetensors is not as it was written \(checksum \w{16}, now \w{24}\)"):
        check_seal(folder)
    file.unlink()
    with pytest.raises(ValueError, match="now none: it is not there"):
        check_seal(folder)
    file.write_bytes(whole)
    check_seal(folder)
    (folder / "config.json").write_text('{"layers": 3}')
    with pytest.raises(ValueError, match=r"config\.json is not as it was written"):
        check_seal(folder)
    seal(folder)
    check_seal(folder)


def test_a_folder_of_others_has_no_seal(tmp_path: Path):
    check_seal(tmp_path)


@pytest.mark.parametrize("model", sorted(path.name for path in (DATA / "models").iterdir()))
def test_what_is_shipped_is_sealed(model: str):
    assert (DATA / "models" / model / "checksums.json").is_file()
    check_seal(DATA / "models" / model)


def test_broken_files_are_named(folder: Path):
    assert read_json(folder / "config.json") == {"layers": 2}
    tensors, metadata = read_safetensors(folder / "model.safetensors")
    assert (tensors["w"].tolist(), metadata) == ([0, 1, 2, 3, 4], {})
    (folder / "config.json").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match=r"config\.json is not JSON"):
        read_json(folder / "config.json")
    (folder / "config.json").write_text("[]")
    with pytest.raises(ValueError, match=r"config\.json has no names and values"):
        read_json(folder / "config.json")
    with pytest.raises(ValueError, match=r"config\.json is truncated or no safetensors file"):
        read_safetensors(folder / "config.json")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_values_that_are_no_numbers_are_refused(value: float):
    refuse_if_not_finite({"a": torch.zeros(2)}, "this")
    with pytest.raises(ValueError, match="this has values that are infinite or no numbers, first in b"):
        refuse_if_not_finite({"a": torch.zeros(2), "b": torch.tensor([1.0, value])}, "this")

"""Results files: what they hold, that they read back as the dataclass they were, and what they refuse."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch

from shared.lab import results
from shared.lab.results import checksum, load_results, plain, restore, save_results


@dataclass(frozen=True)
class Part:
    name: str
    share: float


@dataclass(frozen=True)
class Results:
    loss: object = 0.40625
    optimum: float | None = None
    rates: tuple[float, ...] = (3.0, 1.0, 2.0)
    parts: dict[str, Part] | None = None
    by_heads: dict[int, list[float]] | None = None


def test_a_file_is_what_json_itself_would_write(tmp_path: Path):
    content = {"results": plain(Results(parts={"ours, Muon": Part("ours 🫚", 0.25)}), "results")}
    path = save_results(content, tmp_path / "results" / "train.json")
    written = json.loads(path.read_text(encoding="utf-8"))
    assert written == content | {"checksum": checksum(content)}
    assert load_results(path) == content
    assert b"\r" not in path.read_bytes()
    assert [file.name for file in path.parent.iterdir()] == ["train.json"]


def test_a_dataclass_comes_back_as_it_was(tmp_path: Path):
    before = Results(0.5, 0.25, (1.0, 2.0), {"a b": Part("ours", 0.25)}, {4: [0.1, 0.2]})
    path = save_results({"results": plain(before, "results")}, tmp_path / "a.json")
    assert restore(Results, load_results(path)["results"]) == before


def test_one_changed_digit_is_found(tmp_path: Path):
    path = save_results({"results": {"loss": 0.40625, "parts": [1, 2]}}, tmp_path / "a.json")
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("\n", ""), encoding="utf-8")
    assert load_results(path)["results"]["loss"] == 0.40625, "layout does not count"
    path.write_text(text.replace("0.40625", "0.40626"), encoding="utf-8")
    with pytest.raises(ValueError, match=r"is not as it was written \(checksum [0-9a-f]{16}, now [0-9a-f]{16}\): run"):
        load_results(path)
    path.write_text('{"results": 1}', encoding="utf-8")
    with pytest.raises(ValueError, match="is no results file, which would have a checksum"):
        load_results(path)


def test_what_is_no_longer_the_dataclass_of_the_script_is_an_error():
    with pytest.raises(ValueError, match=r"(?s)these are no Results of the script as it is now.*rates"):
        restore(Results, {"rates": ["many"]})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (torch.tensor(1.0), r"results\.loss is a Tensor: convert it, for example by \.item\(\)"),
        (np.float32(1.0), r"results\.loss is a float32: convert it"),
        ([1.0, float("nan")], r"results must be finite numbers, results\.loss\[1\] is nan: if training has diverged"),
        ({"a": float("inf")}, r"results\.loss\[a\] is inf"),
    ],
)
def test_values_that_json_does_not_know_are_errors(value: object, message: str):
    with pytest.raises(ValueError, match=message):
        plain(Results(loss=value), "results")


def test_no_text_says_where_the_repository_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(results, "ROOT", tmp_path)
    values = {"model": f"{tmp_path}/data/model", "text": tmp_path / "data" / "a.txt", "other": Path("/somewhere/b.txt")}
    assert plain(values, "config") == {"model": "data/model", "text": "data/a.txt", "other": "b.txt"}


def test_a_missing_or_broken_file_says_what_to_do(tmp_path: Path):
    with pytest.raises(ValueError, match=r"there is no results file .*train\.json: run its script with --record"):
        load_results(tmp_path / "train.json")
    (tmp_path / "train.json").write_text("{")
    with pytest.raises(ValueError, match=r"train\.json is not JSON .*: run its script again"):
        load_results(tmp_path / "train.json")

"""What a result rests on: code, files and libraries; and what of it has changed."""

import hashlib
from pathlib import Path

import pytest
import torch

from shared.lab import provenance
from shared.lab.provenance import note_read, source_hash

SCRIPT = """from shared.nn.beta import TWO


def main(x: float = 1.0):
    return x + TWO
"""


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script in a little repository."""
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    (tmp_path / "shared" / "nn").mkdir(parents=True)
    (tmp_path / "shared" / "nn" / "beta.py").write_text("TWO = 2\n")
    (tmp_path / "script.py").write_text(SCRIPT)
    return tmp_path / "script.py"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_the_hash_is_of_all_that_main_reaches(script: Path):
    before = source_hash(script)
    change(script.parent / "shared" / "nn" / "beta.py", "2", "3")
    assert source_hash(script) != before


def test_a_script_that_is_gone_is_an_error(script: Path):
    script.unlink()
    with pytest.raises(FileNotFoundError, match=r"script.py"):
        source_hash(script)


def test_a_result_names_the_files_and_libraries_that_it_rests_on(script: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(provenance, "_read", {})
    provenance.sha256.cache_clear()
    model, public = script.parent / "data" / "model", script.parent / "elsewhere" / "input.txt"
    for path in (model / "config.json", model / "weights", public):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.name)
    assert note_read(model) == model
    note_read(public, "tinyshakespeare/input.txt")
    rests_on = provenance.provenance(script)
    assert rests_on["data"] == {
        name: hashlib.sha256(content.encode()).hexdigest()
        for name, content in (
            ("data/model/config.json", "config.json"),
            ("data/model/weights", "weights"),
            ("tinyshakespeare/input.txt", "input.txt"),
        )
    }
    assert rests_on["libraries"]["torch"] == torch.__version__.partition("+")[0]
    assert provenance.changes(rests_on, script) == []
    provenance.forget_reads()
    assert provenance.provenance(script)["data"] == {}


def test_what_has_changed_is_named(script: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(provenance, "_read", {})
    weights = script.parent / "data" / "weights"
    weights.parent.mkdir()
    weights.write_text("old")
    note_read(weights)
    rests_on = provenance.provenance(script)
    weights.write_text("new")
    provenance.sha256.cache_clear()
    change(script, "1.0", "1.5")
    rests_on["libraries"]["torch"] = "1.0"
    assert provenance.changes(rests_on, script) == ["code", "data/weights", "torch 1.0"]
    script.unlink()
    assert provenance.changes(rests_on, script) == ["its script is gone"]
